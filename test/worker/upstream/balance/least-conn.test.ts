import { describe, expect, it } from 'vitest'
import { LeastConn } from '../../../../src/worker/upstream/balance/least-conn.ts'
import { makePeers, sequence, weighted, zoneMemory } from '../../../support/peers.ts'

const NOW = 1e9

/** Names of what is picked one after another, each request staying where it goes. */
function filling(balancer: LeastConn, count: number): string {
  const picks = Array.from({ length: count }, () => {
    const peer = balancer.pick(null, NOW)
    peer?.state.take(0)
    return peer?.name ?? '-'
  })
  return picks.join('')
}

describe('LeastConn', () => {
  it.each([
    [[1, 1], 'abab'],
    [[5, 1, 1], 'aabacaaaabacaa'],
  ])('of idle peers of weights %j is a round robin: %s', (weights, expected) => {
    expect(sequence(new LeastConn(weighted(...weights)), expected.length)).toBe(expected)
  })

  it('takes the peer with the fewest requests, whatever its turn', () => {
    const [a, b, c] = weighted(1, 1, 1)
    a!.state.take(0)
    c!.state.take(0)
    c!.state.take(0)
    expect(sequence(new LeastConn([a!, b!, c!]), 5)).toBe('bbbbb')
  })

  it('gives back what failures took of a weight only to peers that are equal', () => {
    const [a, b] = weighted(4, 4)
    const balancer = new LeastConn([a!, b!])
    a!.state.effectiveWeight = b!.state.effectiveWeight = 1
    b!.state.take(0)
    balancer.pick(null, NOW)
    expect([a, b].map((peer) => peer!.state.effectiveWeight)).toEqual([1, 1])
    b!.state.give()
    balancer.pick(null, NOW)
    expect([a, b].map((peer) => peer!.state.effectiveWeight)).toEqual([2, 2])
  })

  it('counts requests by weight', () => {
    const peers = weighted(3, 1)
    expect([...filling(new LeastConn(peers), 40)].sort().join('')).toBe('a'.repeat(30) + 'b'.repeat(10))
    expect(peers.map(({ state }) => state.conns)).toEqual([30, 10])
  })

  it('counts the requests of all workers', () => {
    const memory = zoneMemory()
    const [mine, theirs] = [0, 1].map((slot) => makePeers([{}, {}], memory, slot))
    theirs![0]!.state.take(0)
    expect(sequence(new LeastConn(mine!), 3)).toBe('bbb')
  })

  it('leaves out peers that were tried, are down, failed, or have all the requests they may', () => {
    const [a, b, c, d, e] = makePeers([{ down: true }, {}, { maxConns: 1 }, {}, {}])
    b!.state.fails = 1
    b!.state.checked = NOW
    c!.state.take(1)
    for (let count = 0; count < 5; count++) e!.state.take(0)
    const balancer = new LeastConn([a!, b!, c!, d!, e!])
    expect(balancer.pick(new Set([d!]), NOW)).toBe(e)
    expect(balancer.pick(new Set([d!, e!]), NOW)).toBeNull()
  })
})
