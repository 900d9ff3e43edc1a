// Blocks exchanged with nghttp2's encoder and decoder, which node:http2 is made of: several on one connection, so that
// both tables are used.

import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  sensitiveHeaders,
} from 'node:http2'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  connect as tcpConnect,
} from 'node:net'
import { afterEach, expect, it } from 'vitest'
import {
  FrameReader,
  frameHead,
  HEADERS,
  PREFACE,
  SETTINGS_ACK,
} from '../../../../src/worker/http2/frames.ts'
import { HpackDecoder } from '../../../../src/worker/http2/hpack/decoder.ts'
import { HpackEncoder } from '../../../../src/worker/http2/hpack/encoder.ts'
import { type Decoded, decode } from './collect.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

it('fields of node:http2 requests arrive as they were sent', async () => {
  const decoder = new HpackDecoder(4096)
  const seen: Decoded[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const reader = new FrameReader({
    frameBegins: () => 0,
    frame(type, _flags, _streamId, bytes, start, end) {
      if (type === HEADERS) seen.push(decode(decoder, bytes.subarray(start, end)))
      if (seen.length === 3) resolve()
    },
    data() {},
    badPadding() {},
    tooLong() {},
  })
  const server = createTcpServer((socket: Socket) => {
    socket.on('error', () => {})
    let skip = PREFACE.length
    socket.write(frameHead(0, 4, 0, 0))
    socket.on('data', (bytes: Buffer) => {
      const start = Math.min(skip, bytes.length)
      skip -= start
      reader.read(bytes, start, bytes.length)
    })
  }).listen(0, '127.0.0.1')
  closers.push(() => server.close())
  await once(server, 'listening')
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  session.on('error', () => {})
  closers.push(() => session.destroy())
  const secret = { 'x-token': 'hush', [sensitiveHeaders]: ['x-token'] }
  for (const path of ['/a', '/b?c=d', '/\xe9']) {
    session
      .request({ ':path': encodeURI(path), 'user-agent': 'a test', ...secret, te: 'trailers' })
      .on('error', () => {})
  }
  await promise
  const fields = (path: string) => [
    `:path: ${path}`,
    'user-agent: a test',
    'x-token: hush !',
    'te: trailers',
    ':method: GET',
    `:authority: 127.0.0.1:${(server.address() as AddressInfo).port}`,
    ':scheme: http',
  ]
  for (const [index, path] of ['/a', '/b?c=d', '/%C3%A9'].entries()) {
    expect(seen[index]!.error).toBe(null)
    expect(seen[index]!.fields.toSorted()).toEqual(fields(path).toSorted())
  }
})

it('blocks of the encoder, with a table and without, are read by node:http2', async () => {
  for (const size of [0, 1000, 4096]) {
    const heads: IncomingHttpHeaders[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const server = createServer((request, response) => {
      heads.push(request.headers)
      response.end()
      if (heads.length === 3) resolve()
    }).listen(0, '127.0.0.1')
    closers.push(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const socket = tcpConnect(port, '127.0.0.1')
    socket.on('error', () => {})
    closers.push(() => socket.destroy())
    const encoder = new HpackEncoder(size)
    let bytes = PREFACE + frameHead(0, 4, 0, 0) + SETTINGS_ACK
    for (const [index, path] of ['/a', '/a', '/c?d=e'].entries()) {
      const block =
        encoder.begin() +
        encoder.field(':method', 'GET') +
        encoder.field(':path', path) +
        encoder.field(':scheme', 'http') +
        encoder.field(':authority', 'a.test') +
        encoder.field('x-long', 'value '.repeat(20).trim()) +
        encoder.field('x-byte', '\xe9') +
        encoder.field('authorization', 'Basic abc')
      bytes += frameHead(block.length, HEADERS, 5, index * 2 + 1) + block
    }
    socket.write(bytes, 'latin1')
    await promise
    for (const [index, path] of ['/a', '/a', '/c?d=e'].entries()) {
      expect(heads[index]).toMatchObject({
        ':path': path,
        'x-long': 'value '.repeat(20).trim(),
        'x-byte': '\xe9',
        authorization: 'Basic abc',
      })
    }
  }
})
