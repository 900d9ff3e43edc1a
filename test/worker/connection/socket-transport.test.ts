import { describe, vi } from 'vitest'
import { describeConnections } from './behaviours.ts'

describe('connections on net.Socket', () => {
  describeConnections(() => {
    // Read when the transports are loaded.
    vi.stubEnv('WEIR_TRANSPORT', 'socket')
    vi.resetModules()
    return import('../../support/engine.ts')
  })
})
