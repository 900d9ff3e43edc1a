// Methods in a whole engine, and what their directives refuse that nginx 1.22 does not have.

import { afterEach, describe, expect, it } from 'vitest'
import { methods } from '../../../../src/worker/upstream/balance/methods.ts'
import { PeerGroup } from '../../../../src/worker/upstream/peers.ts'
import { allGroups } from '../../../../src/worker/upstream/upstream-block.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'

let engine: TestEngine | null = null
const backends: RawBackend[] = []

afterEach(async () => {
  await engine?.stop()
  engine = null
  await Promise.all(backends.splice(0).map((backend) => backend.stop()))
})

async function startBackends(count: number): Promise<Record<string, string>> {
  const vars: Record<string, string> = {}
  for (let number = 1; number <= count; number++) {
    const backend = await RawBackend.start()
    backends.push(backend)
    vars[`A${number}`] = backend.address
  }
  return vars
}

const conf = (upstream: string) =>
  serverConf('location / { proxy_pass http://u; }', `upstream u { ${upstream} }`)

async function send(count: number): Promise<void> {
  const requests = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count)
  const { bytes } = await rawRequest(engine!.port, requests, { until: count })
  expect(bytes.toString('latin1').match(/HTTP\/1\.1 200 /g)).toHaveLength(count)
}

const received = () => backends.map(({ requests }) => requests.length)

it('weights beyond what shared memory has room for are like the largest', async () => {
  const vars = await startBackends(2)
  engine = await TestEngine.start(conf('server %A1%; server %A2% weight=4294967296;'), vars)
  await send(4)
  expect(received()).toEqual([0, 4])
})

describe('least_time', () => {
  it.each(['header', 'last_byte', 'header inflight', 'last_byte inflight', 'Header'])(
    '%s: sends requests to the server that answers faster',
    async (args) => {
      const vars = await startBackends(2)
      engine = await TestEngine.start(conf(`least_time ${args}; server %A1%; server %A2%;`), vars)
      const parts = ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n', '\r\no', 'k']
      backends[0]!.answer = { bytes: parts, gap: 250 }
      await send(12)
      expect(received()).toEqual([1, 11])
    },
  )

  it('tells the head of a response from its end', async () => {
    const vars = await startBackends(2)
    engine = await TestEngine.start(conf('least_time header; server %A1%; server %A2%;'), vars)
    backends[0]!.answer = { bytes: ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no', 'k'], gap: 100 }
    await send(6)
    expect(received()).toEqual([3, 3])
  })

  it('has nothing in flight after a request that gets no connection', async () => {
    const text = conf('least_time header inflight; server 127.0.0.1:1; server 127.0.0.1:2;')
    engine = await TestEngine.start(text)
    const { context } = engine.load(text.replace('worker_connections 512', 'worker_connections 1'))
    const { bytes } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 500 /)
    const groups = [...allGroups(context)].filter((group) => group instanceof PeerGroup)
    const states = groups.flatMap(({ set }) => set.peers.map(({ state }) => [state.inflight, state.conns]))
    expect(states).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  it('counts failures of requests in flight and goes on', async () => {
    const vars = await startBackends(3)
    engine = await TestEngine.start(
      conf('least_time header inflight; keepalive 0; server %A1%; server %A2%; server %A3% backup;'),
      vars,
    )
    backends[0]!.answer = { bytes: '', after: 'reset' }
    await send(5)
    backends[1]!.answer = { bytes: '', after: 'reset' }
    await send(2)
    expect(received()).toEqual([1, 6, 2])
  })
})

it('random two least_time=last_byte never sends anything to the slowest of three', async () => {
  const vars = await startBackends(3)
  const servers = 'server %A1%; server %A2%; server %A3%;'
  engine = await TestEngine.start(conf(`random two least_time=last_byte; ${servers}`), vars)
  backends[0]!.answer = { bytes: ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no', 'k'], gap: 200 }
  // Until it is known, as all of them are.
  while (received()[0] === 0) await send(1)
  await send(30)
  expect(received()[0]).toBe(1)
})

it('max_conns holds with every method', async () => {
  for (const method of [
    '',
    'least_conn;',
    'hash a;',
    'hash a consistent;',
    'ip_hash;',
    'random;',
    'random two;',
  ]) {
    const vars = await startBackends(2)
    engine = await TestEngine.start(conf(`${method} server %A1% max_conns=2; server %A2% max_conns=2;`), vars)
    for (const backend of backends) backend.answer = { bytes: '' }
    const waiting = Array.from({ length: 4 }, () => engine!.connect())
    for (const { transport } of waiting) transport.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const { bytes } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(bytes.toString('latin1'), method).toMatch(/^HTTP\/1\.1 502 /)
    expect(engine.errorLog).toContain('no live upstreams while connecting to upstream')
    for (const { transport } of waiting) transport.destroy()
    await engine.stop()
    engine = null
    await Promise.all(backends.splice(0).map((backend) => backend.stop()))
  }
})

describe('refused', () => {
  it.each([
    ['least_time;', 'invalid number of arguments in "least_time" directive in'],
    ['least_time body;', 'invalid value "body" in'],
    ['least_time header now;', 'invalid parameter "now" in'],
    ['least_time header; least_time last_byte;', '"least_time" directive is duplicate in'],
    ['random two least_time;', 'invalid parameter "least_time" in'],
    ['random two least_time=body;', 'invalid parameter "least_time=body" in'],
    ['random two least_time=header inflight;', 'invalid number of arguments in "random" directive in'],
  ])('%s', async (text, message) => {
    await expect(TestEngine.start(conf(`${text} server 127.0.0.1:1;`))).rejects.toThrow(message)
  })

  it('is no server parameter with least_conn and least_time', async () => {
    const server =
      'server 127.0.0.1:1 backup slow_start=1m weight=2 max_conns=3 max_fails=4 fail_timeout=5 down;'
    for (const method of ['least_conn', 'least_time header']) {
      const cycle = await TestEngine.start(conf(`${method}; server 127.0.0.1:2; ${server}`))
      await cycle.stop()
    }
  })
})

it('every method has a name of its own', () => {
  const names = methods.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
