// What a slow client leaves of a response: where it is kept, when the backend is free, and that all of it arrives.

import { readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../../support/engine.ts'
import { type Peer, PeerServer } from '../../../support/peer.ts'
import { eventually } from '../../../support/wait.ts'

const KB = 1024

let backend: PeerServer
let engine: TestEngine
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(
      `
      location / { proxy_pass http://one; }
      location /memory/ { proxy_pass http://one; proxy_max_temp_file_size 0; proxy_buffers 16 16k; }
      location /little/ { proxy_pass http://one; proxy_max_temp_file_size 8k; }
      location /off/ { proxy_pass http://one; proxy_buffering off; }
      location /streams/ { proxy_pass http://one; proxy_unbuffered_types off; }
      location /own/ { proxy_pass http://one; proxy_unbuffered_types text/own; }
      location /ignoring/ { proxy_pass http://one; proxy_ignore_headers X-Accel-Buffering; }
      location /levels/ { proxy_pass http://one; proxy_temp_path levels 2 1; }
      location /broken/ { proxy_pass http://one; proxy_temp_path broken; }
      location /gzip/ { proxy_pass http://one; gzip on; gzip_types *; }
      location /limited/ { proxy_pass http://one; limit_rate 500k; }
      location /paced/ { proxy_pass http://one; proxy_limit_rate 30000; }
    `,
      'upstream one { server %BACKEND%; keepalive 8; }',
    ),
    { BACKEND: backend.address },
  )
})
afterEach(async () => {
  for (const { transport } of clients) transport.break()
  await eventually('end of all clients', () => clients.every(({ gone }) => gone))
  clients = []
  backend.drop()
  await eventually('end of all upstream connections', () => engine.stats.upstream === 0)
  await eventually('end of all files', () => tempFiles() === 0)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

/** Open files whose names are gone. */
function tempFiles(): number {
  let count = 0
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const path = readlinkSync(`/proc/self/fd/${name}`)
      if (path.startsWith(engine.folder) && path.endsWith(' (deleted)')) count++
    } catch {
      // It was the folder's own.
    }
  }
  return count
}

const isSent = ({ socket }: Peer): boolean => socket.writableLength === 0

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of buffers that somebody holds. */
function liveMemory(): number {
  collect()
  return process.memoryUsage().arrayBuffers
}

/** Every byte says where it is. */
function text(length: number): string {
  let content = ''
  for (let at = 0; content.length < length; at++) content += `${at} `
  return content.slice(0, length)
}

const connect = (): MemoryClient => {
  const client = engine.connect()
  clients.push(client)
  return client
}

/** A client without room asks for `target`, and its backend has the request. */
async function ask(target: string, room = false): Promise<[MemoryClient, Peer]> {
  const client = connect()
  client.transport.room = room
  client.transport.receive(`GET ${target} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n`)
  const peer = await backend.next()
  await peer.head()
  return [client, peer]
}

const head = (length: number, ...lines: string[]) =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: ${length}\r\n\r\n`

/** Whether another request goes out on the connection of `peer`; if not, nothing is left of it. */
async function isFree(peer: Peer): Promise<boolean> {
  const other = connect()
  other.transport.receive('GET /other HTTP/1.1\r\nHost: a\r\n\r\n')
  const another = await eventually('the other request', () =>
    peer.received.includes('GET /other') ? peer : backend.poll(),
  )
  if (another === peer) return true
  await another.head()
  await another.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  another.end()
  await another.untilClosed()
  return false
}

/** Lets the client read everything, and waits for the end of the content. */
async function readAll({ transport }: MemoryClient, length: number): Promise<string> {
  transport.drain()
  const content = () => transport.sent.slice(transport.sent.indexOf('\r\n\r\n') + 4)
  await eventually(`${length} bytes, not ${content().length}`, () => content().length >= length)
  return content()
}

const warnings = () => engine.errorLog.match(/\[warn\].* buffered to a temporary file .*/g) ?? []

describe('a response for a client that takes nothing', () => {
  it.each([
    ['/', 20 * KB, false],
    ['/', 32 * KB + 1, false],
    ['/', 3000 * KB, true],
    ['/memory/', 200 * KB, false],
    ['/levels/', 1000 * KB, true],
  ])('from %s, %d bytes long, frees its backend and comes whole', async (target, length, file) => {
    const before = warnings().length
    const [client, peer] = await ask(target)
    const content = text(length)
    await peer.send(head(length) + content.slice(0, 100))
    await peer.send(content.slice(100))
    // All of it is there when the backend's connection is.
    await eventually('a free backend', () => isFree(peer))
    expect(client.transport.sent.length).toBeLessThan(70 * KB)
    if (file) {
      expect(tempFiles()).toBe(1)
      expect(warnings()).toHaveLength(before + 1)
    }
    expect(await readAll(client, length)).toBe(content)
    await eventually('end of the file', () => tempFiles() === 0)
  })

  it.each([
    ['/memory/', []],
    ['/little/', []],
    ['/off/', []],
    ['/', ['X-Accel-Buffering: no']],
    ['/', ['X-Accel-Buffering: No']],
    ['/', ['Content-Type: text/event-stream']],
    ['/', ['Content-Type: Text/Event-Stream; charset=utf-8']],
    ['/', ['Content-Type: application/grpc+proto']],
    ['/own/', ['Content-Type: text/own']],
  ])('from %s with %j waits in the backend where there is no room for it', async (target, lines) => {
    const [client, peer] = await ask(target)
    const length = 30_000 * KB
    const content = text(length)
    const sent = peer.send(head(length, ...lines) + content)
    await eventually('pause', () => {
      const { writableLength } = peer.socket
      return writableLength > 0 && client.transport.sent.length > 0 && writableLength
    })
    expect(await isFree(peer)).toBe(false)
    expect(peer.socket.writableLength).toBeGreaterThan(0)
    expect(await readAll(client, length)).toBe(content)
    await sent
  })

  it.each([
    ['/off/', ['X-Accel-Buffering: yes']],
    ['/streams/', ['Content-Type: text/event-stream']],
    ['/own/', ['Content-Type: text/event-stream']],
    ['/', ['Content-Type: text/event-stream', 'X-Accel-Buffering: yes']],
    ['/ignoring/', ['X-Accel-Buffering: no']],
    ['/', ['X-Accel-Buffering: maybe']],
  ])('from %s with %j is kept', async (target, lines) => {
    const [client, peer] = await ask(target)
    const content = text(1000 * KB)
    await peer.send(head(content.length, ...lines) + content)
    await eventually('a free backend', () => isFree(peer))
    expect(await readAll(client, content.length)).toBe(content)
  })

  it('takes no more memory than README says', async () => {
    const count = 24
    const content = Buffer.alloc(6000 * KB, 'x')
    const before = liveMemory()
    const peers: Peer[] = []
    for (let index = 0; index < count; index++) {
      const [, peer] = await ask('/')
      peers.push(peer)
      void peer.send(head(content.length))
      void peer.send(content)
    }
    await eventually('all of it', () => tempFiles() === count && peers.every(isSent))
    expect(liveMemory() - before).toBeLessThan(count * (32 + 512) * KB)
  })

  it('comes whole in whatever pieces it is sent and taken', async () => {
    const content = text(600 * KB)
    const [client, peer] = await ask('/')
    await peer.send(head(content.length))
    let state = 7
    const random = (most: number) => (state = Math.imul(state, 48271) >>> 1) % most
    for (let at = 0; at < content.length; ) {
      const size = 1 + random(random(2) === 0 ? 90_000 : 300)
      await peer.send(content.slice(at, at + size))
      at += size
      if (random(3) === 0) {
        client.transport.drain()
        client.transport.room = random(2) === 0
      }
    }
    expect(await readAll(client, content.length)).toBe(content)
  })

  it.each(['/', '/gzip/', '/limited/'])('from %s in chunks comes whole', async (target) => {
    const content = text(300 * KB)
    const [client, peer] = await ask(target)
    const chunk = `${content.length.toString(16)}\r\n${content}\r\n`
    await peer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`)
    await eventually('a free backend', () => isFree(peer))
    client.transport.drain()
    await eventually('end', () => client.transport.sent.endsWith('\r\n0\r\n\r\n'))
    const bytes = Buffer.from(unchunked(client.transport.sent), 'latin1')
    expect((target === '/gzip/' ? gunzipSync(bytes) : bytes).toString('latin1')).toBe(content)
  })
})

/** The content of a response in chunks. */
function unchunked(sent: string): string {
  let content = ''
  for (let at = sent.indexOf('\r\n\r\n') + 4; ; ) {
    const line = sent.indexOf('\r\n', at)
    const size = Number.parseInt(sent.slice(at, line), 16)
    if (!(size > 0)) return content
    content += sent.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

describe('a failure', () => {
  it('of the backend lets the client have what is there, and then no end', async () => {
    const before = (await engine.logged(0)).length
    const [client, peer] = await ask('/')
    const content = text(500 * KB)
    await peer.send(head(content.length + 1) + content)
    peer.end()
    await eventually('line', () =>
      engine.errorLog.includes('upstream prematurely closed connection while reading upstream'),
    )
    expect(await readAll(client, content.length)).toBe(content)
    expect((await engine.logged(before + 1)).at(-1)).toBe(`200 GET / ${content.length}`)
    await eventually('end of the connection', () => client.gone)
  })

  it('of the folder ends the response, with a line of nginx', async () => {
    const folder = join(engine.folder, 'broken')
    rmSync(folder, { recursive: true })
    writeFileSync(folder, '')
    const [client, peer] = await ask('/broken/')
    const content = text(500 * KB)
    void peer.send(head(content.length) + content)
    await eventually('line', () =>
      /\[crit\] .*open\(\) ".*broken\/\d{10}" failed \(20: Not a directory\) while reading upstream, client/.test(
        engine.errorLog,
      ),
    )
    client.transport.drain()
    await eventually('end of the connection', () => client.gone)
    expect(client.transport.sent.length).toBeLessThan(content.length)
  })

  it('of the client while the backend is at work frees everything', async () => {
    const [client, peer] = await ask('/')
    await peer.send(head(5000 * KB) + text(1000 * KB))
    await eventually('a file', () => tempFiles() === 1)
    client.transport.break()
    await peer.untilEnd()
    await eventually('end of the file', () => tempFiles() === 0)
  })

  it('of the client behind the backend frees everything', async () => {
    const before = engine.accessLog.split('\n').length - 1
    const [client, peer] = await ask('/')
    const content = text(1000 * KB)
    await peer.send(head(content.length) + content)
    await eventually('a free backend', () => isFree(peer))
    client.transport.receiveEnd()
    await eventually('end of the file', () => tempFiles() === 0)
    const lines = await engine.logged(before + 1)
    expect(lines.some((line) => /^200 GET \/ \d+$/.test(line))).toBe(true)
    expect(engine.errorLog).toContain('client prematurely closed connection while sending to client')
  })
})

describe('proxy_limit_rate', () => {
  it('reads no faster', async () => {
    const started = Date.now()
    const [client, peer] = await ask('/paced/', true)
    const content = text(200_000)
    await peer.send(head(content.length))
    // One read may take 64 KiB at once.
    void peer.send(content)
    await eventually('content', () => {
      const seconds = Math.floor(Date.now() / 1000) - Math.floor(started / 1000) + 1
      expect(client.transport.sent.length).toBeLessThanOrEqual(30_000 * seconds + 70 * KB)
      return client.transport.sent.length >= content.length
    })
  })
})
