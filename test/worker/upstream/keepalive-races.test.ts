// Kept connections that a backend closes at the worst moment: no request that may be sent again is lost, none that must
// not be is sent twice, and the server is not held to have failed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClosingBackend, MODES } from '../../support/closing-backend.ts'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const CLIENTS = 8
const REQUESTS = 100

let backend: ClosingBackend
let calm: PeerServer
let engine: TestEngine

beforeAll(async () => {
  backend = await ClosingBackend.start()
  calm = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(
      `location / { proxy_pass http://one; }
       location /off/ { proxy_next_upstream off; proxy_pass http://one/; }
       location /two/ { proxy_pass http://two/; }
       location /calm/ { proxy_pass http://calm; }
       location /twice/ { proxy_next_upstream error non_idempotent; proxy_pass http://one/; }`,
      `upstream one { server %BACKEND%; }
       upstream calm { server %CALM%; }
       upstream two { server %BACKEND%; server %BACKEND% backup; }`,
    ).replace(/log_format short '[^']*'/, () => "log_format short '$status [$upstream_addr] [$weir_reason]'"),
    { BACKEND: backend.address, CALM: calm.address },
  )
})
afterAll(async () => {
  await engine?.stop()
  await Promise.all([backend?.stop(), calm?.stop()])
})

const request = (method: string, target: string) =>
  `${method} ${target} HTTP/1.1\r\nHost: test\r\n${method === 'GET' ? '' : 'Content-Length: 5\r\n'}\r\n${method === 'GET' ? '' : 'hello'}`

/** The status of the answer to the next request of `client`. */
async function ask({ transport }: MemoryClient, text: string): Promise<number> {
  const before = transport.sent.length
  transport.receive(text)
  const answer = await new Promise<string>((done) => {
    const look = (): void => {
      const sent = transport.sent.slice(before)
      if (/ok$|<\/html>\r\n$/.test(sent)) done(sent)
      else setImmediate(look)
    }
    look()
  })
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)![1])
}

let ids = 0

/** How many of many requests were answered with which status, and how often the backend saw one of them at most. */
async function storm(
  method: string,
  prefix: string,
): Promise<{ statuses: Map<number, number>; most: number }> {
  const statuses = new Map<number, number>()
  const clients = Array.from({ length: CLIENTS }, () => engine.connect())
  await Promise.all(
    clients.map(async (client) => {
      for (let count = 0; count < REQUESTS; count++) {
        const status = await ask(client, request(method, `${prefix}/${++ids}`))
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }),
  )
  for (const { transport } of clients) transport.break()
  return { statuses, most: Math.max(...(await backend.seen()).values()) }
}

const ALL = new Map([[200, CLIENTS * REQUESTS]])

describe.each(MODES)('a backend that closes kept connections (%s)', (mode) => {
  it.each(['GET', 'PUT'])('%s: every request is answered', async (method) => {
    expect((await storm(method, `/${mode}`)).statuses).toEqual(ALL)
  })

  it('GET with proxy_next_upstream off: every request is answered', async () => {
    expect((await storm('GET', `/off/${mode}`)).statuses).toEqual(ALL)
  })

  it('POST with non_idempotent: every request is answered', async () => {
    expect((await storm('POST', `/twice/${mode}`)).statuses).toEqual(ALL)
  })

  it('POST: no request is seen twice, and each is answered or a 502', async () => {
    const { statuses, most } = await storm('POST', `/${mode}`)
    expect(most).toBe(1)
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 502)).toEqual([])
  })

  it('nobody is held to have failed', async () => {
    const before = engine.accessLog.length
    await storm('GET', `/two/${mode}`)
    const lines = engine.accessLog.slice(before).trim().split('\n')
    expect(new Set(lines)).toEqual(new Set([`200 [${backend.address}] [-]`]))
  })
})

/** More content than is kept: it cannot be sent again. */
const long = `PUT /calm/2 HTTP/1.1\r\nHost: test\r\nContent-Length: 20000\r\n\r\n${'hello'.repeat(4000)}`

describe('a request that goes out once only, on a connection that its backend has closed by then', () => {
  it.each([
    ['POST', request('POST', '/calm/2'), false],
    ['POST', request('POST', '/calm/2'), true],
    ['long PUT', long, false],
    ['long PUT', long, true],
  ])('$0: goes out on a fresh one (reset: $2)', async (name, text, reset) => {
    const client = engine.connect()
    const answer = ask(client, request('POST', '/calm/1'))
    const first = await calm.next()
    await first.take('hello')
    await first.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect(await answer).toBe(200)
    first.destroy(reset)
    const second = ask(client, text)
    const peer = await calm.next()
    expect(await peer.take('hello')).toContain(`${name.split(' ').at(-1)} /calm/2`)
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect(await second).toBe(200)
    client.transport.break()
    peer.destroy()
  })
})

describe('a connection that breaks while nobody uses it', () => {
  it('by a reset is dropped at once', async () => {
    const client = engine.connect()
    const answer = ask(client, request('GET', '/calm/1'))
    const peer = await calm.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect(await answer).toBe(200)
    const before = engine.stats.upstream
    expect(before).toBeGreaterThan(0)
    peer.destroy(true)
    await eventually('end of the kept connection', () => engine.stats.upstream === before - 1)
    client.transport.break()
  })
})
