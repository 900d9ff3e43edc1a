import { describe, expect, it } from 'vitest'
import { RoundRobin } from '../../../../src/worker/upstream/balance/round-robin.ts'
import { makePeers, sequence, weighted, zoneMemory } from '../../../support/peers.ts'

const NOW = 1e9

describe('RoundRobin', () => {
  // The sequences of nginx's ngx_http_upstream_get_peer for these weights.
  it.each([
    [[1], 'aaaa'],
    [[1, 1], 'abab'],
    [[1, 1, 1], 'abcabc'],
    [[5, 1, 1], 'aabacaaaabacaa'],
    [[1, 1, 5], 'ccacbcc'],
    [[2, 1], 'abaabaaba'],
    [[1, 2], 'babbab'],
    [[3, 1], 'aabaaaba'],
    [[4, 2, 1], 'abacaba'],
    [[3, 2], 'ababa'],
    [[50, 10, 10], 'aabacaa'],
  ])('of weights %j goes around %s', (weights, expected) => {
    expect(sequence(new RoundRobin(weighted(...weights)), expected.length)).toBe(expected)
  })

  it('of two workers on one zone takes turns', () => {
    const memory = zoneMemory()
    const options = [{ weight: 5 }, {}, {}]
    const workers = [0, 1].map((slot) => new RoundRobin(makePeers(options, memory, slot)))
    const picks = Array.from({ length: 14 }, (_, turn) => workers[turn % 3 === 0 ? 1 : 0]!.pick(null, NOW)!)
    expect(picks.map(({ name }) => name).join('')).toBe('aabacaaaabacaa')
  })

  it('leaves out peers that were tried', () => {
    const [a, b, c] = weighted(1, 1, 1)
    const balancer = new RoundRobin([a!, b!, c!])
    expect(balancer.pick(new Set([a!]), NOW)).toBe(b)
    expect(balancer.pick(new Set([a!, b!]), NOW)).toBe(c)
    expect(balancer.pick(new Set([a!, b!, c!]), NOW)).toBeNull()
  })

  it('leaves out peers that are down, have failed too often, or have all the requests they may', () => {
    const [a, b, c, d] = makePeers([{ down: true }, { maxFails: 2, failTimeout: 1000 }, { maxConns: 1 }, {}])
    b!.state.fails = 2
    b!.state.checked = NOW
    c!.state.take(1)
    const balancer = new RoundRobin([a!, b!, c!, d!])
    expect(sequence(balancer, 4).replaceAll('d', '')).toBe('')
    c!.state.give()
    expect(sequence(balancer, 4)).toContain('c')
  })

  it('tries a peer again once after fail_timeout, and not before', () => {
    const [a, b] = makePeers([{ failTimeout: 1000 }, {}])
    a!.state.fails = 1
    a!.state.checked = NOW
    const balancer = new RoundRobin([a!, b!])
    expect(balancer.pick(null, NOW + 1000)).toBe(b)
    expect(balancer.pick(null, NOW + 1001)).toBe(a)
    expect(balancer.pick(null, NOW + 1001)).toBe(b)
    expect(balancer.pick(null, NOW + 2001)).toBe(b)
  })

  it('gives back a weight that failures took, one by one', () => {
    const [a, b] = makePeers([{ weight: 3 }, { weight: 3 }])
    a!.state.effectiveWeight = 0
    const balancer = new RoundRobin([a!, b!])
    expect(sequence(balancer, 6)).toBe('bbabab')
    expect(a!.state.effectiveWeight).toBe(3)
  })
})
