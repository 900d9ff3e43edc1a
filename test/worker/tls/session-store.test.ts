import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SessionStore } from '../../../src/worker/tls/session-store.ts'

const HOUR = 3_600_000
const session = Buffer.from('session')
const memory = () => new SharedArrayBuffer(32_768)

describe('kept sessions', () => {
  it.each([
    ['in a worker', { builtin: 10, shared: null }],
    ['for all workers', { builtin: null, shared: memory() }],
    ['in both', { builtin: 10, shared: memory() }],
  ])('%s are found again until they are removed', (_what, places) => {
    const store = new SessionStore({ ...places, timeout: HOUR }, 0)
    const id = randomBytes(32)
    expect(store.find(id)).toBeNull()
    store.store(id, session)
    expect(store.find(id)).toEqual(session)
    store.remove(id)
    expect(store.find(id)).toBeNull()
  })

  it.each([
    ['in a worker', { builtin: 10, shared: null }],
    ['for all workers', { builtin: null, shared: memory() }],
  ])('%s are not found once their time is over', (_what, places) => {
    const store = new SessionStore({ ...places, timeout: 0 }, 0)
    const id = randomBytes(32)
    store.store(id, session)
    expect(store.find(id)).toBeNull()
  })

  it('in a worker are as many as it is told, the newest', () => {
    const store = new SessionStore({ builtin: 3, shared: null, timeout: HOUR }, 0)
    const ids = Array.from({ length: 5 }, () => randomBytes(32))
    for (const id of ids) store.store(id, session)
    expect(ids.map((id) => store.find(id) !== null)).toEqual([false, false, true, true, true])
  })

  it('in a worker are any number where that is 0', () => {
    const store = new SessionStore({ builtin: 0, shared: null, timeout: HOUR }, 0)
    const ids = Array.from({ length: 500 }, () => randomBytes(32))
    for (const id of ids) store.store(id, session)
    expect(ids.every((id) => store.find(id) !== null)).toBe(true)
  })

  it('for all workers are found by another one', () => {
    const shared = memory()
    const settings = { builtin: 10, shared, timeout: HOUR }
    const id = randomBytes(32)
    new SessionStore(settings, 0).store(id, session)
    expect(new SessionStore(settings, 1).find(id)).toEqual(session)
    expect(new SessionStore({ ...settings, shared: null }, 1).find(id)).toBeNull()
  })
})
