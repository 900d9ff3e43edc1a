// Compressed and unpacked responses whose two ends are not equally fast, or are not there any more.

import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { Peer, PeerServer } from '../../../../support/peer.ts'
import { eventually } from '../../../../support/wait.ts'

const CONF = `
  location / { gzip on; proxy_pass http://%BACKEND%; }
  location /gunzip { gunzip on; proxy_pass http://%BACKEND%; }
  location /again { gunzip on; brotli on; proxy_pass http://%BACKEND%; }
  location /next { return 200 next; }
`
const HTML = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n'
const LIMIT = 2_097_152

let engine: TestEngine
let backend: PeerServer
const peers: Peer[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(CONF), { BACKEND: backend.address })
})
afterEach(() => {
  for (const peer of peers.splice(0)) peer.destroy()
  backend.drop()
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

async function connect(options: { paused?: boolean } = {}): Promise<Peer> {
  const peer = await Peer.connect(engine.port, options)
  peers.push(peer)
  return peer
}

/** A client whose request is with the backend. */
async function ask(
  target: string,
  codings: string,
  options: { paused?: boolean } = {},
): Promise<[Peer, Peer]> {
  const client = await connect(options)
  await client.send(`GET ${target} HTTP/1.1\r\nHost: test\r\nAccept-Encoding: ${codings}\r\n\r\n`)
  const peer = await backend.next()
  await peer.head()
  return [client, peer]
}

/** Content of a response in chunks that has come whole. */
function content(received: string): Buffer {
  const parts: string[] = []
  for (let at = received.indexOf('\r\n\r\n') + 4; ; ) {
    const line = received.indexOf('\r\n', at)
    const size = Number.parseInt(received.slice(at, line), 16)
    if (!(size > 0)) return Buffer.from(parts.join(''), 'latin1')
    parts.push(received.slice(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}

/** Text that gzip makes little of. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let at = 0; at < length; at++)
    bytes[at] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24
  return bytes
}

describe('a slow client', () => {
  it('gets everything, in order', async () => {
    const [client, peer] = await ask('/', 'gzip', { paused: true })
    const bytes = noise(5 * LIMIT)
    await peer.send(`${HTML}Content-Length: ${bytes.length}\r\n\r\n`)
    const sent = peer.send(bytes)
    client.socket.resume()
    await sent
    await eventually('the end', () => client.received.endsWith('\r\n0\r\n\r\n'))
    expect(gunzipSync(content(client.received)).equals(bytes)).toBe(true)
  })
  it('does not have all of a small gzip file unpacked for it', async () => {
    const before = process.memoryUsage.rss()
    const packed = gzipSync(Buffer.alloc(64 * LIMIT))
    const [client, peer] = await ask('/gunzip', 'identity', { paused: true })
    await peer.send(`${HTML}Content-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`)
    await peer.send(packed)
    const { socket } = client
    let count = 0
    socket.removeAllListeners('data')
    socket.on('data', (bytes: Buffer) => (count += bytes.length))
    socket.resume()
    await eventually('all of it', () => count > 64 * LIMIT)
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * LIMIT)
  })
})

describe('an end that goes away', () => {
  it.each([
    ['/', 'gzip'],
    ['/again', 'br'],
  ])('%s: the client: the backend is let go', async (target, coding) => {
    const [client, peer] = await ask(target, coding)
    await peer.send(`${HTML}Content-Length: ${LIMIT}\r\n\r\n${'x'.repeat(200_000)}`)
    await client.take(`Content-Encoding: ${coding}`)
    client.destroy(true)
    await peer.untilEnd()
    await eventually(
      'the log',
      () =>
        engine.accessLog.includes(`499 GET ${target} `) || engine.accessLog.includes(`200 GET ${target} `),
    )
  })
  it('the backend: the client sees that the content is not complete', async () => {
    const [client, peer] = await ask('/', 'gzip')
    await peer.send(`${HTML}Content-Length: ${LIMIT}\r\n\r\n${'x'.repeat(200_000)}`)
    await client.take('Content-Encoding: gzip')
    peer.destroy()
    const rest = await client.untilEnd()
    expect(rest.endsWith('\r\n0\r\n\r\n')).toBe(false)
    await eventually('the error', () => engine.errorLog.includes('upstream prematurely closed connection'))
  })
})

describe('gunzip', () => {
  const text = 'a text with some words, some words. '.repeat(20)
  it('in front of another coding: unpacked and compressed again', async () => {
    const [client, peer] = await ask('/again', 'br')
    const packed = gzipSync(text.repeat(5000))
    await peer.send(`${HTML}Content-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`)
    await peer.send(packed)
    await client.when('the end', () => client.received.endsWith('\r\n0\r\n\r\n'))
    expect(client.received.match(/Content-Encoding: .*/g)).toEqual(['Content-Encoding: br'])
    expect(brotliDecompressSync(content(client.received)).toString()).toBe(text.repeat(5000))
  })
  it('gives what a piece unpacks to before the next one comes', async () => {
    const [client, peer] = await ask('/gunzip', 'identity')
    const first = gzipSync('the first')
    await peer.send(`${HTML}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`)
    await peer.send(`${first.length.toString(16)}\r\n${first.toString('latin1')}\r\n`)
    await client.take('the first')
    const second = gzipSync('the second')
    await peer.send(`${second.length.toString(16)}\r\n${second.toString('latin1')}\r\n0\r\n\r\n`)
    await client.take('the second')
    await client.take('0\r\n\r\n')
    await client.send('GET /next HTTP/1.1\r\nHost: test\r\n\r\n')
    await client.take('\r\n\r\nnext')
  })
  it.each([
    ['no gzip', Buffer.from('nothing that gzip has made'), 'inflate() failed: 0, -3'],
    ['nothing', Buffer.alloc(0), 'inflate() returned -5 on response end'],
    ['something behind it', Buffer.concat([gzipSync(text), Buffer.from('more')]), 'inflate() failed: 0, -3'],
  ])('%s: the response breaks off', async (_, bytes, message) => {
    const before = engine.errorLog.length
    const [client, peer] = await ask('/gunzip', 'identity')
    await peer.send(`${HTML}Content-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`)
    await peer.send(bytes)
    const received = await client.untilEnd()
    expect(received.endsWith('0\r\n\r\n')).toBe(false)
    await eventually('the error', () =>
      engine.errorLog.slice(before).includes(`${message} while sending to client`),
    )
  })
  it('a 304 with a coding has no content to unpack', async () => {
    const [client, peer] = await ask('/gunzip', 'identity')
    await peer.send('HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nETag: "a"\r\n\r\n')
    expect(await client.head()).toContain('304 Not Modified')
    await client.send('GET /next HTTP/1.1\r\nHost: test\r\n\r\n')
    await client.take('\r\n\r\nnext')
  })
})
