// RFC 9113 sections 3.4, 4.1 and 4.2: the preface, the format of frames, and their sizes.

import { expect, it } from 'vitest'
import {
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  fieldsOf,
  frame,
  get,
  headers,
  MAX_FRAME_SIZE,
  PREFACE,
  PRIORITY,
  ping,
  post,
  settings,
  uint32,
} from '../../../support/http2-bytes.ts'
import { block, literal } from '../../../support/http2-hpack.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { type ConformanceCase, describeCases, LARGE, withServer } from './server.ts'

const server = withServer()

/** Sent instead of the client's own preface. */
const instead = (...parts: Buffer[]) => ({ options: { first: Buffer.concat(parts) }, send: [] })
const REQUEST = block(...fieldsOf('GET', '/'))
/** Fields that make a block `length` bytes long together with `front`. */
function filledTo(length: number, front: Buffer): Buffer {
  const name = 'x-filler'
  const overhead = literal(name, 'f'.repeat(1000)).length - 1000
  const fill: Buffer[] = []
  for (let left = length - front.length; left > 0; ) {
    const size = left > 7000 ? 5000 : left
    fill.push(literal(name, 'f'.repeat(size - overhead)))
    left -= size
  }
  return Buffer.concat([front, ...fill])
}
/** Stream identifiers are 31 bits. */
const RESERVED = 0x80000000

const PREFACES: ConformanceCase[] = [
  { name: '3.4 SETTINGS behind the preface', want: '200', ...instead(PREFACE, settings(), get(1)) },
  { name: '3.4 a request in the first packet', want: '200', send: get(1) },
  { name: '3.4 PING as first frame', want: 'GOAWAY PROTOCOL_ERROR', ...instead(PREFACE, ping()) },
  { name: '3.4 HEADERS as first frame', want: 'GOAWAY PROTOCOL_ERROR', ...instead(PREFACE, get(1)) },
  {
    name: '3.4 an acknowledgment as first frame',
    want: 'GOAWAY PROTOCOL_ERROR',
    ...instead(PREFACE, frame('SETTINGS', 1, 0), get(1)),
  },
  {
    name: '3.4 an unknown frame first',
    want: 'GOAWAY PROTOCOL_ERROR',
    ...instead(PREFACE, frame(0x77, 0, 0, 'abc'), settings(), get(1)),
  },
  {
    name: '3.4 the preface twice',
    want: ['GOAWAY FRAME_SIZE_ERROR', 'GOAWAY PROTOCOL_ERROR'],
    send: PREFACE,
  },
  { name: '3.4 a client that only ends', want: 'closed', send: (client) => void client.socket.end() },
]

describeCases('connection preface', server, PREFACES)

it('3.4 the preface cut at every byte is the preface', async () => {
  const bytes = Buffer.concat([PREFACE, settings(), get(1)])
  for (let cut = 1; cut < PREFACE.length + 9; cut++) {
    const client = await Http2Raw.connect(server.port, { first: null, acknowledge: false })
    await client.sendApart([bytes.subarray(0, cut), bytes.subarray(cut)])
    expect((await client.response(1)).status).toBe(200)
    client.destroy()
  }
})

it('3.4 the server begins with SETTINGS, which do not enable push, and acknowledges those of the client', async () => {
  const client = await Http2Raw.connect(server.port)
  await client.when('acknowledgment', () =>
    client.frames.some((one) => one.type === 'SETTINGS' && one.flags === 1),
  )
  const [first] = client.frames
  expect(first).toMatchObject({ type: 'SETTINGS', flags: 0, stream: 0 })
  for (let at = 0; at < first!.payload.length; at += 6) expect(first!.payload.readUInt16BE(at)).not.toBe(2)
  client.destroy()
})

it.each([
  'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\rX',
  'PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n',
  'PRI  * HTTP/2.0\r\n\r\nSM\r\n\r\n',
])('3.4 a wrong preface %j: no HTTP/2, and the end of the connection', async (preface) => {
  const bytes = Buffer.concat([Buffer.from(preface), settings(), get(1)])
  const { bytes: answer } = await rawRequest(server.port, [bytes.toString('latin1')], { until: 'close' })
  const text = answer.toString('latin1')
  if (!text.startsWith('HTTP/1.1 ')) expect(answer[3]).toBe(process.env.HTTP2_AGAINST ? answer[3] : 7)
  expect(text).not.toContain('\r\n\r\nok')
})

it('3.1 Upgrade: h2c of HTTP/1.1 is not followed', async () => {
  if (process.env.HTTP2_AGAINST) return
  const upgrade =
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n'
  const { bytes } = await rawRequest(server.port, [`GET / HTTP/1.1\r\nHost: test\r\n${upgrade}\r\n`])
  expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n.*ok$/s)
})

const FORMAT: ConformanceCase[] = [
  { name: '4.1 unknown type on stream 0', want: 'ignored', send: frame(0x16, 0, 0, 'unknown') },
  { name: '4.1 unknown type on an idle stream', want: 'ignored', send: frame(0xff, 0xff, 99, 'unknown') },
  { name: '4.1 unknown type without payload', want: 'ignored', send: frame(0x0b, 0, 0) },
  {
    name: '4.1 unknown type on an open stream',
    want: '200',
    send: [post(1, '/proxy'), frame(0x42, 1, 1, 'unknown'), data(1, 'body')],
  },
  {
    name: '4.1 unknown type as large as frames may be',
    want: 'ignored',
    send: frame(0x42, 0, 3, Buffer.alloc(16_384)),
  },
  {
    name: '4.1 unknown type that is too large',
    want: 'GOAWAY FRAME_SIZE_ERROR',
    send: frame(0x42, 0, 0, Buffer.alloc(16_385)),
  },
  {
    name: '4.1 undefined flags of HEADERS',
    want: '200',
    send: headers(1, REQUEST, 0xd2 | END_HEADERS | END_STREAM),
  },
  {
    name: '4.1 undefined flags of DATA',
    want: '200',
    send: [post(1, '/proxy'), data(1, 'body', 0xf6 | END_STREAM)],
  },
  { name: '4.1 undefined flags of SETTINGS', want: 'ignored', send: frame('SETTINGS', 0xfe, 0) },
  {
    name: '4.1 undefined flags of PRIORITY',
    want: 'ignored',
    send: frame('PRIORITY', 0xff, 3, Buffer.alloc(5)),
  },
  { name: '4.1 undefined flags of GOAWAY', want: 'ignored', send: frame('GOAWAY', 0xff, 0, uint32(0, 0)) },
  {
    name: '4.1 undefined flags of WINDOW_UPDATE',
    want: 'ignored',
    send: frame('WINDOW_UPDATE', 0xff, 0, uint32(9)),
  },
  {
    name: '4.1 undefined flags of RST_STREAM',
    want: 'ignored',
    send: [get(1, '/hold'), frame('RST_STREAM', 0xff, 1, uint32(8))],
  },
  {
    name: '4.1 the reserved bit of a HEADERS frame',
    want: '200',
    send: frame('HEADERS', 5, RESERVED + 1, REQUEST),
  },
  { name: '4.1 the reserved bit of a SETTINGS frame', want: 'ignored', send: frame('SETTINGS', 0, RESERVED) },
  {
    name: '4.1 the reserved bit of a PING frame',
    want: 'ignored',
    send: frame('PING', 0, RESERVED, '12345678'),
  },
  {
    name: '4.1 the reserved bit of a DATA frame',
    want: '200',
    send: [post(1, '/proxy'), frame('DATA', 1, RESERVED + 1, 'body')],
  },
]

describeCases('frame format', server, FORMAT)

it('4.1 undefined flags of PING are not sent back', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(ping('flagged!', 0xfe))
  expect(await client.frame('PING')).toMatchObject({ flags: 1, stream: 0, payload: Buffer.from('flagged!') })
  client.destroy()
})

const TOO_LARGE = ['RST_STREAM FRAME_SIZE_ERROR', 'GOAWAY FRAME_SIZE_ERROR']
const SIZES: ConformanceCase[] = [
  {
    name: '4.2 DATA of 16384 bytes',
    want: '200',
    send: [post(1, '/proxy'), data(1, Buffer.alloc(16_384), 0), data(1, '')],
  },
  {
    name: '4.2 HEADERS of 16384 bytes',
    want: '200',
    send: headers(1, filledTo(16_384, REQUEST)),
  },
  {
    name: '4.2 CONTINUATION of 16384 bytes',
    want: '200',
    send: [headers(1, REQUEST, END_STREAM), continuation(1, filledTo(16_384, Buffer.alloc(0)))],
  },
  {
    name: '4.2 DATA of 16385 bytes',
    want: TOO_LARGE,
    send: [post(1, '/proxy'), data(1, Buffer.alloc(16_385))],
  },
  {
    name: '4.2 HEADERS of 16385 bytes',
    want: 'GOAWAY FRAME_SIZE_ERROR',
    send: headers(1, Buffer.alloc(16_385, 0x82)),
  },
  {
    name: '4.2 CONTINUATION of 16385 bytes',
    want: 'GOAWAY FRAME_SIZE_ERROR',
    send: [headers(1, REQUEST, END_STREAM), continuation(1, Buffer.alloc(16_385, 0x82))],
  },
  {
    name: '4.2 SETTINGS of more than 16384 bytes',
    want: 'GOAWAY FRAME_SIZE_ERROR',
    send: frame('SETTINGS', 0, 0, Buffer.alloc(6 * 2731, 0x55)),
  },
  {
    name: '4.2 PING of 16385 bytes',
    want: 'GOAWAY FRAME_SIZE_ERROR',
    send: frame('PING', 0, 0, Buffer.alloc(16_385)),
  },
  {
    name: '4.2 GOAWAY of 16385 bytes',
    want: 'GOAWAY FRAME_SIZE_ERROR',
    send: frame('GOAWAY', 0, 0, Buffer.alloc(16_385)),
  },
  {
    name: '4.2 a size that is too large, without the payload',
    want: 'GOAWAY FRAME_SIZE_ERROR',
    send: frame('HEADERS', 5, 1, '', 0xffffff),
  },
  {
    name: '4.2 DATA announced too large on stream 0',
    want: ['GOAWAY FRAME_SIZE_ERROR', 'GOAWAY PROTOCOL_ERROR'],
    send: frame('DATA', 0, 0, '', 0x4001),
  },
  ...[0, 7, 9, 16_384].map((length): ConformanceCase => {
    return {
      name: `6.7 PING of ${length} bytes`,
      want: 'GOAWAY FRAME_SIZE_ERROR',
      send: frame('PING', 0, 0, Buffer.alloc(length)),
    }
  }),
  ...[0, 3, 5].map((length): ConformanceCase => {
    const send = [get(1, '/hold'), frame('RST_STREAM', 0, 1, Buffer.alloc(length))]
    return { name: `6.4 RST_STREAM of ${length} bytes`, want: 'GOAWAY FRAME_SIZE_ERROR', send }
  }),
  ...[0, 3, 5].map((length): ConformanceCase => {
    const send = frame('WINDOW_UPDATE', 0, 0, Buffer.alloc(length, 1))
    return {
      name: `6.9 WINDOW_UPDATE of ${length} bytes on the connection`,
      want: 'GOAWAY FRAME_SIZE_ERROR',
      send,
    }
  }),
  ...[0, 3, 5].map((length): ConformanceCase => {
    const send = [get(1, '/hold'), frame('WINDOW_UPDATE', 0, 1, Buffer.alloc(length, 1))]
    return { name: `6.9 WINDOW_UPDATE of ${length} bytes on a stream`, want: 'GOAWAY FRAME_SIZE_ERROR', send }
  }),
  ...[0, 4, 6].map((length): ConformanceCase => {
    const send = [get(1, '/hold'), frame('PRIORITY', 0, 1, Buffer.alloc(length))]
    return { name: `6.3 PRIORITY of ${length} bytes`, want: TOO_LARGE, send }
  }),
  ...[1, 5, 7].map((length): ConformanceCase => {
    const send = frame('SETTINGS', 0, 0, Buffer.alloc(length, 1))
    return { name: `6.5 SETTINGS of ${length} bytes`, want: 'GOAWAY FRAME_SIZE_ERROR', send }
  }),
  ...[6, 1].map((length): ConformanceCase => {
    const send = frame('SETTINGS', 1, 0, Buffer.alloc(length, 0))
    return { name: `6.5 an acknowledgment of ${length} bytes`, want: 'GOAWAY FRAME_SIZE_ERROR', send }
  }),
  ...[0, 7].map((length): ConformanceCase => {
    return {
      name: `6.8 GOAWAY of ${length} bytes`,
      want: 'GOAWAY FRAME_SIZE_ERROR',
      send: frame('GOAWAY', 0, 0, Buffer.alloc(length)),
    }
  }),
  ...[0, 4].map((length): ConformanceCase => {
    const send = frame('HEADERS', END_HEADERS | END_STREAM | PRIORITY, 1, Buffer.alloc(length))
    return {
      name: `6.2 HEADERS of ${length} bytes with PRIORITY`,
      want: ['GOAWAY FRAME_SIZE_ERROR', 'GOAWAY PROTOCOL_ERROR'],
      send,
    }
  }),
  {
    name: '6.2 HEADERS of 0 bytes with PADDED',
    want: ['GOAWAY FRAME_SIZE_ERROR', 'GOAWAY PROTOCOL_ERROR'],
    send: frame('HEADERS', 0x0d, 1),
  },
  {
    name: '6.1 DATA of 0 bytes with PADDED',
    want: ['GOAWAY FRAME_SIZE_ERROR', 'GOAWAY PROTOCOL_ERROR', 'RST_STREAM FRAME_SIZE_ERROR'],
    send: [post(1, '/proxy'), frame('DATA', 9, 1)],
  },
]

describeCases('frame size', server, SIZES)

it.each([16_384, 20_000, 2 ** 24 - 1])(
  '4.2 frames to a client with SETTINGS_MAX_FRAME_SIZE %i are no larger',
  async (most) => {
    const client = await Http2Raw.connect(server.port, { settings: [[MAX_FRAME_SIZE, most]] })
    client.send(get(1, '/files/large'))
    expect((await client.response(1)).length).toBe(LARGE)
    client.destroy()
  },
)
