import { describe, expect, it } from 'vitest'
import { Random } from '../../../../src/worker/upstream/balance/random.ts'
import { ResponseTimes } from '../../../../src/worker/upstream/balance/response-times.ts'
import { makePeers, sequence, weighted } from '../../../support/peers.ts'

const NOW = 1e9
const COUNT = 10_000

/** Numbers from 0 to 1 that are the same in every run, and evenly spread. */
function evenly(): () => number {
  let state = 0.5
  return () => (state = (state + 0.618033988749895) % 1)
}

/** Likewise, but without any order to them (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Part of all picks that each peer gets. */
function parts(balancer: Random, names: string): number[] {
  const picks = sequence(balancer, COUNT)
  return [...names].map((name) => (picks.split(name).length - 1) / COUNT)
}

const byConns = { load: ({ state }: { state: { conns: number } }) => state.conns }

describe('Random', () => {
  it.each([[[1, 1]], [[1, 1, 1]], [[5, 1, 1]], [[1, 2, 3, 4]], [[100, 1]]])(
    'of weights %j sends to each peer its part, within 1 %%',
    (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight)
      const names = 'abcd'.slice(0, weights.length)
      for (const random of [evenly(), seeded(7)]) {
        const found = parts(new Random(weighted(...weights), { load: null, random }), names)
        for (const [index, part] of found.entries()) {
          expect(Math.abs(part - weights[index]! / total)).toBeLessThan(0.01)
        }
      }
    },
  )

  it('uses the chance it is given by default', () => {
    expect(new Set(sequence(new Random(weighted(1, 1), { load: null }), 200)).size).toBe(2)
  })

  it('sends what would go to a peer that is out to the others by their weight', () => {
    const peers = makePeers([{ weight: 3 }, { weight: 1, down: true }, { weight: 1 }])
    const [a, b, c] = parts(new Random(peers, { load: null, random: seeded(3) }), 'abc')
    expect(b).toBe(0)
    expect(Math.abs(a! - 0.75)).toBeLessThan(0.01)
    expect(Math.abs(c! - 0.25)).toBeLessThan(0.01)
  })

  it('goes round after 20 tries in vain', () => {
    const balancer = new Random(makePeers([{ down: true }, {}, {}]), { load: null, random: () => 0 })
    expect(sequence(balancer, 4)).toBe('bcbc')
  })

  it('finds every peer once for a request', () => {
    const peers = weighted(1, 1, 1)
    const picker = new Random(peers, { load: null, random: seeded(1) }).begin()
    const tried = new Set<(typeof peers)[number]>()
    for (let count = 0; count < 3; count++) tried.add(picker.pick(tried, NOW)!)
    expect(tried.size).toBe(3)
    expect(picker.pick(tried, NOW)).toBeNull()
  })
})

describe('Random of two', () => {
  it('takes the one with fewer requests for its weight', () => {
    const peers = weighted(1, 2)
    const balancer = new Random(peers, { ...byConns, random: seeded(5) })
    for (let count = 0; count < 3; count++) peers[0]!.state.take(0)
    for (let count = 0; count < 5; count++) peers[1]!.state.take(0)
    expect(sequence(balancer, 20)).toBe('b'.repeat(20))
    for (let count = 0; count < 2; count++) peers[1]!.state.take(0)
    expect(sequence(balancer, 20)).toBe('a'.repeat(20))
  })

  it('of three idle peers sends to each its part, within 1 %', () => {
    const found = parts(new Random(weighted(1, 1, 1), { ...byConns, random: seeded(12) }), 'abc')
    for (const part of found) expect(Math.abs(part - 1 / 3)).toBeLessThan(0.01)
  })

  it('never takes the busiest of three', () => {
    const peers = weighted(1, 1, 1)
    peers[2]!.state.take(0)
    const balancer = new Random(peers, { ...byConns, random: seeded(2) })
    expect(sequence(balancer, 500)).toMatch(/^[ab]+$/)
  })

  it('takes the faster one by least_time', () => {
    const peers = weighted(1, 1)
    const times = new ResponseTimes('header', false)
    times.end(peers[0]!.state, 'ok', 300, 310, NOW)
    times.end(peers[1]!.state, 'ok', 100, 900, NOW)
    const load = (peer: (typeof peers)[number]) => times.estimate(peer, NOW)
    for (const peer of peers) peer.state.checked = NOW
    const balancer = new Random(peers, { load, timing: times, random: seeded(4) })
    expect(sequence(balancer, 20)).toBe('b'.repeat(20))
  })

  it('goes round where only one peer is left', () => {
    const balancer = new Random(makePeers([{}, { down: true }, { down: true }]), {
      ...byConns,
      random: seeded(6),
    })
    expect(sequence(balancer, 4)).toBe('aaaa')
  })
})
