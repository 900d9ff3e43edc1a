// One client connection in memory: every read and every write is the test's, so what happens in which order is exact.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { run as endTurn } from '../../../src/worker/tick.ts'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { type Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (target = '/text', lines = '') => `GET ${target} HTTP/1.1\r\nHost: test\r\n${lines}\r\n`

const SERVER = `
  client_header_timeout 300ms;
  location / { proxy_pass http://%BACKEND%; }
  location /stream { proxy_request_buffering off; client_max_body_size 0; proxy_pass http://%BACKEND%; }
  location /text { return 200 "text"; }
  location /gone { return 404; }
  location /silent { return 444; }
  location /body { client_body_timeout 100ms; return 200 "body"; }
`

let engine: TestEngine
let backend: PeerServer
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(SERVER), { BACKEND: backend.address })
})
afterEach(async () => {
  for (const { transport } of clients) transport.break()
  clients = []
  backend.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
  expect([engine.stats.reading, engine.stats.writing, engine.stats.waiting]).toEqual([0, 0, 0])
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

function connect(): MemoryClient {
  const client = engine.connect()
  clients.push(client)
  return client
}
const lines = () => engine.accessLog.split('\n').length - 1
const closed = (client: MemoryClient) => eventually('end of the connection', () => client.gone)

async function proxied(client: MemoryClient, bytes = get('/')): Promise<Peer> {
  client.transport.receive(bytes)
  const peer = await backend.next()
  await peer.head()
  return peer
}

describe('statistics', () => {
  it('follow a connection through its states', async () => {
    const { stats } = engine
    const counts = () => [stats.reading, stats.writing, stats.waiting]
    const requests = stats.requests
    const client = connect()
    expect(counts()).toEqual([0, 0, 1])
    client.transport.receive('GET / HT')
    expect(counts()).toEqual([1, 0, 0])
    const peer = await proxied(client, 'TP/1.1\r\nHost: test\r\n\r\n')
    expect(counts()).toEqual([0, 1, 0])
    expect(stats.requests).toBe(requests + 1)
    await peer.send(OK)
    await eventually('answer', () => client.transport.sent.endsWith('ok'))
    expect(counts()).toEqual([0, 0, 1])
  })
})

describe('a request head', () => {
  it('may come in single bytes', () => {
    const client = connect()
    for (const byte of get()) client.transport.receive(byte)
    expect(client.transport.sent).toMatch(/\r\n\r\ntext$/)
  })

  it('may follow empty lines, which alone are no request', () => {
    const client = connect()
    client.transport.receive('\r\n\r\n')
    expect(engine.stats.waiting).toBe(1)
    client.transport.receive(`\r\n${get()}`)
    expect(client.transport.sent).toMatch(/\r\n\r\ntext$/)
  })

  it('is refused as soon as its beginning cannot be one', async () => {
    const client = connect()
    client.transport.receive('\x16\x03\x01')
    expect(client.transport.sent).toMatch(/^HTTP\/1\.1 400 /)
    client.transport.receiveEnd()
    await closed(client)
  })

  it.each([
    ['line', 'GET /', 'x'.repeat(9000), 414],
    ['field', 'GET / HTTP/1.1\r\nHost: test\r\nX-A: ', 'x'.repeat(9000), 400],
    ['head', 'GET / HTTP/1.1\r\nHost: test\r\n', 'X-A: b\r\n'.repeat(5000), 400],
  ])('with too long a %s is refused while it still comes', (_what, start, rest, status) => {
    const client = connect()
    client.transport.receive(start)
    for (let at = 0; at < rest.length && client.transport.sent === ''; at += 1000) {
      client.transport.receive(rest.slice(at, at + 1000))
    }
    expect(client.transport.sent).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    client.transport.receiveEnd()
  })

  it('has client_header_timeout for all of it, however it trickles in', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive('GET / HTTP/1.1\r\nHost: test\r\n')
    // As long as it is read from, a byte at every chance.
    await eventually('end of the connection', () => {
      if (client.transport.reading && !client.gone) client.transport.receive('X')
      return client.gone
    })
    expect(client.transport.sent).toBe('')
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^408 /)
    expect(engine.errorLog).toContain(
      'client timed out (110: Connection timed out) while reading client request headers',
    )
  })

  it('has that time again on a kept connection', async () => {
    const client = connect()
    client.transport.receive(get())
    expect(client.transport.sent).toMatch(/text$/)
    client.transport.receive('GET ')
    await closed(client)
  })

  it('that never begins: the connection is closed, nothing logged', async () => {
    const before = lines()
    const client = connect()
    await closed(client)
    expect(client.transport.calls).toEqual(['close'])
    expect(lines()).toBe(before)
  })
})

describe('bytes ahead of their turn', () => {
  it('are kept while a request is at its backend, and no more are read', async () => {
    const client = connect()
    const peer = await proxied(client)
    expect(client.transport.reading).toBe(true)
    client.transport.receive(get())
    expect(client.transport.reading).toBe(false)
    await peer.send(OK)
    await eventually('both answers', () => /ok.*\r\n\r\ntext$/s.test(client.transport.sent))
    expect(client.transport.reading).toBe(true)
  })

  it('are kept byte for byte when they hold a body and another request', async () => {
    const client = connect()
    const peer = await proxied(client)
    client.transport.receive(
      `POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${get()}${get('/gone')}`,
    )
    await peer.send(OK)
    await peer.take('\r\n\r\nhello')
    await peer.send(OK)
    await eventually('all answers', () =>
      /ok.*ok.*\r\n\r\ntext.* 404 .*<\/html>\r\n$/s.test(client.transport.sent),
    )
  })

  it('wait until the client has taken the answer before', async () => {
    const client = connect()
    client.transport.room = false
    client.transport.receive(get() + get('/gone'))
    expect(client.transport.sent).toMatch(/text$/)
    expect(client.transport.reading).toBe(false)
    client.transport.drain()
    expect(client.transport.sent).toMatch(/<\/html>\r\n$/)
    expect(client.transport.reading).toBe(true)
  })
})

describe('the transport', () => {
  it('reads on after a body that ended while its backend had no room, and was answered then', async () => {
    backend.paused = true
    const client = connect()
    client.transport.receive('POST /stream HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n')
    const peer = await backend.next()
    backend.paused = false
    const size = 32 * 1024 * 1024
    client.transport.receive(`${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`)
    await peer.send(OK)
    await eventually('answer', () => client.transport.sent.endsWith('ok'))
    client.transport.receive(get())
    expect(client.transport.sent).toMatch(/text$/)
  })
})

describe('closing', () => {
  it('comes after the line is in the log file', async () => {
    const client = connect()
    const before = lines()
    let then = -1
    client.transport.closing = () => {
      then = lines()
    }
    client.transport.receive(get('/text', 'Connection: close\r\n'))
    expect(lines()).toBe(before)
    await closed(client)
    expect(then).toBe(before + 1)
    expect(client.transport.calls).toEqual(['close'])
  })

  it('after 444 sends nothing', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(get('/silent'))
    await closed(client)
    expect(client.transport.sent).toBe('')
    expect((await engine.logged(before + 1)).at(-1)).toBe('444 GET /silent 0')
  })

  it('waits for what the client has not taken yet', async () => {
    const client = connect()
    client.transport.room = false
    client.transport.receive(get('/text', 'Connection: close\r\n'))
    await eventually('close', () => client.transport.calls.includes('close'))
    expect(client.gone).toBe(false)
    client.transport.drain()
    await closed(client)
  })

  it('with bytes still coming ends our side first and throws them away', async () => {
    const client = connect()
    client.transport.receive(`${get('/gone', 'Connection: close\r\n')}hel`)
    await eventually('end of our side', () => client.transport.calls.includes('end'))
    expect(client.transport.calls).toEqual(['end'])
    client.transport.receive('loworld and more')
    expect(client.gone).toBe(false)
    client.transport.receiveEnd()
    await closed(client)
    expect(client.transport.calls).toEqual(['end', 'close'])
    expect(client.transport.sent.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  it('waits for the rest of a body that nobody wanted', async () => {
    const client = connect()
    client.transport.receive(
      `POST /gone HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhel`,
    )
    expect(client.transport.sent).toContain('Connection: close')
    endTurn()
    expect(client.transport.calls).toEqual([])
    client.transport.receive('loworld')
    await closed(client)
    expect(client.transport.calls).toEqual(['close'])
  })

  it('by the client in the middle of a head is logged as 400', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive('GET / HTTP/1.1\r\nHo')
    client.transport.receiveEnd()
    await closed(client)
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^400 /)
    expect(client.transport.sent).toBe('')
  })

  it('by the client between requests is not logged', async () => {
    const client = connect()
    client.transport.receive(get())
    const logged = (await engine.logged(lines())).length
    client.transport.receiveEnd()
    await closed(client)
    expect(lines()).toBeLessThanOrEqual(logged + 1)
  })

  it('by a reset while the answer is being made here is told once', async () => {
    const client = connect()
    client.transport.receive(get())
    client.transport.break()
    await closed(client)
    client.transport.break()
    expect(engine.stats.active).toBe(0)
  })
})
