import { describe, expect, it } from 'vitest'
import type { Request } from '../../../../src/worker/http/request.ts'
import { RoundRobin, smoothSchedule } from '../../../../src/worker/upstream/balance/round-robin.ts'
import { GROUP_ZONE_BYTES, type Peer } from '../../../../src/worker/upstream/peers.ts'

const r = {} as Request
const zone = () => new SharedArrayBuffer(GROUP_ZONE_BYTES)
const peers = (...weights: number[]): Peer[] =>
  weights.map((weight, index) => ({
    name: 'abcdefgh'[index]!,
    host: '127.0.0.1',
    port: 1 + index,
    path: null,
    weight,
  }))
const names = (list: readonly (Peer | null)[]) => list.map((peer) => peer?.name ?? '-').join('')

describe('smoothSchedule', () => {
  // The sequences of nginx's ngx_http_upstream_get_peer for these weights.
  it.each([
    [[1], 'a'],
    [[1, 1], 'ab'],
    [[1, 1, 1], 'abc'],
    [[5, 1, 1], 'aabacaa'],
    [[1, 1, 5], 'ccacbcc'],
    [[2, 1], 'aba'],
    [[1, 2], 'bab'],
    [[3, 1], 'aaba'],
    [[4, 2, 1], 'abacaba'],
    [[3, 2], 'ababa'],
    // A common divisor only makes it shorter.
    [[10, 10], 'ab'],
    [[50, 10, 10], 'aabacaa'],
  ])('of weights %j is %s', (weights, expected) => {
    expect(names(smoothSchedule(peers(...weights)))).toBe(expected)
  })

  it('of huge weights is bounded and keeps their proportion', () => {
    const schedule = smoothSchedule(peers(999_999_937, 500_000_003, 1))
    expect(schedule.length).toBeLessThanOrEqual(65_536 + 3)
    const count = (name: string) => schedule.filter((peer) => peer.name === name).length
    expect(count('a') / count('b')).toBeCloseTo(2, 2)
    expect(count('c')).toBe(1)
  })
})

describe('RoundRobin', () => {
  it('goes around in the smooth sequence', () => {
    const balancer = new RoundRobin(peers(2, 1), zone())
    expect(names(Array.from({ length: 9 }, () => balancer.pick(r, null)))).toBe('abaabaaba')
  })

  it('of two workers on one zone takes turns', () => {
    const shared = zone()
    const first = new RoundRobin(peers(5, 1, 1), shared)
    const second = new RoundRobin(peers(5, 1, 1), shared)
    const picks = Array.from({ length: 14 }, (_, turn) => (turn % 3 === 0 ? second : first).pick(r, null))
    expect(names(picks)).toBe('aabacaaaabacaa')
  })

  it('goes on where the counter stands, also beyond 2^31 and around 2^32', () => {
    const shared = zone()
    const counter = new Int32Array(shared)
    counter[0] = 2 ** 31 - 1
    const balancer = new RoundRobin(peers(1, 1), shared)
    expect(names([balancer.pick(r, null), balancer.pick(r, null)])).toBe('ba')
    counter[0] = -1
    expect(names([balancer.pick(r, null), balancer.pick(r, null)])).toBe('ba')
  })

  it('leaves out peers that were tried', () => {
    const [a, b, c] = peers(1, 1, 1)
    const balancer = new RoundRobin([a!, b!, c!], zone())
    expect(balancer.pick(r, new Set([a!]))).toBe(b)
    expect(balancer.pick(r, new Set([a!, b!]))).toBe(c)
    expect(balancer.pick(r, new Set([a!, b!, c!]))).toBeNull()
  })

  it('takes one turn for a retry, however many peers it passes over', () => {
    const shared = zone()
    const [a, b, c] = peers(1, 1, 1)
    const balancer = new RoundRobin([a!, b!, c!], shared)
    expect(balancer.pick(r, new Set([a!, b!]))).toBe(c)
    expect(new Int32Array(shared)[0]).toBe(1)
    expect(balancer.pick(r, new Set([a!, b!, c!]))).toBeNull()
    expect(new Int32Array(shared)[0]).toBe(2)
  })

  it('of one peer gives it once', () => {
    const [a] = peers(7)
    const balancer = new RoundRobin([a!], zone())
    expect(balancer.pick(r, null)).toBe(a)
    expect(balancer.pick(r, null)).toBe(a)
    expect(balancer.pick(r, new Set([a!]))).toBeNull()
  })

  it('finds the last light peer beside a heavy one that was tried', () => {
    const [heavy, light] = peers(1000, 1)
    const balancer = new RoundRobin([heavy!, light!], zone())
    for (let turn = 0; turn < 5; turn++) expect(balancer.pick(r, new Set([heavy!]))).toBe(light)
  })
})
