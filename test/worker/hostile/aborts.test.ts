// Clients that go away while a request is at work, wherever that is: nothing of them stays, neither in the counts of
// connections nor as descriptors or connections to backends, and others are served on.

import { mkdirSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

const CLIENTS = 8
const BOMB = Buffer.concat([
  Buffer.from(
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n',
  ),
  gzipSync(Buffer.alloc(64 * 1024 * 1024)),
])

const CONF = serverConf(`
  root %FOLDER%/files;
  location = /ok { return 200 ok; }
  location /waiting { proxy_pass http://%BACKEND%; }
  location /guarded { auth_request /waiting; }
  location /checked { auth_basic r; auth_basic_user_file %FOLDER%/users; }
  location /delayed { auth_basic r; auth_basic_user_file %FOLDER%/users; auth_delay 1h; }
  location /bomb { gunzip on; brotli on; brotli_types *; proxy_pass http://%BACKEND%; }
  location /packed/ { gzip on; brotli on; zstd on; gzip_types *; brotli_types *; zstd_types *; alias %FOLDER%/files/; }
  location /list/ { autoindex on; alias %FOLDER%/many/; }
`)

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  backend.answer = (request) => (request.toString('latin1').startsWith('GET /bomb') ? BOMB : '')
  engine = await TestEngine.start(CONF, { BACKEND: backend.address })
  const folder = (name: string) => mkdirSync(join(engine.folder, name))
  folder('files')
  writeFileSync(join(engine.folder, 'files/large'), '')
  truncateSync(join(engine.folder, 'files/large'), 2 ** 40)
  folder('many')
  for (let number = 0; number < 2000; number++) writeFileSync(join(engine.folder, `many/${number}`), '')
  writeFileSync(join(engine.folder, 'users'), `ann:$2b$12$${'a'.repeat(53)}\n`)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

const head = (target: string, ...lines: string[]) =>
  `GET ${target} HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`
const password = (text: string) => `Authorization: Basic ${Buffer.from(`ann:${text}`).toString('base64')}`

/** Sockets and files that are open in this process. */
const descriptors = () =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith('socket:') || target.startsWith(engine.folder) ? [target] : []
    } catch {
      return []
    }
  }).length

function open(bytes: string): Socket {
  const client = connect(engine.port, '127.0.0.1')
  client.on('error', () => {})
  client.pause()
  client.write(bytes)
  return client
}

const ok = async () => (await rawRequest(engine.port, head('/ok', 'Connection: close'))).bytes.toString()

async function allGone(before: number): Promise<void> {
  const { stats } = engine
  await eventually('end of the connections', () => stats.active === 0 && stats.writing === 0)
  expect([stats.reading, stats.waiting]).toEqual([0, 0])
  await eventually('end of what they held', () => descriptors() <= before)
  expect(await ok()).toMatch(/ok$/)
}

describe.each<[where: string, bytes: (number: number) => string]>([
  ['while its backend is silent', () => head('/waiting')],
  ['while its subrequest waits', () => head('/guarded')],
  ['while its password is checked', (number) => head('/checked', password(`${number}`))],
  ['while its refusal is delayed', () => head('/delayed')],
  ['while much is unpacked', () => head('/bomb')],
  ['while much is unpacked and packed', () => head('/bomb', 'Accept-Encoding: br')],
  ['while a file is sent', () => head('/large')],
  ['while ranges of a file are sent', () => head('/large', 'Range: bytes=0-99999999,5-,7-8')],
  ['while a file is sent as gzip', () => head('/packed/large', 'Accept-Encoding: gzip')],
  ['while a file is sent as Brotli', () => head('/packed/large', 'Accept-Encoding: br')],
  ['while a file is sent as Zstandard', () => head('/packed/large', 'Accept-Encoding: zstd')],
  [
    'while half its body is there',
    () => `POST /waiting HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf`,
  ],
])('a client that goes away %s', (_where, bytes) => {
  it.each(['with a reset', 'with an end'])('%s, leaves nothing', { timeout: 30_000 }, async (how) => {
    expect(await ok()).toMatch(/ok$/)
    await eventually('quiet', () => engine.stats.active === 0)
    const before = descriptors()
    const clients = Array.from({ length: CLIENTS }, (_, number) => open(bytes(number)))
    await eventually('requests', () => engine.stats.writing === CLIENTS)
    for (const client of clients) {
      if (how === 'with a reset') client.resetAndDestroy()
      else client.destroy()
    }
    await allGone(before)
  })
})

it('a client that goes away while a folder is listed leaves nothing', async () => {
  expect(await ok()).toMatch(/ok$/)
  await eventually('quiet', () => engine.stats.active === 0)
  const before = descriptors()
  for (let number = 0; number < CLIENTS; number++) {
    const client = open(head('/list/'))
    client.once('connect', () => setImmediate(() => client.resetAndDestroy()))
  }
  await eventually('requests', () => engine.accessLog.match(/ \/list\//g)?.length === CLIENTS)
  await allGone(before)
})
