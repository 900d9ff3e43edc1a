// RFC 9113 sections 5.1 to 5.5: the states of streams, their identifiers, how many there may be, priorities, the
// handling of errors, and extensions.

import { expect, it } from 'vitest'
import {
  continuation,
  data,
  END_STREAM,
  fieldsOf,
  frame,
  get,
  goaway,
  headers,
  MAX_CONCURRENT_STREAMS,
  post,
  priority,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { eventually } from '../../../support/wait.ts'
import { type ConformanceCase, describeCases, MALFORMED, STREAMS, withServer } from './server.ts'

const server = withServer()

const REQUEST = block(...fieldsOf('GET', '/'))
const TRAILERS = headers(1, block(['x-t', 't']))
/** A stream error may be made one of the connection (section 5.4.1). */
const STREAM_CLOSED = ['RST_STREAM STREAM_CLOSED', 'GOAWAY STREAM_CLOSED']
const HEADERS_BEHIND = [...STREAM_CLOSED, 'GOAWAY PROTOCOL_ERROR']

type Send = (client: Http2Raw) => Promise<void>

const sent =
  (...frames: Buffer[]): Send =>
  async (client) =>
    client.send(...frames)
/** Sends `frames` behind the complete exchange on stream 1. */
const behindAnswer =
  (...frames: Buffer[]): Send =>
  async (client) => {
    client.send(get(1))
    await client.response(1)
    client.responses.delete(1)
    client.send(...frames)
  }

const STATES: ConformanceCase[] = [
  { name: '5.1 idle, DATA', want: 'GOAWAY PROTOCOL_ERROR', send: data(1, 'x') },
  { name: '5.1 idle, empty DATA', want: 'GOAWAY PROTOCOL_ERROR', send: data(1, '') },
  { name: '5.1 idle, RST_STREAM', want: 'GOAWAY PROTOCOL_ERROR', send: rstStream(1) },
  { name: '5.1 idle, WINDOW_UPDATE', want: 'GOAWAY PROTOCOL_ERROR', send: windowUpdate(1, 10) },
  { name: '5.1 idle, CONTINUATION', want: 'GOAWAY PROTOCOL_ERROR', send: continuation(1, REQUEST) },
  { name: '5.1 idle, PRIORITY', want: 'ignored', send: priority(1) },
  {
    name: '5.1 idle behind others, DATA',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), data(7, 'x')],
  },
  {
    name: '5.1 idle behind others, RST_STREAM',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), rstStream(7)],
  },
  {
    name: '5.1 idle behind others, WINDOW_UPDATE',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), windowUpdate(7, 1)],
  },
  {
    name: '5.1 idle and of the server, DATA',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), data(2, 'x')],
  },
  {
    name: '5.1 idle and of the server, RST_STREAM',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(5, '/hold'), rstStream(2)],
  },
  {
    name: '5.1 idle and of the server, WINDOW_UPDATE',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(5, '/hold'), windowUpdate(2, 1)],
  },
  { name: '5.1 half-closed, DATA', want: STREAM_CLOSED, send: [get(1, '/hold'), data(1, 'x')] },
  {
    name: '5.1 half-closed, empty DATA with END_STREAM',
    want: STREAM_CLOSED,
    send: [get(1, '/hold'), data(1, '')],
  },
  { name: '5.1 half-closed, HEADERS', want: HEADERS_BEHIND, send: [get(1, '/hold'), TRAILERS] },
  {
    name: '5.1 half-closed, HEADERS of a request',
    want: HEADERS_BEHIND,
    send: [get(1, '/hold'), get(1, '/hold')],
  },
  {
    name: '5.1 half-closed, CONTINUATION',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), continuation(1, REQUEST)],
  },
  { name: '5.1 half-closed, WINDOW_UPDATE', want: 'ignored', send: [get(1, '/hold'), windowUpdate(1, 10)] },
  { name: '5.1 half-closed, PRIORITY', want: 'ignored', send: [get(1, '/hold'), priority(1)] },
  { name: '5.1 half-closed, RST_STREAM', want: 'ignored', send: [get(1, '/hold'), rstStream(1)] },
  {
    name: '5.1 half-closed by DATA, DATA',
    want: STREAM_CLOSED,
    send: [post(1, '/hold'), data(1, 'x'), data(1, 'y')],
  },
  {
    name: '5.1 half-closed by trailers, DATA',
    want: STREAM_CLOSED,
    send: [post(1, '/hold'), data(1, 'x', 0), TRAILERS, data(1, 'y')],
  },
  {
    name: '5.1 half-closed by trailers, HEADERS',
    want: HEADERS_BEHIND,
    send: [post(1, '/hold'), TRAILERS, TRAILERS],
  },
  { name: '5.1 closed, DATA', want: STREAM_CLOSED, send: behindAnswer(data(1, 'x')) },
  { name: '5.1 closed, HEADERS', want: HEADERS_BEHIND, send: behindAnswer(TRAILERS) },
  {
    name: '5.1 closed, CONTINUATION',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: behindAnswer(continuation(1, REQUEST)),
  },
  { name: '5.1 closed, WINDOW_UPDATE', want: 'ignored', send: behindAnswer(windowUpdate(1, 10)) },
  { name: '5.1 closed, RST_STREAM', want: 'ignored', send: behindAnswer(rstStream(1)) },
  { name: '5.1 closed, PRIORITY', want: 'ignored', send: behindAnswer(priority(1)) },
  { name: '5.1 closed, an unknown frame', want: 'ignored', send: behindAnswer(frame(0x50, 0, 1, 'x')) },
  {
    name: '5.1 closed by RST_STREAM, DATA',
    want: STREAM_CLOSED,
    send: [post(1, '/hold'), rstStream(1), data(1, 'x')],
  },
  {
    name: '5.1 closed by RST_STREAM, HEADERS',
    want: HEADERS_BEHIND,
    send: [post(1, '/hold'), rstStream(1), TRAILERS],
  },
  {
    name: '5.1 closed by RST_STREAM, WINDOW_UPDATE',
    want: 'ignored',
    send: [post(1, '/hold'), rstStream(1), windowUpdate(1, 10)],
  },
  {
    name: '5.1 closed by RST_STREAM, RST_STREAM',
    want: 'ignored',
    send: [post(1, '/hold'), rstStream(1), rstStream(1)],
  },
  {
    name: '5.1 closed by RST_STREAM, PRIORITY',
    want: 'ignored',
    send: [post(1, '/hold'), rstStream(1), priority(1)],
  },
  {
    name: '5.1 closed by being skipped, DATA',
    want: STREAM_CLOSED,
    send: [get(5, '/hold'), data(3, 'x')],
    stream: 3,
  },
  {
    name: '5.1 closed by being skipped, RST_STREAM',
    want: 'ignored',
    send: [get(5), rstStream(3)],
    stream: 3,
  },
  {
    name: '5.1 closed by being skipped, WINDOW_UPDATE',
    want: 'ignored',
    send: [get(5), windowUpdate(3, 1)],
    stream: 3,
  },
  { name: '5.1 closed by being skipped, PRIORITY', want: 'ignored', send: [get(5), priority(3)], stream: 3 },
  {
    name: '5.1 reset by the server, what the client had sent already',
    want: MALFORMED,
    send: sent(
      post(1, '/hold', ['content-length', '1']),
      data(1, 'too long', 0),
      data(1, 'and more', 0),
      windowUpdate(1, 1),
      headers(1, block(['x-t', 't'])),
    ),
  },
  { name: '5.1.1 even stream identifier', want: 'GOAWAY PROTOCOL_ERROR', send: get(2) },
  {
    name: '5.1.1 even stream identifier behind others',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), get(4)],
    stream: 4,
  },
  { name: '5.1.1 stream 0', want: 'GOAWAY PROTOCOL_ERROR', send: get(0) },
  { name: '5.1.1 a lower identifier', want: [...HEADERS_BEHIND], send: [get(5, '/hold'), get(3)], stream: 3 },
  { name: '5.1.1 an identifier used twice', want: [...HEADERS_BEHIND], send: behindAnswer(get(1)) },
  { name: '5.1.1 identifiers with gaps', want: '200', send: [get(7), get(1001)], stream: 1001 },
  {
    name: '5.1.1 an identifier of a refused stream',
    want: HEADERS_BEHIND,
    send: sent(...Array.from({ length: STREAMS + 1 }, (_, index) => get(2 * index + 1, '/hold')), get(3)),
    stream: 3,
  },
]

describeCases('stream states', server, STATES)

it('5.1.1 the highest identifier: 200, and none behind it', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(get(2 ** 31 - 1))
  expect((await client.response(2 ** 31 - 1)).status).toBe(200)
  client.send(get(1))
  expect(HEADERS_BEHIND).toContain(await client.outcome(1))
  client.destroy()
})

const held = (count: number) => Array.from({ length: count }, (_, index) => get(2 * index + 1, '/hold'))
const NEXT = 2 * STREAMS + 1

it('5.1.2 SETTINGS_MAX_CONCURRENT_STREAMS is what is configured', async () => {
  const client = await Http2Raw.connect(server.port)
  const { payload } = await client.frame('SETTINGS', 0)
  const values = new Map<number, number>()
  for (let at = 0; at < payload.length; at += 6)
    values.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
  expect(values.get(MAX_CONCURRENT_STREAMS)).toBe(STREAMS)
  client.destroy()
})

it('5.1.2 one stream more: RST_STREAM REFUSED_STREAM, and the others are answered', async () => {
  const client = await Http2Raw.connect(server.port)
  const before = server.hold.total
  client.send(...held(STREAMS), get(NEXT, '/hold'))
  expect(await client.outcome(NEXT)).toMatch(/^RST_STREAM (REFUSED_STREAM|PROTOCOL_ERROR)$/)
  await eventually('requests', () => server.hold.current === STREAMS)
  expect(server.hold.total - before).toBe(STREAMS)
  server.hold.release()
  for (let stream = 1; stream < NEXT; stream += 2) expect((await client.response(stream)).status).toBe(200)
  expect(client.count('RST_STREAM')).toBe(1)
  client.destroy()
})

it.each<[how: string, free: (client: Http2Raw) => Promise<void>]>([
  [
    'is answered',
    async (client) => {
      await eventually('requests', () => server.hold.current === STREAMS)
      server.hold.release()
      await client.response(1)
    },
  ],
  ['is reset', async (client) => client.send(rstStream(1))],
])('5.1.2 a stream that %s makes room for another', async (_how, free) => {
  const client = await Http2Raw.connect(server.port)
  client.send(...held(STREAMS))
  await free(client)
  client.send(get(NEXT))
  expect((await client.response(NEXT)).status).toBe(200)
  client.destroy()
  server.hold.release()
})

it('5.1.2 closed, skipped and refused streams do not count', async () => {
  const client = await Http2Raw.connect(server.port)
  for (let stream = 1; stream < 40 * STREAMS; stream += 6) {
    client.send(get(stream))
    await client.response(stream)
  }
  client.send(...Array.from({ length: STREAMS }, (_, index) => get(1001 + 2 * index, '/hold')))
  await client.pong()
  expect(client.find('RST_STREAM')).toBeUndefined()
  client.send(get(3001, '/hold'), get(3003, '/hold'))
  await client.frame('RST_STREAM', 3003)
  server.hold.release()
  client.send(rstStream(1001))
  client.send(get(3005))
  expect((await client.response(3005)).status).toBe(200)
  client.destroy()
})

const PRIORITIES: ConformanceCase[] = [
  // RFC 9113 has no rule any more; RFC 7540 section 5.3.1 had a stream error.
  {
    name: '5.3 a stream that depends on itself by PRIORITY',
    want: ['RST_STREAM PROTOCOL_ERROR', '200'],
    send: async (client) => {
      client.send(post(1, '/proxy'))
      client.send(priority(1, 1), data(1, 'x'))
    },
  },
  {
    name: '5.3 a request that depends on itself',
    want: ['RST_STREAM PROTOCOL_ERROR', '200'],
    send: headers(1, Buffer.concat([uint32(1), Buffer.from([9]), REQUEST]), 0x25),
  },
  {
    name: '5.3 a request that depends on a closed stream',
    want: '200',
    send: headers(9, Buffer.concat([uint32(5), Buffer.from([9]), REQUEST]), 0x25),
    stream: 9,
  },
  {
    name: '5.3 a request that depends on an idle stream, exclusively',
    want: '200',
    send: headers(9, Buffer.concat([uint32(0x80000000 + 77), Buffer.from([255]), REQUEST]), 0x25),
    stream: 9,
  },
  { name: '5.3 PRIORITY on a stream of the server', want: 'ignored', send: priority(2) },
  { name: '5.3 PRIORITY on the highest stream', want: 'ignored', send: priority(2 ** 31 - 1) },
]

describeCases('priorities', server, PRIORITIES)

const ERRORS: ConformanceCase[] = [
  {
    name: '5.4.2 RST_STREAM is not answered',
    want: 'ignored',
    send: [post(1, '/hold'), rstStream(1, 'PROTOCOL_ERROR')],
  },
  {
    name: '5.4.2 a stream error does not touch other streams',
    want: '200',
    send: async (client) => {
      client.send(get(1, '/hold'), get(3, '/hold'), data(3, 'x'))
      await client.frame('RST_STREAM', 3)
      await eventually('request', () => server.hold.current > 0)
      server.hold.release()
    },
  },
  { name: '5.5 unknown settings', want: 'ignored', send: settings([0x99, 1], [0, 5], [0xffff, 0xffffffff]) },
  {
    name: '5.5 an unknown error code of RST_STREAM',
    want: 'ignored',
    send: [post(1, '/hold'), frame('RST_STREAM', 0, 1, uint32(0xfffffffe))],
  },
  {
    name: '5.5 an unknown error code of GOAWAY',
    want: 'ignored',
    send: frame('GOAWAY', 0, 0, uint32(0, 0xdeadbeef)),
  },
  {
    name: '5.5 an unknown frame inside a block',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [headers(1, REQUEST, END_STREAM), frame(0x77, 0, 1, 'x'), continuation(1, Buffer.alloc(0))],
  },
  {
    name: '5.5 an unknown frame of the connection inside a block',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [headers(1, REQUEST, END_STREAM), frame(0x77, 0, 0), continuation(1, Buffer.alloc(0))],
  },
]

describeCases('errors and extensions', server, ERRORS)

it('5.4.1 a connection error tells the last stream, and the connection ends behind it', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(get(1), get(9))
  await client.response(9)
  client.send(frame('PING', 0, 0, 'short'), get(11))
  expect(await client.goaway()).toMatchObject({ code: 'FRAME_SIZE_ERROR', last: 9 })
  await client.untilClosed()
  expect(client.frames.at(-1)!.type).toBe('GOAWAY')
  expect(client.responses.has(11)).toBe(false)
})

it('5.4.1 requests at work when the connection fails are given up', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(...held(3))
  await eventually('requests', () => server.hold.current === 3)
  client.send(goaway(0).subarray(0, 16), Buffer.alloc(1), frame('DATA', 0, 0, 'x'))
  await client.untilClosed()
  await eventually('end of requests', () => server.hold.current === 0)
})
