// `slow_start`: the weight of a peer that is back grows from nothing to all of it.

import { afterEach, describe, expect, it } from 'vitest'
import { LeastConn } from '../../../../src/worker/upstream/balance/least-conn.ts'
import { RoundRobin } from '../../../../src/worker/upstream/balance/round-robin.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { makePeers } from '../../../support/peers.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { eventually } from '../../../support/wait.ts'

const NOW = 1e9
const SLOW = 10_000

describe.each([
  ['round robin', RoundRobin],
  ['least_conn', LeastConn],
])('a slow start with %s', (_name, Method) => {
  /** Requests of `count` that go to the first of two peers, `since` milliseconds after it came back. */
  function share(since: number, count: number, weight = 1): number {
    const peers = makePeers([{ slowStart: SLOW, weight }, { weight }])
    peers[0]!.state.slowSince = NOW - since
    const balancer = new Method(peers)
    const picks = Array.from({ length: count }, () => balancer.pick(null, NOW)!.name)
    return picks.filter((name) => name === 'a').length
  }

  it.each([
    [0, 0],
    [1000, 100],
    [2500, 220],
    [5000, 367],
    [9000, 521],
    [10_000, 550],
    [1e6, 550],
  ])('gives %d ms after its beginning %d of 1100 requests to one of two peers', (since, expected) => {
    expect(share(since, 1100)).toBe(expected)
    expect(share(since, 1100, 4)).toBe(expected)
  })

  it('is over after its time', () => {
    const [peer, other] = makePeers([{ slowStart: SLOW }, {}])
    peer!.state.slowSince = NOW
    const balancer = new Method([peer!, other!])
    balancer.pick(null, NOW + SLOW - 1)
    expect(peer!.state.slowSince).toBe(NOW)
    balancer.pick(null, NOW + SLOW)
    expect(peer!.state.slowSince).toBe(0)
  })

  it('does not keep requests from a peer when there is no other', () => {
    const [peer, other] = makePeers([{ slowStart: SLOW }, { down: true }])
    peer!.state.slowSince = NOW
    expect(new Method([peer!, other!]).pick(null, NOW)).toBe(peer)
  })
})

it('least_conn during a slow start gives a peer few requests at a time', () => {
  const peers = makePeers([{ slowStart: SLOW }, {}])
  peers[0]!.state.slowSince = NOW - 1000
  const balancer = new LeastConn(peers)
  for (let count = 0; count < 110; count++) balancer.pick(null, NOW)!.state.take(0)
  expect(peers.map(({ state }) => state.conns)).toEqual([10, 100])
})

describe('slow_start in an engine', () => {
  let engine: TestEngine | null = null
  const backends: RawBackend[] = []

  afterEach(async () => {
    await engine?.stop()
    engine = null
    await Promise.all(backends.splice(0).map((backend) => backend.stop()))
  })

  const get = (port: number) => rawRequest(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')

  it('begins when a server that was out answers again', async () => {
    const [sick, well] = [await RawBackend.start(), await RawBackend.start()]
    backends.push(sick, well)
    const servers = 'server %SICK% slow_start=1d fail_timeout=1; server %WELL%;'
    engine = await TestEngine.start(
      serverConf('location / { proxy_pass http://u; }', `upstream u { ${servers} }`),
      { SICK: sick.address, WELL: well.address },
    )
    sick.answer = { bytes: '', after: 'reset' }
    await get(engine.port)
    await get(engine.port)
    expect(sick.requests).toHaveLength(1)
    sick.reset()
    // One request tries it again after fail_timeout; from then on it has no weight to speak of.
    await eventually('request at the server that was out', async () => {
      await get(engine!.port)
      return sick.requests.length === 1
    })
    for (let count = 0; count < 30; count++) await get(engine.port)
    expect(sick.requests).toHaveLength(1)
  })

  it.each(['hash $uri;', 'ip_hash;', 'random;'])('is refused with %s', async (method) => {
    const conf = serverConf('', `upstream u { ${method} server 127.0.0.1:1 slow_start=1s; }`)
    await expect(TestEngine.start(conf)).rejects.toThrow(
      'balancing method does not support parameter "slow_start=1s" in',
    )
  })

  it.each(['slow_start=', 'slow_start=x', 'slow_start'])('%s makes no sense', async (parameter) => {
    const conf = serverConf('', `upstream u { server 127.0.0.1:1 ${parameter}; }`)
    await expect(TestEngine.start(conf)).rejects.toThrow(`invalid parameter "${parameter}" in`)
  })
})
