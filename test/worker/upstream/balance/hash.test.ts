// Against nginx itself, hash is compared in test/parity/balancing-hash.test.ts.

import { describe, expect, it } from 'vitest'
import type { ComplexValue } from '../../../../src/worker/http/complex-value.ts'
import type { Request } from '../../../../src/worker/http/request.ts'
import { Circle, ConsistentHash } from '../../../../src/worker/upstream/balance/consistent-hash.ts'
import { Hash } from '../../../../src/worker/upstream/balance/hash.ts'
import { makePeers, sequence, weighted } from '../../../support/peers.ts'

const NOW = 1e9
const KEYS = Array.from({ length: 2000 }, (_, index) => `key-${index}`)

/** The key is the request's URI. */
const uri: ComplexValue = { constant: null, evaluate: (r) => r.uri }
const asking = (key: string) => ({ uri: key }) as Request

function shares(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((name) => [name, names.filter((own) => own === name).length]),
  )
}

describe.each([
  ['Hash', Hash],
  ['ConsistentHash', ConsistentHash],
])('%s', (_name, Method) => {
  it('sends a key to the same peer every time', () => {
    const balancer = new Method(weighted(1, 1, 1), uri)
    for (const key of KEYS.slice(0, 20)) expect(sequence(balancer, 3, asking(key))).toMatch(/^(.)\1\1$/)
  })

  it('spreads keys by weight', () => {
    const balancer = new Method(weighted(1, 1, 2), uri)
    const { a, b, c } = shares(KEYS.map((key) => sequence(balancer, 1, asking(key))))
    for (const share of [a!, b!, c! / 2]) expect(Math.abs(share / KEYS.length - 0.25)).toBeLessThan(0.05)
  })

  it('goes round without a key', () => {
    expect(sequence(new Method(weighted(2, 1), uri), 6, asking(''))).toBe('abaaba')
  })

  it('finds every peer once for a request', () => {
    const peers = weighted(1, 1, 1)
    const picker = new Method(peers, uri).begin(asking('k'))
    const tried = new Set<(typeof peers)[number]>()
    for (let count = 0; count < 3; count++) tried.add(picker.pick(tried, NOW)!)
    expect(tried.size).toBe(3)
    expect(picker.pick(tried, NOW)).toBeNull()
  })

  it('leaves out peers that failed, or have all the requests they may', () => {
    const peers = makePeers([{}, { maxConns: 1 }, {}])
    peers[0]!.state.fails = 1
    peers[0]!.state.checked = NOW
    peers[1]!.state.take(1)
    const balancer = new Method(peers, uri)
    for (const key of KEYS.slice(0, 30)) expect(sequence(balancer, 1, asking(key))).toBe('c')
  })
})

describe('ConsistentHash', () => {
  it('moves only the keys of a server that goes', () => {
    const [a, b, c, d] = weighted(1, 1, 1, 1)
    const all = new ConsistentHash([a!, b!, c!, d!], uri)
    const less = new ConsistentHash([a!, b!, d!], uri)
    for (const key of KEYS) {
      const before = sequence(all, 1, asking(key))
      if (before !== 'c') expect(sequence(less, 1, asking(key))).toBe(before)
    }
  })

  it('has a bounded number of points whatever the weights', () => {
    const balancer = new ConsistentHash(weighted(1e9, 1e9, 2e9), uri)
    expect(balancer.circle.size).toBeLessThanOrEqual(2 ** 21)
    const { a, b, c } = shares(KEYS.map((key) => sequence(balancer, 1, asking(key))))
    for (const share of [a!, b!, c! / 2]) expect(Math.abs(share / KEYS.length - 0.25)).toBeLessThan(0.05)
  })

  it('takes turns among the addresses of one name', () => {
    const peers = weighted(1, 1, 1).map((peer, index) => (index < 2 ? { ...peer, server: 'both' } : peer))
    const balancer = new ConsistentHash(peers, uri)
    const key = KEYS.find((candidate) => sequence(balancer, 1, asking(candidate)) !== 'c')!
    expect(sequence(balancer, 4, asking(key))).toMatch(/^(abab|baba)$/)
  })
})

describe('the circle', () => {
  const circle = new Circle([
    { index: 0, server: '127.0.0.1:8081', count: 160 },
    { index: 1, server: '127.0.0.1:8082', count: 160 },
  ])

  it('goes on at its beginning behind the last point', () => {
    const end = circle.find(0xffffffff)
    expect(circle.server(end)).toBe(circle.server(0))
    expect(circle.find(0)).toBe(0)
  })

  it('has a point of equal servers once', () => {
    const twice = { index: 0, server: 'a', count: 160 }
    expect(new Circle([twice, twice]).find(0xffffffff)).toBe(new Circle([twice]).find(0xffffffff))
  })
})
