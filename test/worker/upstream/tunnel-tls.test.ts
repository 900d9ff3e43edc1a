// Upgraded connections with TLS towards the client, towards the backend, and towards both.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Authority } from '../../support/certificates.ts'
import { TestEngine } from '../../support/engine.ts'
import { Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
const MIB = 1 << 20

/** What is in front of the engine and behind it. */
const WAYS = [
  ['to the client', 'tls', 'plain'],
  ['to the backend', 'plain', 'tls'],
  ['to both', 'tls', 'tls'],
] as const

describe.each(WAYS)('TLS %s', (_what, front, behind) => {
  let authority: Authority
  let engine: TestEngine
  let plainBackend: PeerServer
  let secureBackend: Server
  const fresh: Peer[] = []
  let open: Peer[] = []

  beforeAll(async () => {
    authority = await Authority.create()
    const { cert, key, certFile, keyFile } = await authority.issue('localhost')
    plainBackend = await PeerServer.start()
    secureBackend = createServer({ cert, key, allowHalfOpen: true }, (socket) => fresh.push(new Peer(socket)))
    secureBackend.listen(0, '127.0.0.1')
    await once(secureBackend, 'listening')
    const secure = `127.0.0.1:${(secureBackend.address() as AddressInfo).port}`
    engine = await TestEngine.start(
      `error_log logs/error.log info;
      events {}
      http {
        log_format counted '$status sent=$body_bytes_sent upstream sent=$upstream_bytes_sent';
        access_log logs/access.log counted;
        server {
          listen 127.0.0.1:%PORT% ${front === 'tls' ? 'ssl' : ''};
          ${front === 'tls' ? `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};` : ''}
          location / {
            proxy_pass ${behind === 'tls' ? `https://${secure}` : `http://${plainBackend.address}`};
            proxy_read_timeout 5s;
          }
        }
      }`,
    )
  })
  afterEach(async () => {
    for (const peer of [...open, ...fresh]) peer.destroy()
    open = []
    fresh.length = 0
    plainBackend.drop()
    await eventually('end of all connections', () => engine.stats.connections === 0)
  })
  afterAll(async () => {
    await engine?.stop()
    await plainBackend?.stop()
    secureBackend?.close()
    await authority?.remove()
  })

  async function dial(): Promise<Peer> {
    if (front === 'plain') return Peer.connect(engine.port)
    const socket: TLSSocket = connect({
      ...{ port: engine.port, host: '127.0.0.1', ca: authority.cert, servername: 'localhost' },
      ...{ allowHalfOpen: true },
    })
    const peer = new Peer(socket)
    await once(socket, 'secureConnect')
    return peer
  }

  async function backend(): Promise<Peer> {
    if (behind === 'plain') return plainBackend.next()
    return eventually('a connection to the backend', () => fresh.shift() ?? null)
  }

  async function tunnel(behindHead = '', ahead = ''): Promise<{ client: Peer; peer: Peer; lines: number }> {
    const lines = engine.accessLog.split('\n').length
    const client = await dial()
    open.push(client)
    await client.send(UPGRADE + ahead)
    const peer = await backend()
    open.push(peer)
    await peer.head()
    await peer.send(SWITCH + behindHead)
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /)
    return { client, peer, lines }
  }

  it('bytes pass both ways, early ones first', async () => {
    const { client, peer } = await tunnel('early', 'ahead')
    await client.take('early')
    await peer.take('ahead')
    await client.send('from the client\0\xff')
    await peer.take('from the client\0\xff')
    await peer.send('from the backend\0\xff')
    await client.take('from the backend\0\xff')
  })

  it('megabytes pass both ways at once, each as it was', async () => {
    const { client, peer } = await tunnel()
    const upward = Buffer.from(Array.from({ length: 3 * MIB }, (_, index) => (index * 7) & 0xff))
    const downward = Buffer.from(Array.from({ length: 3 * MIB }, (_, index) => (index * 11) & 0xff))
    await Promise.all([
      client.send(upward),
      peer.send(downward),
      client.when('all of it', () => client.received.length >= downward.length),
      peer.when('all of it', () => peer.received.length >= upward.length),
    ])
    expect(client.received === downward.toString('latin1')).toBe(true)
    expect(peer.received === upward.toString('latin1')).toBe(true)
  })

  it('the end of the client passes on behind its last words, and the backend may go on', async () => {
    const { client, peer, lines } = await tunnel()
    await client.send('last words')
    client.end()
    expect(await peer.untilEnd()).toBe('last words')
    await peer.send('an answer')
    await client.take('an answer')
    peer.end()
    await client.untilEnd()
    expect((await engine.logged(lines)).at(-1)).toMatch(/^101 sent=9 /)
  })

  it('the end of the backend passes on behind its last words, and the client may go on', async () => {
    const { client, peer, lines } = await tunnel()
    await peer.send('last words')
    peer.end()
    expect(await client.untilEnd()).toBe('last words')
    await client.send('an answer')
    await peer.take('an answer')
    client.end()
    await peer.untilEnd()
    await engine.logged(lines)
  })

  it('a client that takes nothing stops the backend from being read', async () => {
    const { client, peer } = await tunnel()
    client.socket.pause()
    for (let block = 0; block < 32; block++) peer.socket.write(Buffer.alloc(MIB, 'x'))
    await eventually('standstill', async () => {
      const before = peer.socket.writableLength
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
      return before > 0 && peer.socket.writableLength === before
    })
    client.socket.resume()
    await eventually('the rest', () => peer.socket.writableLength === 0)
  })

  it('a connection that is closed without a word ends the other', async () => {
    const first = await tunnel()
    first.client.destroy(front === 'plain')
    await first.peer.untilEnd()
    first.peer.end()
    const second = await tunnel()
    second.peer.destroy(behind === 'plain')
    await second.client.untilEnd()
    second.client.end()
    await engine.logged(second.lines)
  })
})
