// RFC 9113 sections 6.1 to 6.8, and 7: what each type of frame may be, where it may come, and what answers it.

import { expect, it } from 'vitest'
import {
  ACK,
  continuation,
  data,
  ENABLE_PUSH,
  END_HEADERS,
  END_STREAM,
  fieldsOf,
  frame,
  get,
  goaway,
  HEADER_TABLE_SIZE,
  headers,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  MAX_HEADER_LIST_SIZE,
  PADDED,
  PRIORITY,
  padded,
  ping,
  post,
  priority,
  rstStream,
  settings,
  settingsAck,
  uint32,
} from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { eventually } from '../../../support/wait.ts'
import { type ConformanceCase, describeCases, withServer } from './server.ts'

const server = withServer()

const REQUEST = block(...fieldsOf('GET', '/'))
const WHOLE = END_HEADERS | END_STREAM

/** The request's body as the backend gets it. */
const bodyAtBackend = () =>
  server.backend.requests[0]!.bytes.toString('latin1').split('\r\n\r\n').slice(1).join('')

/** A POST to the backend with these DATA frames; its body has to be `want`. */
const upload = (name: string, body: string, ...frames: Buffer[]): ConformanceCase => ({
  name,
  want: '200',
  send: async (client) => {
    client.send(post(1, '/proxy'), ...frames)
    await client.response(1)
    expect(bodyAtBackend()).toBe(body)
  },
})

const DATA: ConformanceCase[] = [
  { name: '6.1 DATA on stream 0', want: 'GOAWAY PROTOCOL_ERROR', send: data(0, 'x') },
  {
    name: '6.1 padding as long as the payload',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/proxy'), data(1, '\x05aaaa', 9)],
  },
  {
    name: '6.1 padding longer than the payload',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/proxy'), data(1, '\xffaaaa', 9)],
  },
  {
    name: '6.1 padding of an empty frame',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/proxy'), data(1, '\x01', 9)],
  },
  upload('6.1 DATA with padding', 'body', data(1, padded('body', 200), PADDED | END_STREAM)),
  upload('6.1 DATA with padding of no bytes', 'body', data(1, padded('body', 0), PADDED | END_STREAM)),
  upload('6.1 DATA of padding alone', 'body', data(1, padded('', 255), PADDED), data(1, 'body')),
  upload(
    '6.1 empty DATA frames',
    'body',
    data(1, '', 0),
    data(1, 'bo', 0),
    data(1, '', 0),
    data(1, 'dy', 0),
    data(1, ''),
  ),
  upload('6.1 empty DATA alone', '', data(1, '')),
]

describeCases('DATA', server, DATA)

const HEADERS: ConformanceCase[] = [
  { name: '6.2 HEADERS on stream 0', want: 'GOAWAY PROTOCOL_ERROR', send: headers(0, REQUEST) },
  {
    name: '6.2 padding longer than the payload',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: headers(1, Buffer.concat([Buffer.from([255]), REQUEST]), WHOLE | PADDED),
  },
  {
    name: '6.2 padding of more than what is left',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: headers(1, Buffer.from([1]), WHOLE | PADDED),
  },
  {
    name: '6.2 padding that reaches into the priority',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: headers(1, Buffer.concat([Buffer.from([4]), Buffer.alloc(8)]), WHOLE | PADDED | PRIORITY),
  },
  { name: '6.2 HEADERS with padding', want: '200', send: headers(1, padded(REQUEST, 77), WHOLE | PADDED) },
  {
    name: '6.2 HEADERS with padding of no bytes',
    want: '200',
    send: headers(1, padded(REQUEST, 0), WHOLE | PADDED),
  },
  {
    name: '6.2 HEADERS with priority',
    want: '200',
    send: headers(1, Buffer.concat([Buffer.alloc(5), REQUEST]), WHOLE | PRIORITY),
  },
  {
    name: '6.2 HEADERS with padding and priority',
    want: '200',
    send: headers(1, padded(Buffer.concat([Buffer.alloc(5), REQUEST]), 9), WHOLE | PADDED | PRIORITY),
  },
  {
    name: '6.2 HEADERS with padding, and CONTINUATION',
    want: '200',
    send: [
      headers(1, padded(REQUEST.subarray(0, 7), 30), END_STREAM | PADDED),
      continuation(1, REQUEST.subarray(7)),
    ],
  },
  {
    name: '6.2 padding is no part of the block, and may be checked to be zero',
    want: ['200', 'GOAWAY PROTOCOL_ERROR'],
    send: headers(
      1,
      Buffer.concat([Buffer.from([4]), REQUEST, Buffer.from('\x80\x80\x80\x80', 'latin1')]),
      WHOLE | PADDED,
    ),
  },
]

describeCases('HEADERS', server, HEADERS)

const SETTINGS: ConformanceCase[] = [
  {
    name: '6.5 SETTINGS on a stream',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), frame('SETTINGS', 0, 1)],
  },
  {
    name: '6.5 an acknowledgment on a stream',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), frame('SETTINGS', ACK, 1)],
  },
  { name: '6.5.2 SETTINGS_ENABLE_PUSH 2', want: 'GOAWAY PROTOCOL_ERROR', send: settings([ENABLE_PUSH, 2]) },
  {
    name: '6.5.2 SETTINGS_ENABLE_PUSH 2^32-1',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: settings([ENABLE_PUSH, 2 ** 32 - 1]),
  },
  {
    name: '6.5.2 SETTINGS_ENABLE_PUSH 0 and 1',
    want: 'ignored',
    send: settings([ENABLE_PUSH, 0], [ENABLE_PUSH, 1]),
  },
  {
    name: '6.5.2 SETTINGS_INITIAL_WINDOW_SIZE 2^31',
    want: 'GOAWAY FLOW_CONTROL_ERROR',
    send: settings([INITIAL_WINDOW_SIZE, 2 ** 31]),
  },
  {
    name: '6.5.2 SETTINGS_INITIAL_WINDOW_SIZE 2^32-1',
    want: 'GOAWAY FLOW_CONTROL_ERROR',
    send: settings([INITIAL_WINDOW_SIZE, 2 ** 32 - 1]),
  },
  {
    name: '6.5.2 SETTINGS_INITIAL_WINDOW_SIZE 2^31-1',
    want: 'ignored',
    send: settings([INITIAL_WINDOW_SIZE, 2 ** 31 - 1]),
  },
  {
    name: '6.5.2 SETTINGS_MAX_FRAME_SIZE 0',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: settings([MAX_FRAME_SIZE, 0]),
  },
  {
    name: '6.5.2 SETTINGS_MAX_FRAME_SIZE 16383',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: settings([MAX_FRAME_SIZE, 16_383]),
  },
  {
    name: '6.5.2 SETTINGS_MAX_FRAME_SIZE 2^24',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: settings([MAX_FRAME_SIZE, 2 ** 24]),
  },
  {
    name: '6.5.2 SETTINGS_MAX_FRAME_SIZE 16384 and 2^24-1',
    want: 'ignored',
    send: settings([MAX_FRAME_SIZE, 16_384], [MAX_FRAME_SIZE, 2 ** 24 - 1]),
  },
  {
    name: '6.5.2 SETTINGS_MAX_CONCURRENT_STREAMS 0',
    want: 'ignored',
    send: settings([MAX_CONCURRENT_STREAMS, 0]),
  },
  {
    name: '6.5.2 SETTINGS_MAX_HEADER_LIST_SIZE 1',
    want: 'ignored',
    send: settings([MAX_HEADER_LIST_SIZE, 1]),
  },
  {
    name: '6.5.2 SETTINGS_HEADER_TABLE_SIZE 2^32-1',
    want: 'ignored',
    send: settings([HEADER_TABLE_SIZE, 2 ** 32 - 1]),
  },
  {
    name: '6.5.3 a wrong value behind right ones',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: settings([INITIAL_WINDOW_SIZE, 9], [0x99, 1], [ENABLE_PUSH, 7]),
  },
  {
    name: '6.5.3 a wrong value that a right one follows',
    want: 'GOAWAY FLOW_CONTROL_ERROR',
    send: settings([INITIAL_WINDOW_SIZE, 2 ** 31], [INITIAL_WINDOW_SIZE, 9]),
  },
  {
    name: '6.5 an acknowledgment too many',
    want: ['GOAWAY PROTOCOL_ERROR', '200'],
    send: [settingsAck(), settingsAck(), get(1)],
  },
]

describeCases('SETTINGS', server, SETTINGS)

it('6.5.3 each SETTINGS frame is acknowledged once, in order with PING', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(settings([MAX_FRAME_SIZE, 20_000]), settings(), ping('between!'), settings([0xabc, 1]))
  await client.pong()
  const acks = client.frames.filter((one) => one.flags === ACK).map((one) => one.type)
  expect(acks).toEqual(['SETTINGS', 'SETTINGS', 'SETTINGS', 'PING', 'SETTINGS', 'PING'])
  for (const one of client.frames)
    if (one.type === 'SETTINGS' && one.flags === ACK) expect(one.payload.length).toBe(0)
  client.destroy()
})

it('6.5.3 the last of several values in one frame counts', async () => {
  const client = await Http2Raw.connect(server.port, { windows: 'as they are' })
  client.send(
    settings([INITIAL_WINDOW_SIZE, 5], [MAX_FRAME_SIZE, 17_000], [INITIAL_WINDOW_SIZE, 7]),
    get(1, '/files/large'),
  )
  await client.head(1)
  await client.pong()
  expect(client.received).toBe(7)
  client.destroy()
})

const OTHERS: ConformanceCase[] = [
  { name: '6.3 PRIORITY on stream 0', want: 'GOAWAY PROTOCOL_ERROR', send: priority(0) },
  { name: '6.4 RST_STREAM on stream 0', want: 'GOAWAY PROTOCOL_ERROR', send: rstStream(0) },
  {
    name: '6.6 PUSH_PROMISE on stream 0',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: frame('PUSH_PROMISE', 4, 0, Buffer.concat([uint32(2), REQUEST])),
  },
  {
    name: '6.6 PUSH_PROMISE on an idle stream',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: frame('PUSH_PROMISE', 4, 1, Buffer.concat([uint32(2), REQUEST])),
  },
  {
    name: '6.6 PUSH_PROMISE on an open stream',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), frame('PUSH_PROMISE', 4, 1, Buffer.concat([uint32(2), REQUEST]))],
  },
  {
    name: '6.6 PUSH_PROMISE that promises a stream of the client',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), frame('PUSH_PROMISE', 4, 1, Buffer.concat([uint32(3), REQUEST]))],
  },
  {
    name: '6.6 PUSH_PROMISE of 0 bytes',
    want: ['GOAWAY PROTOCOL_ERROR', 'GOAWAY FRAME_SIZE_ERROR'],
    send: [get(1, '/hold'), frame('PUSH_PROMISE', 4, 1)],
  },
  {
    name: '6.7 PING on a stream',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), frame('PING', 0, 1, '12345678')],
  },
  {
    name: '6.7 an acknowledgment of a PING on a stream',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), frame('PING', ACK, 1, '12345678')],
  },
  {
    name: '6.8 GOAWAY on a stream',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), frame('GOAWAY', 0, 1, uint32(0, 0))],
  },
  {
    name: '6.10 CONTINUATION behind PUSH_PROMISE',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [get(1, '/hold'), frame('PUSH_PROMISE', 0, 1, uint32(2)), continuation(1, REQUEST)],
  },
  { name: '7 RST_STREAM with NO_ERROR', want: 'ignored', send: [post(1, '/hold'), rstStream(1, 'NO_ERROR')] },
  {
    name: '7 RST_STREAM with HTTP_1_1_REQUIRED',
    want: 'ignored',
    send: [get(1, '/hold'), rstStream(1, 'HTTP_1_1_REQUIRED')],
  },
]

describeCases('PRIORITY, RST_STREAM, PUSH_PROMISE, PING and GOAWAY', server, OTHERS)

it('6.4 behind RST_STREAM nothing comes on the stream, and its request is given up', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(get(1, '/hold'), get(3, '/files/large'))
  await client.response(3)
  await eventually('request', () => server.hold.current === 1)
  client.send(rstStream(1))
  await eventually('end of the request', () => server.hold.current === 0)
  await client.pong()
  expect(client.responses.has(1)).toBe(false)
  expect(client.violation).toBe('')
  client.destroy()
})

it('6.7 PING is answered with its payload, before what else waits', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(get(1, '/hold'), ping('\0\xff\r\n\x80abc'), post(3, '/hold'), ping('second!!'), data(3, 'x', 0))
  await client.pong()
  const [first, second] = client.frames.filter((one) => one.type === 'PING')
  expect(first).toMatchObject({ flags: ACK, stream: 0, payload: Buffer.from('\0\xff\r\n\x80abc', 'latin1') })
  expect(second!.payload.toString()).toBe('second!!')
  client.destroy()
})

it('6.7 an acknowledgment of a PING is not answered', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(ping('unasked!', ACK))
  await client.pong()
  expect(client.count('PING')).toBe(1)
  client.destroy()
})

it.each(['NO_ERROR', 'INTERNAL_ERROR'] as const)(
  '6.8 GOAWAY %s from the client: what is at work is answered',
  async (code) => {
    const client = await Http2Raw.connect(server.port)
    client.send(get(1, '/hold'), post(3, '/proxy'), goaway(0, code, 'some debug data'))
    await client.pong()
    client.send(data(3, 'body'))
    expect((await client.response(3)).status).toBe(200)
    await eventually('request', () => server.hold.current === 1)
    server.hold.release()
    expect((await client.response(1)).status).toBe(200)
    client.destroy()
  },
)
