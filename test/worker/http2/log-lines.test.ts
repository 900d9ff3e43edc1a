// What the error log says of clients that break the rules of HTTP/2: nginx's words, and who it was.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import {
  continuation,
  data,
  END_STREAM,
  frame,
  get,
  goaway,
  headers,
  PADDED,
  PREFACE,
  ping,
  post,
  priority,
  rstStream,
  settings,
  windowUpdate,
} from '../../support/http2-bytes.ts'
import type { Field } from '../../support/http2-hpack.ts'
import { Http2Raw } from '../../support/http2-raw.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { eventually } from '../../support/wait.ts'

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  const body = `http2 on; http2_max_concurrent_streams 2; large_client_header_buffers 2 1k;
    location / { return 200 ok; }
    keepalive_requests 100000;
    location /guarded { auth_request /proxy; proxy_pass http://%BACKEND%; }
    location /proxy { proxy_pass http://%BACKEND%; }`
  engine = await TestEngine.start(serverConf(body), { BACKEND: backend.address })
  backend.reset({ bytes: [], when: 'head' })
})
afterAll(async () => {
  await engine.stop()
  await backend.stop()
})

/** Sends the frames; the line that the log has for them. */
async function lineFor(send: Buffer[], outcome: string): Promise<string> {
  const before = engine.errorLog.length
  const client = await Http2Raw.connect(engine.port)
  client.send(...send)
  if (outcome === 'GOAWAY') await client.goaway()
  else await client.frame('RST_STREAM')
  const lines = await eventually('log line', () => {
    const all = engine.errorLog
      .slice(before)
      .split('\n')
      .filter((line) => line.includes(' client ') || line.includes('concurrent'))
    return all.length > 0 && all
  })
  client.destroy()
  return lines[0]!
}

/** `:method: GET`, and nothing else yet. */
const GET = Buffer.from([0x82])
const random = (length: number): string => 'x'.repeat(length)
const many = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array<Buffer>(count).fill(bytes))

describe('the connection ends', () => {
  const CASES: [words: string, send: Buffer[]][] = [
    ['client sent HEADERS frame with incorrect identifier 2, the last was 0', [get(2)]],
    ['client sent HEADERS frame with incorrect identifier 1, the last was 3', [get(3), get(1)]],
    ['client sent HEADERS frame with incorrect length 3', [frame('HEADERS', 0x20, 1, 'abc')]],
    [
      'client sent padded HEADERS frame with incorrect length: 1, padding: 2',
      [frame('HEADERS', PADDED, 1, '\x02a')],
    ],
    [
      'client sent inappropriate frame while CONTINUATION was expected',
      [headers(1, GET, END_STREAM), ping()],
    ],
    [
      'client sent CONTINUATION frame with incorrect identifier',
      [headers(1, GET, END_STREAM), continuation(3, Buffer.alloc(0))],
    ],
    ['client sent unexpected CONTINUATION frame', [continuation(1, Buffer.alloc(0))]],
    ['client sent DATA frame with incorrect identifier', [data(0, 'x')]],
    ['client sent padded DATA frame with incorrect length: 0', [post(1), frame('DATA', PADDED, 1, '')]],
    [
      'client sent padded DATA frame with incorrect length: 1, padding: 2',
      [post(1), frame('DATA', PADDED, 1, '\x02a')],
    ],
    ['client sent PRIORITY frame with incorrect length 4', [frame('PRIORITY', 0, 1, 'abcd')]],
    ['client sent PRIORITY frame with incorrect identifier', [priority(0)]],
    ['client sent RST_STREAM frame with incorrect length 3', [frame('RST_STREAM', 0, 1, 'abc')]],
    ['client sent RST_STREAM frame with incorrect identifier', [rstStream(0)]],
    ['client sent SETTINGS frame with incorrect length 5', [frame('SETTINGS', 0, 0, 'abcde')]],
    ['client sent SETTINGS frame with incorrect identifier', [frame('SETTINGS', 0, 1)]],
    ['client sent SETTINGS frame with the ACK flag and nonzero length', [frame('SETTINGS', 1, 0, 'abcdef')]],
    [
      'client sent SETTINGS frame with incorrect INITIAL_WINDOW_SIZE value 2147483648',
      [settings([4, 2 ** 31])],
    ],
    ['client sent SETTINGS frame with incorrect MAX_FRAME_SIZE value 16383', [settings([5, 16_383])]],
    ['client sent SETTINGS frame with incorrect ENABLE_PUSH value 2', [settings([2, 2])]],
    ['client sent PUSH_PROMISE frame', [frame('PUSH_PROMISE', 0, 1, 'abcd')]],
    ['client sent PING frame with incorrect length 7', [frame('PING', 0, 0, 'abcdefg')]],
    ['client sent PING frame with incorrect identifier', [frame('PING', 0, 1, 'abcdefgh')]],
    ['client sent GOAWAY frame with incorrect length 7', [frame('GOAWAY', 0, 0, 'abcdefg')]],
    ['client sent WINDOW_UPDATE frame with incorrect length 3', [frame('WINDOW_UPDATE', 0, 0, 'abc')]],
    ['client sent WINDOW_UPDATE frame with incorrect window increment 0', [windowUpdate(0, 0)]],
    ['client violated connection flow control: received WINDOW_UPDATE frame', [windowUpdate(0, 2 ** 31 - 1)]],
    ['client sent too long DATA frame for stream 1: 16385 bytes', [frame('DATA', 0, 1, '', 16_385)]],
    ['client sent header block with incorrect length', [headers(1, Buffer.from([0x82, 0x40, 0x05, 0x61]))]],
    [
      'client sent too many CONTINUATION frames',
      [headers(1, GET, 0), many(100, continuation(1, Buffer.alloc(0), 0))],
    ],
    [
      'client sent too large header block',
      [headers(1, GET, 0), many(8, continuation(1, Buffer.alloc(16_000), 0))],
    ],
    ['client sent too many PING frames', [many(10_500, ping())]],
    ['client sent too many SETTINGS frames', [many(10_500, settings())]],
    ['client sent too many WINDOW_UPDATE frames', [many(10_500, windowUpdate(0, 1))]],
    ['client sent too many PRIORITY frames', [many(10_500, priority(1))]],
    ['client sent too many type 99 frames', [many(10_500, frame(99, 0, 0))]],
    ['client sent too many empty DATA frames', [post(1, '/proxy'), many(10_500, data(1, '', 0))]],
  ]
  it.each(CASES)('%s', async (words, send) => {
    const line = await lineFor(send, 'GOAWAY')
    expect(line).toContain(` [info] `)
    expect(line).toContain(`${words}`)
    expect(line).toMatch(
      / while processing HTTP\/2 connection, client: 127\.0\.0\.1, server: 127\.0\.0\.1:\d+$/,
    )
  })

  it('client reset too many streams', async () => {
    const cancelled = Array.from({ length: 1100 }, (_, index) => [
      get(2 * index + 1, '/proxy'),
      rstStream(2 * index + 1),
    ])
    // As many in a piece as are not too many at once.
    const client = await Http2Raw.connect(engine.port)
    for (let at = 0; at < cancelled.length && !client.closed && !client.ended; at += 3) {
      client.send(...cancelled.slice(at, at + 3).flat())
      await client.pong().catch(() => {})
    }
    expect((await client.goaway()).code).toBe('ENHANCE_YOUR_CALM')
    expect(engine.errorLog).toContain('client reset too many streams while processing HTTP/2 connection')
    client.destroy()
  })

  it('client sent too many refused streams', async () => {
    const refused = Array.from({ length: 400 }, (_, index) => get(2 * index + 5, '/proxy'))
    await lineFor([get(1, '/proxy'), get(3, '/proxy'), ...refused], 'GOAWAY')
    expect(engine.errorLog).toContain(
      'client sent too many refused streams while processing HTTP/2 connection',
    )
  })

  it('invalid connection preface', async () => {
    const client = await Http2Raw.connect(engine.port, { first: PREFACE })
    client.send(get(1))
    await client.goaway()
    expect(engine.errorLog).toContain('client sent HEADERS frame before SETTINGS')
    client.destroy()
  })
})

describe('a stream ends', () => {
  const CASES: [words: string, send: Buffer[]][] = [
    ['client sent DATA frame for half-closed stream 1', [get(1, '/proxy'), data(1, 'x')]],
    [
      'client violated flow control for stream 1: received DATA frame length 16000, available window 1536',
      [post(1, '/guarded'), many(5, data(1, random(16_000), 0))],
    ],
    [
      'client violated flow control for stream 1: received WINDOW_UPDATE frame',
      [get(1, '/proxy'), windowUpdate(1, 2 ** 31 - 1)],
    ],
    [
      'client sent WINDOW_UPDATE frame with incorrect window increment 0',
      [get(1, '/proxy'), windowUpdate(1, 0)],
    ],
    ['client sent PRIORITY frame for stream 1 with incorrect dependency', [get(1, '/proxy'), priority(1, 1)]],
    ['concurrent streams exceeded 2', [get(1, '/proxy'), get(3, '/proxy'), get(5, '/proxy')]],
  ]
  it.each(CASES)('%s', async (words, send) => {
    const line = await lineFor(send, 'RST_STREAM')
    expect(line).toContain(words)
    expect(line).toContain(', client: 127.0.0.1, server: ')
  })
})

describe('a request is refused', () => {
  const CASES: [words: string, status: number, fields: Field[]][] = [
    ['client sent "Connection" header', 400, [['connection', 'close']]],
    ['client sent "Keep-Alive" header', 400, [['keep-alive', '5']]],
    ['client sent "Transfer-Encoding" header', 400, [['transfer-encoding', 'chunked']]],
    ['client sent "Upgrade" header', 400, [['upgrade', 'h2c']]],
    ['client sent "Proxy-Connection" header', 400, [['proxy-connection', 'close']]],
    ['client sent invalid "TE" header', 400, [['te', 'gzip']]],
    ['client sent invalid header name: "Upper"', 400, [['Upper', 'x']]],
    ['client sent header "x-own" with invalid value: "a\\x0Ab"', 400, [['x-own', 'a\nb']]],
    ['client sent ":authority" and "Host" headers with different values', 400, [['host', 'other']]],
    ['client sent invalid "Content-Length" header', 400, [['content-length', '-1']]],
    ['client prematurely closed stream', 400, [['content-length', '5']]],
    [
      'client sent out of order pseudo-headers',
      400,
      [
        ['a', 'b'],
        [':path', '/'],
      ],
    ],
    ['client sent too large header', 400, [['x-long', 'y'.repeat(2100)]]],
  ]
  it.each(CASES)('%s', async (words, status, fields) => {
    const before = engine.errorLog.length
    const client = await Http2Raw.connect(engine.port)
    client.send(get(1, '/', ...fields))
    expect((await client.response(1)).status).toBe(status)
    expect(engine.errorLog.slice(before)).toContain(
      `${words} while reading client request headers, client: 127.0.0.1, server: test`,
    )
    client.destroy()
  })

  it('client sent invalid header: "x_odd" is of a field that is left out', async () => {
    const before = engine.errorLog.length
    const client = await Http2Raw.connect(engine.port)
    client.send(get(1, '/', ['x_odd', '1']))
    expect((await client.response(1)).status).toBe(200)
    expect(engine.errorLog.slice(before)).toContain('client sent invalid header: "x_odd" while reading')
    client.send(goaway(0))
    client.destroy()
  })
})
