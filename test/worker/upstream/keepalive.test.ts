// The cache of idle connections, with connections that only remember what is done to them.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PeerConnection } from '../../../src/worker/upstream/connect.ts'
import { type IdleConnections as IdleType, noPlace } from '../../../src/worker/upstream/keepalive.ts'
import type { KeepaliveSettings, Peer } from '../../../src/worker/upstream/peers.ts'

const peer = (name: string) => ({ name, newestIdle: null as PeerConnection | null }) as Peer
let a: Peer
let b: Peer

let IdleConnections: typeof IdleType

beforeEach(async () => {
  a = peer('a')
  b = peer('b')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.resetModules()
  ;({ IdleConnections } = await import('../../../src/worker/upstream/keepalive.ts'))
})
afterEach(() => vi.useRealTimers())

class Stub {
  readonly peer: Peer
  readonly local: string
  readonly protocol = 'HTTP/1'
  readonly tls = null
  readonly idle = noPlace()
  requests = 1
  readonly opened = Date.now()
  state: 'used' | 'resting' | 'destroyed' = 'used'
  timeout = 0

  constructor(of: Peer, local = '') {
    this.peer = of
    this.local = local
  }
  rest(timeout: number): void {
    this.state = 'resting'
    this.timeout = timeout
  }
  destroy(): void {
    this.state = 'destroyed'
  }
}

const settings = (changes: Partial<KeepaliveSettings> = {}): KeepaliveSettings => ({
  connections: 2,
  requests: 10,
  time: 3_600_000,
  timeout: 60_000,
  ...changes,
})
/** The time is read once a turn. */
const turnEnd = () => new Promise((done) => setImmediate(done))
const of = (stub: Stub) => stub as unknown as PeerConnection

describe('idle connections', () => {
  it('are taken again by peer, the one used last first', () => {
    const idle = new IdleConnections(settings({ connections: 10 }))
    const [a1, b1, a2] = [new Stub(a), new Stub(b), new Stub(a)]
    for (const stub of [a1, b1, a2]) idle.offer(of(stub))
    expect(a1).toMatchObject({ state: 'resting', timeout: 60_000 })
    expect(idle.take(a, '')).toBe(a2)
    expect(idle.take(a, '')).toBe(a1)
    expect(idle.take(a, '')).toBeNull()
    expect(idle.take(b, '')).toBe(b1)
  })

  it('beyond `keepalive` are closed a moment later, the longest idle first', () => {
    const idle = new IdleConnections(settings())
    const stubs = [new Stub(a), new Stub(a), new Stub(b), new Stub(a)]
    for (const stub of stubs) idle.offer(of(stub))
    expect(stubs.map(({ state }) => state)).toEqual(['resting', 'resting', 'resting', 'resting'])
    vi.advanceTimersByTime(1000)
    expect(stubs.map(({ state }) => state)).toEqual(['destroyed', 'destroyed', 'resting', 'resting'])
  })

  it('beyond `keepalive` that are taken meanwhile live on', () => {
    const idle = new IdleConnections(settings())
    const stubs = [new Stub(a), new Stub(a), new Stub(a)]
    for (const stub of stubs) idle.offer(of(stub))
    expect(idle.take(a, '')).toBe(stubs[2])
    vi.advanceTimersByTime(1000)
    expect(stubs.map(({ state }) => state)).toEqual(['resting', 'resting', 'resting'])
  })

  it('beyond `keepalive` that come into use again and again are not closed', async () => {
    const idle = new IdleConnections(settings())
    const stubs = [new Stub(a), new Stub(b), new Stub(a)]
    for (const stub of stubs) idle.offer(of(stub))
    for (let time = 0; time < 1000; time += 50) {
      vi.advanceTimersByTime(50)
      const taken = [idle.take(a, '')!, idle.take(a, '')!, idle.take(b, '')!]
      for (const connection of taken) idle.offer(connection)
      await turnEnd()
    }
    expect(stubs.map(({ state }) => state)).toEqual(['resting', 'resting', 'resting'])
    vi.advanceTimersByTime(1000)
    expect(stubs.filter(({ state }) => state === 'destroyed')).toHaveLength(1)
  })

  it('are taken from the local address that is asked for', () => {
    const idle = new IdleConnections(settings({ connections: 10 }))
    const [first, bound, last] = [new Stub(a), new Stub(a, '127.0.0.2'), new Stub(a)]
    for (const stub of [first, bound, last]) idle.offer(of(stub))
    expect(idle.take(a, '127.0.0.2')).toBe(bound)
    expect(idle.take(a, '127.0.0.2')).toBeNull()
    expect(idle.take(a, '')).toBe(last)
    expect(idle.take(a, '')).toBe(first)
  })

  it('are closed one after the other, the longest idle first, whatever was taken before', () => {
    const idle = new IdleConnections(settings({ connections: 10 }))
    const [a1, b1, a2, b2] = [new Stub(a), new Stub(b), new Stub(a), new Stub(b)]
    for (const stub of [a1, b1, a2, b2]) idle.offer(of(stub))
    idle.offer(idle.take(a, '')!)
    idle.forget(of(b1))
    const closed = [a1, b2, a2].map((stub) => idle.closeOldest() && stub.state)
    expect(closed).toEqual(['destroyed', 'destroyed', 'destroyed'])
    expect(idle.closeOldest()).toBe(false)
    expect([a, b].map((from) => idle.take(from, ''))).toEqual([null, null])
  })

  it('of a peer that is gone are closed, and no others', () => {
    const idle = new IdleConnections(settings({ connections: 10 }))
    const [a1, b1, a2] = [new Stub(a), new Stub(b), new Stub(a)]
    for (const stub of [a1, b1, a2]) idle.offer(of(stub))
    idle.closeOf(a)
    expect([a1, b1, a2].map(({ state }) => state)).toEqual(['destroyed', 'resting', 'destroyed'])
    expect(idle.take(a, '')).toBeNull()
    expect(idle.take(b, '')).toBe(b1)
  })

  it('with `keepalive 0` are closed', () => {
    const idle = new IdleConnections(settings({ connections: 0 }))
    const stub = new Stub(a)
    idle.offer(of(stub))
    expect(stub.state).toBe('destroyed')
    expect(idle.take(a, '')).toBeNull()
  })

  it('are closed after keepalive_requests', () => {
    const idle = new IdleConnections(settings())
    const stub = new Stub(a)
    stub.requests = 10
    idle.offer(of(stub))
    expect(stub.state).toBe('destroyed')
  })

  it('are closed after keepalive_time', async () => {
    const idle = new IdleConnections(settings({ time: 5000 }))
    const [young, old] = [new Stub(a), new Stub(a)]
    vi.advanceTimersByTime(4999)
    idle.offer(of(young))
    expect(young.state).toBe('resting')
    vi.advanceTimersByTime(1)
    await turnEnd()
    idle.offer(of(old))
    expect(old.state).toBe('destroyed')
  })

  it('forgotten are not taken again', () => {
    const idle = new IdleConnections(settings())
    const [first, second] = [new Stub(a), new Stub(a)]
    idle.offer(of(first))
    idle.offer(of(second))
    idle.forget(of(second))
    idle.forget(of(second))
    expect(idle.take(a, '')).toBe(first)
    expect(idle.take(a, '')).toBeNull()
  })

  it('are all closed with their configuration, and those offered later too', () => {
    const idle = new IdleConnections(settings())
    const [first, late] = [new Stub(a), new Stub(b)]
    idle.offer(of(first))
    idle.close()
    expect(first.state).toBe('destroyed')
    idle.offer(of(late))
    expect(late.state).toBe('destroyed')
    expect(idle.take(b, '')).toBeNull()
  })
})
