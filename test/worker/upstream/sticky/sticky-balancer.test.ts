// Bound requests and the balancing method: what each of them means for the other.

import { describe, expect, it } from 'vitest'
import type { Request } from '../../../../src/worker/http/request.ts'
import type { MakeBalancer } from '../../../../src/worker/upstream/balance/balancer.ts'
import { LeastConn } from '../../../../src/worker/upstream/balance/least-conn.ts'
import { LeastTime } from '../../../../src/worker/upstream/balance/least-time.ts'
import { ResponseTimes } from '../../../../src/worker/upstream/balance/response-times.ts'
import { RoundRobin } from '../../../../src/worker/upstream/balance/round-robin.ts'
import type { Peer } from '../../../../src/worker/upstream/peers.ts'
import { serverId } from '../../../../src/worker/upstream/sticky/server-id.ts'
import { stickyMethod } from '../../../../src/worker/upstream/sticky/sticky-balancer.ts'
import { makePeers, sequence } from '../../../support/peers.ts'

const NOW = 1e9
const r = {} as Request
const roundRobin: MakeBalancer = (peers) => new RoundRobin(peers)

/** `method` for `peers`, with requests bound to `id`. */
function bound(peers: readonly Peer[], id: string, method: MakeBalancer = roundRobin) {
  return stickyMethod(method, { boundTo: () => id })(peers, false)
}

const routes = (...names: string[]) => makePeers(names.map((route) => ({ route })))

describe('serverId', () => {
  it('is the route, or the MD5 of the address as logs have it', () => {
    const [peer] = makePeers([{}])
    const named = (name: string) => serverId({ ...peer!, name })
    // printf '%s' ADDRESS | md5sum
    expect(named('127.0.0.1:8080')).toBe('5958c386bf5e9109ac10d2a628645aea')
    expect(named('unix:/tmp/a.sock')).toBe('48dd0b3043ff3984e1f70d18e731f761')
    expect(serverId({ ...peer!, route: 'one' })).toBe('one')
  })
})

describe('a bound request', () => {
  it('goes to its server until that was tried, or is not available', () => {
    const [a, b] = routes('one', 'two')
    const picker = bound([a!, b!], 'two').begin(r)
    expect(picker.pick(null, NOW)).toBe(b)
    expect(picker.pick(new Set([b!]), NOW)).toBe(a)
    expect(picker.pick(new Set([a!, b!]), NOW)).toBeNull()
  })

  it.each([
    ['is down', { down: true }],
    ['has failed', {}],
    ['has all the requests it may', { maxConns: 1 }],
  ])('goes to another server where its own %s', (what, options) => {
    const [a, b] = makePeers([{ route: 'one', ...options }, { route: 'two' }])
    if (what === 'has failed') {
      a!.state.fails = 1
      a!.state.checked = NOW
    }
    a!.state.take(0)
    expect(sequence(bound([a!, b!], 'one'), 3)).toBe('bbb')
  })

  it('is the one that tries a server again after fail_timeout', () => {
    const [a, b] = makePeers([{ route: 'one', failTimeout: 1000 }, {}])
    a!.state.fails = 1
    a!.state.checked = NOW - 1001
    const balancer = bound([a!, b!], 'one')
    expect(balancer.begin(r).pick(null, NOW)).toBe(a)
    expect(balancer.begin(r).pick(null, NOW)).toBe(b)
  })

  it.each(['', 'three', 'ON'])(
    'to %j, which is no server of the upstream, goes where the method says',
    (id) => {
      expect(sequence(bound(routes('one', 'two'), id), 4)).toBe('abab')
    },
  )

  it('goes to a server that drains, to which the method sends none', () => {
    const [a, b, c] = makePeers([{ route: 'one', drain: true }, {}, {}])
    expect(sequence(bound([a!, b!, c!], 'one'), 3)).toBe('aaa')
    expect(sequence(bound([a!, b!, c!], ''), 4).replaceAll(/[bc]/g, '')).toBe('')
  })
})

describe('round robin', () => {
  // As ngx_http_upstream_get_peer counts: a bound request is a turn, one more than a round's are none.
  it.each([
    [1, 'bcabc'],
    [2, 'bcabc'],
    [9, 'bcabc'],
  ])('gives the others their turns after %i bound requests', (count, expected) => {
    const peers = routes('one', 'two', 'three')
    expect(sequence(bound(peers, 'one'), count)).toBe('a'.repeat(count))
    expect(sequence(new RoundRobin(peers), 5)).toBe(expected)
  })

  it('of weights lets a heavy server have bound requests for its other turns', () => {
    const peers = makePeers([{ weight: 3, route: 'one' }, { weight: 1 }])
    expect(sequence(bound(peers, 'one'), 1)).toBe('a')
    expect(sequence(new RoundRobin(peers), 3)).toBe('aba')
  })

  it('takes no turn from servers that are not available', () => {
    const peers = makePeers([{ route: 'one' }, { down: true }, {}])
    expect(sequence(bound(peers, 'one'), 3)).toBe('aaa')
    expect(peers.map(({ state }) => state.currentWeight)).toEqual([-2, 0, 2])
  })
})

describe('other methods', () => {
  it('least_conn keeps its turns as they are', () => {
    const peers = routes('one', 'two')
    sequence(
      bound(peers, 'one', (all) => new LeastConn(all)),
      3,
    )
    expect(peers.map(({ state }) => state.currentWeight)).toEqual([0, 0])
  })

  it('least_time inflight counts bound requests too', () => {
    const peers = routes('one', 'two')
    const method: MakeBalancer = (all) => new LeastTime(all, new ResponseTimes('header', true))
    const balancer = bound(peers, 'one', method)
    expect(balancer.timing).toBeInstanceOf(ResponseTimes)
    sequence(balancer, 2)
    expect(peers.map(({ state }) => state.inflight)).toEqual([2, 0])
  })
})
