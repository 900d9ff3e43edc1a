// Clients that take an answer slowly or not at all: the backend has to wait, memory stays bounded, send_timeout ends it.

import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  data,
  fieldsOf,
  get,
  headers,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  ping,
  post,
  rstStream,
  settings,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import { type Peer, PeerServer } from '../../../support/peer.ts'
import { eventually } from '../../../support/wait.ts'
import { flood, nothingLeft, withHostileServer } from './setup.ts'

const peers = await PeerServer.start()
const server = withHostileServer(`
  send_timeout 1s;
  client_header_timeout 1s;
  keepalive_timeout 1s;
  client_body_timeout 1s;
  proxy_max_temp_file_size 0;
  location /peer { proxy_pass http://${peers.address}; }
  location /peer/unbuffered { proxy_pass http://${peers.address}; proxy_buffering off; proxy_request_buffering off; }
`)

beforeAll(() => mkdirSync(join(server.engine.folder, 'files')))
afterAll(() => peers.stop())

const HUGE = 256 * 1024 * 1024

/** Answers the next request with bytes without end until nobody takes them; resolves with how many were taken. */
async function pour(): Promise<{ peer: Peer; written: () => number }> {
  const peer = await peers.next()
  await peer.head()
  await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${HUGE}\r\n\r\n`)
  const part = Buffer.alloc(65_536, 'x')
  const { socket } = peer
  const go = () => {
    while (!socket.destroyed && socket.write(part));
  }
  socket.on('drain', go)
  go()
  return { peer, written: () => socket.bytesWritten }
}

/** Until `figure` does not change any more between two looks. */
async function settled(figure: () => number): Promise<number> {
  let last = -1
  let same = 0
  return eventually('rest', () => {
    const now = figure()
    same = now === last ? same + 1 : 0
    last = now
    return same > 10 && now
  })
}

const windowed = (window: number) =>
  server.connect({
    windows: 'as they are',
    settings: [[INITIAL_WINDOW_SIZE, window]],
    keep: false,
  })

it.each(['/peer', '/peer/unbuffered'])(
  '%s: a client with a window of 0 stops the backend, and is given up',
  async (path) => {
    const client = await windowed(0)
    client.send(get(1, path))
    const { peer, written } = await pour()
    // Sockets of the system hold some MiB.
    expect(await settled(written)).toBeLessThan(HUGE / 4)
    expect(await client.outcome(1)).toMatch(/^(RST_STREAM \w+|closed|GOAWAY \w+)$/)
    await peer.untilClosed()
    client.destroy()
    await nothingLeft(server)
  },
)

it.each(['/peer', '/peer/unbuffered'])(
  '%s: a client that does not read stops the backend, and is given up',
  async (path) => {
    const client = await server.connect({ keep: false })
    await client.pong()
    client.socket.pause()
    client.send(get(1, path))
    const { peer, written } = await pour()
    expect(await settled(written)).toBeLessThan(HUGE / 4)
    await peer.untilClosed()
    client.destroy()
    await nothingLeft(server)
  },
)

it('windows of one byte are used byte by byte, and other streams go on', async () => {
  writeFileSync(join(server.engine.folder, 'files/one'), '0123456789'.repeat(50))
  const client = await server.connect({
    windows: 'as they are',
    settings: [[INITIAL_WINDOW_SIZE, 1]],
  })
  client.send(get(1, '/files/one'))
  for (let count = 1; count < 500; count++) {
    await client.when('a byte', () => client.received >= count)
    client.send(windowUpdate(1, 1))
  }
  expect((await client.response(1)).body).toBe('0123456789'.repeat(50))
  client.send(headers(3, block(...fieldsOf('HEAD', '/'))))
  expect((await client.response(3)).status).toBe(200)
  client.destroy()
  await nothingLeft(server)
})

it('100 streams that wait for their windows hold little memory, and are given up', async () => {
  writeFileSync(join(server.engine.folder, 'files/huge'), '')
  truncateSync(join(server.engine.folder, 'files/huge'), HUGE)
  const client = await windowed(0)
  const before = process.memoryUsage()
  client.send(...Array.from({ length: 100 }, (_, index) => get(2 * index + 1, '/files/huge')))
  await client.head(199)
  const after = process.memoryUsage()
  expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(
    32 * 1024 * 1024,
  )
  await eventually('end', () => server.engine.stats.writing === 0)
  client.destroy()
  await nothingLeft(server)
})

it('a body that stops is given up after client_body_timeout, and others go on', async () => {
  const client = await server.connect()
  client.send(post(1, '/proxy', ['content-length', '100']), data(1, 'part', 0))
  expect(await client.outcome(1)).toMatch(/^(408|RST_STREAM \w+)$/)
  client.send(get(3))
  expect((await client.response(3)).status).toBe(200)
  client.destroy()
  await nothingLeft(server)
})

const whole = Buffer.concat([PREFACE, settings()])

const STOPS: [what: string, bytes: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['half a preface', PREFACE.subarray(0, 12)],
  ['a preface without SETTINGS', PREFACE],
  ['half a frame head', Buffer.concat([whole, get(1).subarray(0, 5)])],
  ['half a frame', Buffer.concat([whole, get(1).subarray(0, 20)])],
  ['half a header block', Buffer.concat([whole, headers(1, Buffer.alloc(1, 0x82), 0)])],
  [
    'half a header block behind a request',
    Buffer.concat([whole, get(1), headers(3, Buffer.alloc(1, 0x82), 0)]),
  ],
  ['no request', whole],
]

it('clients that send part of something and stop are given up after client_header_timeout', async () => {
  const clients = await Promise.all(
    STOPS.map(async ([what, first]) => [what, await server.connect({ first, acknowledge: false })] as const),
  )
  for (const [what, client] of clients) {
    await client.untilClosed().catch((error: Error) => expect.fail(`${what}: ${error.message}`))
  }
  await nothingLeft(server)
})

it('a header block that comes byte by byte has client_header_timeout for all of it', async () => {
  const client = await server.connect({ acknowledge: false })
  client.send(headers(1, Buffer.alloc(1, 0x82), 0))
  let open = true
  void client.untilClosed().then(() => (open = false))
  const drops = setInterval(() => client.send(Buffer.from([0])), 100)
  await eventually('end', () => !open).finally(() => clearInterval(drops))
  await nothingLeft(server)
})

it.each<[what: string, more: (stream: number) => Buffer[]]>([
  ['asks', (stream) => [get(stream, '/files/some')]],
  ['asks and pings', (stream) => [get(stream, '/files/some'), ping(), ping(), ping()]],
  ['asks for what is not there', (stream) => [get(stream, '/files/none')]],
  ['asks and resets', (stream) => [get(stream, '/files/some'), rstStream(stream)]],
])('a client that %s on and on and reads nothing is held up, and given up', async (_what, more) => {
  writeFileSync(join(server.engine.folder, 'files/some'), 'x'.repeat(20_000))
  const client = await server.connect({ keep: false })
  await client.pong()
  client.socket.pause()
  const before = process.memoryUsage()
  let most = 0
  const sent = await flood(server, client, 3000, (number) => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    most = Math.max(most, heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers)
    const first = 200 * number + 1
    return Buffer.concat(Array.from({ length: 100 }, (_, index) => more(first + 2 * index)).flat())
  })
  expect(sent).toBeLessThan(3000)
  expect(most).toBeLessThan(128 * 1024 * 1024)
  client.destroy()
  await nothingLeft(server)
})
