import { describe } from 'vitest'
import { describeConnections } from './behaviours.ts'

describe("connections on Node's handles", () => {
  describeConnections(() => import('../../support/engine.ts'))
})
