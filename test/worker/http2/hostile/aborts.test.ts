// Clients that give up streams, or their connection, while requests are at work, wherever that is: nothing of them
// stays, neither in the counts nor as descriptors or connections to backends, and others are served on.

import { mkdirSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { data, get, INITIAL_WINDOW_SIZE, post, rstStream, settings } from '../../../support/http2-bytes.ts'
import { eventually } from '../../../support/wait.ts'
import { nothingLeft, withHostileServer } from './setup.ts'

const STREAMS = 8
const BOMB = Buffer.concat([
  Buffer.from(
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n',
  ),
  gzipSync(Buffer.alloc(16 * 1024 * 1024)),
])

const server = withHostileServer(`
  location /guarded { auth_request /hold; }
  location /checked { auth_basic r; auth_basic_user_file %FOLDER%/users; }
  location /delayed { auth_basic r; auth_basic_user_file %FOLDER%/users; auth_delay 1h; }
  location /bomb { gunzip on; brotli on; brotli_types *; proxy_pass http://%BACKEND%; }
  location /packed/ { gzip on; brotli on; gzip_types *; brotli_types *; alias %FOLDER%/files/; }
  location /limited/ { limit_rate 1; alias %FOLDER%/files/; }
`)

beforeAll(() => {
  const { folder } = server.engine
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'files/large'), '')
  truncateSync(join(folder, 'files/large'), 2 ** 40)
  writeFileSync(join(folder, 'users'), `ann:$2b$12$${'a'.repeat(53)}\n`)
})

/** Sockets and files that are open in this process. */
const descriptors = () =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith('socket:') || target.startsWith(server.engine.folder) ? [target] : []
    } catch {
      return []
    }
  }).length

const password = ['authorization', `Basic ${Buffer.from('ann:x').toString('base64')}`] as const

describe.each<[where: string, open: (stream: number) => Buffer]>([
  ['while its backend is silent', (stream) => get(stream, '/hold')],
  ['while its subrequest waits', (stream) => get(stream, '/guarded')],
  ['while its password is checked', (stream) => get(stream, '/checked', [...password])],
  ['while its refusal is delayed', (stream) => get(stream, '/delayed')],
  ['while much is unpacked', (stream) => get(stream, '/bomb')],
  ['while much is unpacked and packed', (stream) => get(stream, '/bomb', ['accept-encoding', 'br'])],
  ['while a file is sent', (stream) => get(stream, '/files/large')],
  ['while a file is sent slowly', (stream) => get(stream, '/limited/large')],
  [
    'while ranges of a file are sent',
    (stream) => get(stream, '/files/large', ['range', 'bytes=0-99999999,5-,7-8']),
  ],
  ['while a file is sent as gzip', (stream) => get(stream, '/packed/large', ['accept-encoding', 'gzip'])],
  ['while a file is sent as Brotli', (stream) => get(stream, '/packed/large', ['accept-encoding', 'br'])],
  [
    'while half its body is there',
    (stream) => Buffer.concat([post(stream, '/proxy'), data(stream, 'half', 0)]),
  ],
  [
    'while half its body is passed on',
    (stream) => Buffer.concat([post(stream, '/stream'), data(stream, 'half', 0)]),
  ],
])('a client that goes away %s', (_where, open) => {
  it.each<'its streams' | 'the connection' | 'its side' | 'everything'>([
    'its streams',
    'the connection',
    'its side',
    'everything',
  ])('resetting or ending %s, leaves nothing', { timeout: 30_000 }, async (what) => {
    server.backend.reset((request) =>
      request.includes('/bomb') ? BOMB : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    )
    const { stats } = server.engine
    await nothingLeft(server)
    const before = descriptors()
    const client = await server.connect({ windows: 'as they are', keep: false })
    await client.pong()
    // Small windows: the responses have to wait.
    const streams = Array.from({ length: STREAMS }, (_, index) => 2 * index + 1)
    client.send(settings([INITIAL_WINDOW_SIZE, 1000]), ...streams.map(open))
    await eventually('requests', () => stats.writing === STREAMS)
    if (what === 'its streams') {
      client.send(...streams.map((stream) => rstStream(stream)))
      await eventually('end of the requests', () => stats.writing === 0)
      client.send(get(101))
      expect((await client.response(101)).status).toBe(200)
      client.destroy()
    } else if (what === 'its side') client.socket.end()
    else client.destroy(what === 'everything')
    await eventually('end of all connections', () => stats.active === 0)
    client.destroy()
    await nothingLeft(server)
    server.backend.dropConnections()
    await eventually('end of what they held', () => descriptors() <= before)
  })
})
