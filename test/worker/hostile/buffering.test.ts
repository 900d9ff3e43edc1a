// Clients and backends that play games with what is kept between them: bodies and responses broken off at every byte,
// redirects and rates without end, files planted where temporary files are to be.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

let backend: PeerServer
let engine: TestEngine
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(`
      client_body_buffer_size 8;
      client_max_body_size 0;
      location / { proxy_pass http://%BACKEND%; proxy_buffers 2 4k; proxy_buffer_size 4k; proxy_busy_buffers_size 4k; }
      location /passed/ { proxy_request_buffering off; proxy_pass http://%BACKEND%; }
      location /off/ { proxy_buffering off; proxy_pass http://%BACKEND%; }
      location /only/ { client_body_in_file_only clean; client_body_temp_path planted; proxy_pass http://%BACKEND%; }
      location /stays/ { proxy_ignore_client_abort on; limit_rate 1; proxy_pass http://%BACKEND%; }
      location /ranges/ { proxy_force_ranges on; proxy_pass http://%BACKEND%; }
      location @again { proxy_pass http://%BACKEND%; }
    `),
    { BACKEND: backend.address },
  )
})
afterEach(async () => {
  for (const { transport } of clients) transport.break()
  clients = []
  backend.drop()
  await eventually(
    'end of all connections',
    () => engine.stats.connections === 0 && engine.stats.writing === 0,
  )
  await eventually('end of all files', () => tempFiles().length === 0)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

/** Open files in the folders of temporary files. */
function tempFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(engine.folder) && !path.includes('/logs/') ? [path] : []
    } catch {
      return []
    }
  })
}

function connect(room = true): MemoryClient {
  const client = engine.connect()
  client.transport.room = room
  clients.push(client)
  return client
}

const lines = () => engine.accessLog.split('\n').length - 1
const get = (target: string, ...fields: string[]) =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`

const POSTS = {
  'a length': (target: string) =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n${'y'.repeat(20)}`,
  chunks: (target: string) =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nf\r\nand good evening\r\n0\r\nX: y\r\n\r\n`,
}

describe.each(Object.keys(POSTS) as (keyof typeof POSTS)[])('a body with %s', (framing) => {
  it.each(['/', '/passed/', '/only/'])(
    'for %s whose client leaves behind any of its bytes is logged once and leaves nothing',
    { timeout: 30_000 },
    async (target) => {
      const whole = POSTS[framing](target)
      const before = lines()
      for (let end = 1; end < whole.length; end++) {
        const { transport } = connect()
        transport.receive(whole.slice(0, end))
        if (end % 2 === 0) transport.break()
        else if (transport.reading) transport.receiveEnd()
        else transport.break()
      }
      // Of one whose first byte is all there is, too.
      const logged = await engine.logged(before + whole.length - 1)
      expect(logged).toHaveLength(before + whole.length - 1)
      expect(logged.slice(before).every((line) => /^(400|499) /.test(line))).toBe(true)
    },
  )
})

const RESPONSES = {
  'a length': `HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n${'z'.repeat(20)}`,
  chunks:
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nand\r\n0\r\nX: y\r\n\r\n',
}

describe.each(Object.keys(RESPONSES) as (keyof typeof RESPONSES)[])('a response with %s', (framing) => {
  it.each([
    ['/', true],
    ['/', false],
    ['/off/', false],
  ])(
    'of %s whose backend leaves behind any of its bytes ends (room: %s)',
    { timeout: 30_000 },
    async (target, room) => {
      const whole = RESPONSES[framing]
      const headEnd = whole.indexOf('\r\n\r\n') + 4
      for (let end = 0; end < whole.length; end++) {
        const before = lines()
        const client = connect(room)
        client.transport.receive(get(target))
        const peer = await backend.next()
        await peer.head()
        await peer.send(whole.slice(0, end))
        if (end < headEnd) peer.end()
        // What a reset finds unread is lost.
        else if (end % 2 === 0) peer.end()
        else peer.end()
        await eventually('answer', () => client.transport.sent !== '' || client.gone)
        if (!room) client.transport.drain()
        const status = end < headEnd ? 502 : 200
        expect((await engine.logged(before + 1)).at(-1)).toMatch(new RegExp(`^${status} `))
        expect(client.transport.sent.startsWith(`HTTP/1.1 ${status} `)).toBe(true)
        // What is not whole is not made to look so.
        if (status === 200) {
          expect(client.transport.sent.endsWith('0\r\n\r\n')).toBe(false)
          await eventually('end of the connection', () => client.gone)
        }
      }
    },
  )
})

describe('X-Accel-Redirect', () => {
  it.each(['/', '/%2e', '@again'])('to %s without end is given up', async (target) => {
    const { transport } = connect()
    transport.receive(get('/a'))
    let asked = 0
    await eventually('answer', async () => {
      const peer = backend.poll()
      if (peer !== null) {
        await peer.head()
        asked++
        await peer.send(`HTTP/1.1 200 OK\r\nX-Accel-Redirect: ${target}\r\nContent-Length: 100000000\r\n\r\n`)
      }
      return transport.sent !== ''
    })
    expect(transport.sent).toMatch(/^HTTP\/1\.1 500 /)
    expect(asked).toBeLessThanOrEqual(11)
    expect(engine.stats.upstream).toBe(0)
  })
})

describe('X-Accel-Limit-Rate', () => {
  it.each([
    '9007199254740993',
    '18446744073709551616',
    '1e30',
    '-1',
    '0x10',
    '99999999999999999999999999',
    '1.5',
  ])('%s does not keep the response from coming', async (rate) => {
    const { transport } = connect()
    transport.receive(get('/'))
    const peer = await backend.next()
    await peer.head()
    await peer.send(
      `HTTP/1.1 200 OK\r\nX-Accel-Limit-Rate: ${rate}\r\nContent-Length: 50000\r\n\r\n${'r'.repeat(50_000)}`,
    )
    await eventually('all of it', () => transport.sent.endsWith('r'.repeat(50_000)))
  })
})

describe('a range of a response that comes whole (proxy_force_ranges)', () => {
  const CONTENT = Array.from({ length: 150_000 }, (_, index) => `${index} `).join('')

  it.each([
    ['0-0', 0, 1],
    ['100000-299999', 100_000, 300_000],
    [`${CONTENT.length - 1}-`, CONTENT.length - 1, CONTENT.length],
    ['-70000', CONTENT.length - 70_000, CONTENT.length],
    [`0-${CONTENT.length + 5}`, 0, CONTENT.length],
  ])(
    '%s is that part for a client that waits before it reads, and frees the backend',
    async (range, start, end) => {
      const client = connect(false)
      client.transport.receive(get('/ranges/', `Range: bytes=${range}`))
      const peer = await backend.next()
      await peer.head()
      await peer.send(
        `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${CONTENT.length}\r\n\r\n${CONTENT}`,
      )
      await eventually('a free backend', () => engine.stats.upstream === 0)
      client.transport.drain()
      const content = () => client.transport.sent.slice(client.transport.sent.indexOf('\r\n\r\n') + 4)
      await eventually('all of it', () => content().length >= end - start)
      expect(client.transport.sent).toContain(`Content-Range: bytes ${start}-${end - 1}/${CONTENT.length}`)
      expect(content() === CONTENT.slice(start, end)).toBe(true)
    },
  )
})

describe('a client that leaves', () => {
  it('a response that goes on without it (proxy_ignore_client_abort) waits for no rate', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(get('/stays/'))
    const peer = await backend.next()
    await peer.head()
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n`)
    void peer.send('x'.repeat(5_000_000))
    await eventually('head', () => client.transport.sent !== '')
    client.transport.break()
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^200 GET \/stays\/ /)
    expect(engine.stats.active).toBe(0)
  })

  it('pipelined behind a body that is kept in a file has its requests forgotten', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(POSTS['a length']('/only/') + get('/second').repeat(1000))
    const peer = await backend.next()
    await peer.when('the request', () => peer.received.endsWith('y'.repeat(20)))
    client.transport.break()
    await peer.untilEnd()
    expect(await engine.logged(before + 1)).toHaveLength(before + 1)
    expect(backend.poll()).toBeNull()
  })
})

describe('files planted in a folder for temporary files', () => {
  it('are neither followed nor overwritten nor removed', async () => {
    const outside = join(engine.folder, 'outside')
    writeFileSync(outside, 'precious')
    const folder = join(engine.folder, 'planted')
    const first = connect()
    first.transport.receive(POSTS['a length']('/only/'))
    await (await backend.next()).when('the request', () => backend.received.endsWith('y'.repeat(20)))
    const used = Math.max(...readdirSync(folder).map(Number))
    const name = (number: number) => join(folder, String(number).padStart(10, '0'))
    symlinkSync(outside, name(used + 1))
    symlinkSync(join(engine.folder, 'made'), name(used + 1 + 123_456))
    mkdirSync(name(used + 1 + 2 * 123_456))
    const second = connect()
    second.transport.receive(POSTS['a length']('/only/'))
    const peer = await backend.next()
    await peer.when('the request', () => peer.received.endsWith('y'.repeat(20)))
    expect(readFileSync(outside, 'utf8')).toBe('precious')
    expect(existsSync(join(engine.folder, 'made'))).toBe(false)
    expect(tempFiles()).toContain(name(used + 1 + 3 * 123_456))
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await eventually('answer', () => second.transport.sent !== '')
    first.transport.break()
    await eventually('planted files only', () => readdirSync(folder).length === 3)
  })
})
