// What one response or one upload costs at most in memory, as README has it: measured is what buffers hold, not what the
// system counts, in which garbage and what other tests have left would hide it.

import { randomBytes } from 'node:crypto'
import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { Peer, PeerServer } from '../../../support/peer.ts'
import { eventually } from '../../../support/wait.ts'

const KB = 1024
const MB = 1024 * KB
const GB = 1024 * MB
/** README: a response, besides `proxy_buffers`; one that is not kept; a body, besides `client_body_buffer_size`. */
const KEPT = 576 * KB
const PASSED = 256 * KB
const UPLOAD = 384 * KB
/** A body whose rest does not come: what one read takes, and what is gathered for the next write. */
const HALF = 128 * KB
const GZIP = 512 * KB
/** What is kept for the next use of what a hundred clients had. */
const SPARE = 10 * MB
/** What the system may hold of a connection at its two ends. */
const SYSTEM = 64 * MB

let backend: PeerServer
let engine: TestEngine
const clients: Peer[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(
      `
      client_max_body_size 0;
      location / { proxy_max_temp_file_size 100m; proxy_pass http://%BACKEND%; }
      location /memory/ { proxy_max_temp_file_size 0; proxy_pass http://%BACKEND%; }
      location /much/ { proxy_buffers 64 16k; proxy_max_temp_file_size 0; proxy_pass http://%BACKEND%; }
      location /little/ { proxy_max_temp_file_size 2m; proxy_pass http://%BACKEND%; }
      location /off/ { proxy_buffering off; proxy_pass http://%BACKEND%; }
      location /gzip/ { gzip on; gzip_types *; proxy_max_temp_file_size 0; proxy_pass http://%BACKEND%; }
      location /limited/ { limit_rate 1; proxy_max_temp_file_size 0; proxy_pass http://%BACKEND%; }
      location /limited/off/ { limit_rate 1; proxy_buffering off; proxy_pass http://%BACKEND%; }
      location /paced/ { proxy_limit_rate 1000; proxy_pass http://%BACKEND%; }
      location /passed/ { proxy_request_buffering off; proxy_pass http://%BACKEND%; }
      location /large/ { client_body_buffer_size 100k; proxy_pass http://%BACKEND%; }`,
    ),
    { BACKEND: backend.address },
  )
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy(true)
  // A client whose bytes wait for its backend is not read from.
  backend.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
  await eventually('end of all files', () => files().length === 0)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

/** Bytes of each open file whose name is gone. */
function files(): number[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const link = `/proc/self/fd/${name}`
      const path = readlinkSync(link)
      return path.startsWith(engine.folder) && path.endsWith(' (deleted)') ? [statSync(link).size] : []
    } catch {
      return []
    }
  })
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of memory outside the heap that somebody holds. */
function held(): number {
  // What the first finds is counted when it has been swept.
  collect()
  collect()
  return process.memoryUsage().arrayBuffers
}

async function connect(): Promise<Peer> {
  const client = await Peer.connect(engine.port, { paused: true, keep: false })
  clients.push(client)
  return client
}

/** Nothing makes it shorter. */
const PIECE = randomBytes(MB)

/** Sends `length` bytes as they are taken; how many have been. */
function pour({ socket }: Peer, length: number): () => number {
  let left = length
  const more = (): void => {
    while (left > 0) {
      const piece = left < MB ? PIECE.subarray(0, left) : PIECE
      left -= piece.length
      if (!socket.write(piece)) return void socket.once('drain', more)
    }
  }
  more()
  return () => socket.bytesWritten - socket.writableLength
}

/** Waits until nothing has moved for some rounds of the event loop and of the disk. */
async function standstill(progress: () => number): Promise<void> {
  let last = -1
  let still = 0
  await eventually(
    'standstill',
    () => {
      const now = progress()
      still = now === last ? still + 1 : 0
      last = now
      return still > 20
    },
    60_000,
  )
}

async function ask(target: string): Promise<Peer> {
  const client = await connect()
  await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n`)
  const peer = await backend.next()
  await peer.head()
  await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${GB}\r\n\r\n`)
  return peer
}

describe('a response of 1 GiB that its client does not read', () => {
  it.each([
    ['/', 32 * KB + KEPT, 100 * MB],
    ['/memory/', 32 * KB + KEPT, 0],
    ['/much/', MB + KEPT, 0],
    ['/little/', 32 * KB + KEPT, 2 * MB],
    ['/off/', PASSED, 0],
    ['/limited/', 32 * KB + KEPT, 0],
    ['/limited/off/', PASSED, 0],
    ['/gzip/', 32 * KB + KEPT + GZIP, 0],
    ['/paced/', 32 * KB + KEPT, 0],
  ])('costs %s %d bytes of memory, and %d of a file', { timeout: 60_000 }, async (target, memory, file) => {
    const before = held()
    const peer = await ask(target)
    const sent = pour(peer, GB)
    await eventually('what the file takes', () => sent() >= file, 50_000)
    await standstill(sent)
    expect(held() - before).toBeLessThanOrEqual(memory)
    const size = files().reduce((sum, bytes) => sum + bytes, 0)
    expect(size).toBeLessThanOrEqual(file + 64 * KB)
    // What the proxy does not hold is with the backend still.
    expect(sent()).toBeLessThan(file + memory + SYSTEM)
  })
})

const head = (target: string, length: number) =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`

describe('a body of 1 GiB', () => {
  it.each([
    ['read first', '/', 64 * MB, UPLOAD, 64 * MB],
    ['read first, with a large buffer', '/large/', 64 * MB, 100 * KB + UPLOAD, 64 * MB],
    ['passed on', '/passed/', GB, PASSED, 0],
  ])(
    '%s, whose backend reads nothing, costs bounded memory',
    { timeout: 60_000 },
    async (_, target, length, memory, file) => {
      backend.paused = true
      const before = held()
      const client = await connect()
      await client.send(head(target, GB))
      const sent = pour(client, length)
      await eventually('what the file takes', () => sent() >= file, 50_000)
      await standstill(sent)
      expect(sent() === length + head(target, GB).length).toBe(file > 0)
      expect(held() - before).toBeLessThanOrEqual(memory)
      expect(files().reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(file)
      backend.paused = false
    },
  )

  it('whole, on its way to a backend that reads nothing, costs bounded memory', async () => {
    backend.paused = true
    const before = held()
    const client = await connect()
    await client.send(head('/', 64 * MB))
    pour(client, 64 * MB)
    await backend.next()
    await standstill(() => held())
    expect(held() - before).toBeLessThanOrEqual(UPLOAD)
    backend.paused = false
  })
})

describe('a hundred bodies that stay half', () => {
  it.each([
    ['with a length', 15 * KB, head('/', 16 * KB)],
    [
      'in chunks',
      15 * KB,
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${(16 * KB).toString(16)}\r\n`,
    ],
    ['in a file', 500 * KB, head('/', MB)],
  ])('%s cost bounded memory', { timeout: 60_000 }, async (_, length, start) => {
    const COUNT = 100
    const before = held()
    const sent: (() => number)[] = []
    for (let index = 0; index < COUNT; index++) {
      const client = await connect()
      await client.send(start)
      sent.push(pour(client, length))
    }
    await standstill(() => sent.reduce((sum, one) => sum + one(), held()))
    expect(held() - before).toBeLessThanOrEqual(COUNT * (length < MB / 4 ? 40 * KB : HALF) + SPARE)
    expect(files().length).toBe(length < MB / 4 ? 0 : COUNT)
  })
})

describe('two hundred requests', () => {
  const COUNT = 200
  const LARGE = `X: ${'x'.repeat(7000)}\r\n`.repeat(4)

  /** What is held for each of them, heap and all. */
  async function each(start: string, asked: boolean): Promise<number> {
    const memory = () => held() + process.memoryUsage().heapUsed
    const before = memory()
    const waiting = Array.from({ length: COUNT }, () => engine.connect())
    for (const { transport } of waiting) transport.receive(start)
    for (let index = 0; asked && index < COUNT; index++) await (await backend.next()).head()
    const bytes = (memory() - before) / COUNT
    for (const { transport } of waiting) transport.break()
    return bytes
  }

  it('that have not begun cost little', async () => {
    expect(await each('\r\n', false)).toBeLessThan(8 * KB)
  })

  it('whose heads do not end cost what their heads have', async () => {
    expect(await each(`GET / HTTP/1.1\r\nHost: a\r\n${LARGE}`, false)).toBeLessThan(33 * KB + 8 * KB)
  })

  it('that wait for their backends cost their heads twice and little more', async () => {
    expect(await each(`GET / HTTP/1.1\r\nHost: a\r\n${LARGE}\r\n`, true)).toBeLessThan(2 * 33 * KB + 32 * KB)
  })

  it('behind others on their connections cost one read', async () => {
    const one = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    expect(await each(one + one.repeat(2000), true)).toBeLessThan(64 * KB + 40 * KB)
  })
})
