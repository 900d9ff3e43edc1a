// proxy_pass with variables on its way to a backend, and the local addresses connections come from.

import type { LookupAddress } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../../../support/engine.ts'
import { type Peer, PeerServer } from '../../../../support/peer.ts'
import { freePort } from '../../../../support/temporary.ts'
import { eventually } from '../../../../support/wait.ts'

type Found = (error: Error | null, addresses: LookupAddress[]) => void

/** Look-ups of names in .held, which nothing answers but the test. */
const held = vi.hoisted((): Found[] => [])

vi.mock('node:dns', async (original) => {
  const dns = await original<typeof import('node:dns')>()
  const lookup = (name: string, options: { all: true }, found: Found) =>
    name.endsWith('.held') ? held.push(found) : dns.lookup(name, options, found)
  return { ...dns, lookup }
})

const LOCATIONS = `
  location / { proxy_pass http://$http_x_up; access_log logs/access.log upstream; }
  location /whole { proxy_pass $http_x_up; }
  location /bind { proxy_pass http://%BACKEND%; proxy_bind $http_x_bind; }
  location /alive { proxy_pass http://%BACKEND%; proxy_socket_keepalive on; }
  location /free { proxy_pass http://%BACKEND%; }
  location /trailers { proxy_pass http://%BACKEND%; access_log logs/access.log trailers; }
`
const HTTP = `
  log_format upstream '$status $request_uri [$upstream_addr] [$upstream_status] $proxy_host';
  log_format trailers '$status [$upstream_trailer_x_sum] [$upstream_trailer_x_none]';
`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let backend: PeerServer
let engine: TestEngine
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(LOCATIONS, HTTP), { BACKEND: backend.address })
})
afterEach(async () => {
  for (const { transport } of clients) transport.break()
  clients = []
  backend.drop()
  await eventually('end of all upstream connections', () => engine.stats.upstream === 0)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

function ask(target: string, field: string): MemoryClient {
  const client = engine.connect()
  clients.push(client)
  client.transport.receive(`GET ${target} HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`)
  return client
}

const answered = ({ transport }: MemoryClient, text: string) =>
  eventually(JSON.stringify(text), () => transport.sent.includes(text))
const logged = (text: string) => eventually(text, () => engine.errorLog.includes(text))

async function serve(client: MemoryClient, peer: Peer): Promise<void> {
  await peer.head()
  await peer.send(OK)
  await answered(client, '\r\n\r\nok')
}

describe('proxy_pass with variables', () => {
  it('reaches a name, and keeps the connection for the next request to it', async () => {
    const first = ask('/1', `X-Up: localhost:${backend.port}`)
    const peer = await backend.next()
    await serve(first, peer)
    await serve(ask('/2', `X-Up: LOCALHOST:${backend.port}`), peer)
    expect(backend.poll()).toBeNull()
    await eventually('log', () => engine.accessLog.includes(`200 /2 [${backend.address}] [200] LOCALHOST:`))
  })

  it('keeps connections to addresses apart from those to names', async () => {
    const peer = await (async () => {
      const client = ask('/1', `X-Up: localhost:${backend.port}`)
      const next = await backend.next()
      await serve(client, next)
      return next
    })()
    const client = ask('/2', `X-Up: ${backend.address}`)
    const other = await backend.next()
    expect(other).not.toBe(peer)
    await serve(client, other)
  })

  it('asks once for a name that several requests name, and serves all', async () => {
    const asking = ['/a', '/b', '/c'].map((target) => ask(target, `X-Up: localhost:${backend.port}`))
    const peers = [await backend.next(), await backend.next(), await backend.next()]
    for (const peer of peers) {
      await peer.head()
      await peer.send(OK)
    }
    for (const client of asking) await answered(client, '\r\n\r\nok')
  })

  it('to a name that has no address is 502, without an attempt', async () => {
    const client = ask('/gone', 'X-Up: no..such/x')
    await answered(client, 'HTTP/1.1 502 ')
    await logged('no..such could not be resolved (')
    await eventually('log', () => engine.accessLog.includes('502 /gone [-] [-] no..such\n'))
    expect(engine.errorLog).toMatch(
      /no\.\.such could not be resolved \([23]: [^)]*\), client: [^,]*, server: test, request:/,
    )
    expect(engine.errorLog).not.toContain('upstream: "http://no..such')
  })

  it('to a name that is none is not looked up', async () => {
    const client = ask('/odd', 'X-Up: a b')
    await answered(client, 'HTTP/1.1 502 ')
    await logged('a b could not be resolved (3: Host not found)')
  })

  it('to https greets the backend by TLS', async () => {
    const client = ask('/whole', `X-Up: https://localhost:${backend.port}/`)
    const peer = await backend.next()
    await peer.send('HTTP/1.1 400 Bad Request\r\n\r\n')
    await answered(client, 'HTTP/1.1 502 ')
    await logged('SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)')
  })

  it('ends quietly when the client is gone before the name is known', async () => {
    const client = ask('/left', 'X-Up: one.held:1')
    const found = await eventually('look-up', () => held.shift())
    client.transport.break()
    await eventually('log', () => engine.accessLog.includes('499 /left [-] [-]'))
    found(null, [{ address: '127.0.0.1', family: 4 }])
    expect(engine.errorLog).not.toContain('127.0.0.1:1')
  })

  it('goes on in its own configuration when a reload comes while it asks for a name', async () => {
    const client = ask('/reload', `X-Up: two.held:${backend.port}`)
    const found = await eventually('look-up', () => held.shift())
    engine.load(serverConf('location / { return 404; }', HTTP))
    found(null, [{ address: '127.0.0.1', family: 4 }])
    await serve(client, await backend.next())
    engine.load(serverConf(LOCATIONS, HTTP))
  })
})

describe('proxy_bind', () => {
  it('says where a connection comes from, and such ones are used again by their like only', async () => {
    const first = ask('/bind', 'X-Bind: 127.0.0.2')
    const second = await backend.next()
    expect(second.socket.remoteAddress).toBe('127.0.0.2')
    await serve(first, second)

    const other = ask('/bind', 'X-Bind: 127.0.0.3')
    const third = await backend.next()
    expect(third.socket.remoteAddress).toBe('127.0.0.3')
    await serve(other, third)

    const free = ask('/free', 'X-Bind: 127.0.0.2')
    const fourth = await backend.next()
    expect(fourth.socket.remoteAddress).toBe('127.0.0.1')
    await serve(free, fourth)

    await serve(ask('/bind', 'X-Bind: 127.0.0.2'), second)
    await serve(ask('/bind', 'X-Bind: 127.0.0.3'), third)
    await serve(ask('/bind', 'X-Bind:'), fourth)
  })

  it('may say the port too', async () => {
    const port = await freePort()
    const client = ask('/bind', `X-Bind: 127.0.0.2:${port}`)
    const peer = await backend.next()
    expect(peer.socket.remotePort).toBe(port)
    await serve(client, peer)
  })

  it('to an address that is not ours is 500', async () => {
    const client = ask('/bind', 'X-Bind: 192.0.2.77')
    await answered(client, 'HTTP/1.1 500 ')
    await logged('bind(192.0.2.77) failed (99: Cannot assign requested address) while connecting to upstream')
  })
})

describe('proxy_socket_keepalive', () => {
  /** Which timer runs on our connection to the backend: `02` is that of keepalive. */
  const timer = async (): Promise<string | undefined> => {
    const hex = backend.port.toString(16).toUpperCase().padStart(4, '0')
    const table = await readFile('/proc/self/net/tcp', 'latin1')
    return new RegExp(`:[0-9A-F]{4} 0100007F:${hex} 01 \\S+ (\\d\\d):`).exec(table)?.[1]
  }

  it.each([
    ['/alive', '02'],
    ['/free', '00'],
  ])('%s', async (target, running) => {
    await serve(ask(target, 'X-A: 1'), await backend.next())
    await eventually(`timer ${running}`, async () => (await timer()) === running)
  })
})

describe('$upstream_trailer', () => {
  it('is what stood behind the chunks', async () => {
    const client = ask('/trailers', 'X-A: 1')
    const peer = await backend.next()
    await peer.head()
    await peer.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nx-sum: 8\r\n\r\n',
    )
    await answered(client, '0\r\n')
    await eventually('log', () => engine.accessLog.includes('200 [7, 8] [-]\n'))
  })
})
