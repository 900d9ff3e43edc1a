// RFC 9113 sections 5.2 and 6.9: flow control, of what the server sends and of what it takes.

import { expect, it } from 'vitest'
import {
  data,
  END_STREAM,
  frame,
  get,
  INITIAL_WINDOW_SIZE,
  PADDED,
  padded,
  post,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { type ConformanceCase, describeCases, LARGE, withServer } from './server.ts'

const server = withServer()

const MOST = 2 ** 31 - 1
const DEFAULT = 65_535

const CASES: ConformanceCase[] = [
  {
    name: '6.9 an increment of 0 on a stream',
    want: 'RST_STREAM PROTOCOL_ERROR',
    send: [get(1, '/hold'), windowUpdate(1, 0)],
  },
  {
    name: '6.9 an increment of 0 on the connection',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: windowUpdate(0, 0),
  },
  {
    name: '6.9 an increment of 0 with the reserved bit',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: windowUpdate(0, 0x80000000),
  },
  {
    name: '6.9 the reserved bit of an increment',
    want: 'ignored',
    send: frame('WINDOW_UPDATE', 0, 0, uint32(0x80000001)),
  },
  {
    name: '6.9.1 the window of the connection above 2^31-1',
    want: 'GOAWAY FLOW_CONTROL_ERROR',
    send: windowUpdate(0, MOST),
  },
  {
    name: '6.9.1 the window of the connection above 2^31-1 by one',
    want: 'GOAWAY FLOW_CONTROL_ERROR',
    options: { windows: 'as they are' },
    send: windowUpdate(0, MOST - DEFAULT + 1),
  },
  {
    name: '6.9.1 the window of the connection at 2^31-1',
    want: '200',
    options: { windows: 'as they are' },
    send: [windowUpdate(0, MOST - DEFAULT), get(1)],
  },
  {
    name: '6.9.1 the window of a stream above 2^31-1',
    want: 'RST_STREAM FLOW_CONTROL_ERROR',
    send: [get(1, '/hold'), windowUpdate(1, MOST)],
  },
  {
    name: '6.9.1 the window of a stream above 2^31-1 by one, in parts',
    want: 'RST_STREAM FLOW_CONTROL_ERROR',
    options: { windows: 'as they are' },
    send: [get(1, '/hold'), windowUpdate(1, MOST - DEFAULT), windowUpdate(1, 1)],
  },
  {
    name: '6.9.1 the window of a stream whose request is open',
    want: 'RST_STREAM FLOW_CONTROL_ERROR',
    send: [post(1, '/hold'), windowUpdate(1, MOST)],
  },
  {
    name: '6.9.2 SETTINGS that move the window of a stream above 2^31-1',
    want: 'GOAWAY FLOW_CONTROL_ERROR',
    options: { windows: 'as they are' },
    send: [get(1, '/hold'), windowUpdate(1, MOST - DEFAULT), settings([INITIAL_WINDOW_SIZE, DEFAULT + 1])],
  },
  {
    name: '6.9.2 SETTINGS that move no window of an open stream above 2^31-1',
    want: 'ignored',
    options: { windows: 'as they are' },
    send: [
      get(1, '/hold'),
      windowUpdate(1, MOST - DEFAULT),
      settings([INITIAL_WINDOW_SIZE, 1]),
      settings([INITIAL_WINDOW_SIZE, DEFAULT]),
    ],
  },
]

describeCases('windows', server, CASES)

/** A client with a small window for streams, and the rest as it is. */
const small = (window: number, keep = true) =>
  Http2Raw.connect(server.port, { windows: 'as they are', settings: [[INITIAL_WINDOW_SIZE, window]], keep })

it('6.9.1 the server sends as much as the window of the stream allows', async () => {
  const client = await small(100)
  client.send(get(1, '/files/large'))
  await client.when('DATA', () => client.received >= 100)
  for (const [increment, sum] of [
    [1, 101],
    [899, 1000],
    [20_000, 21_000],
  ] as const) {
    client.send(windowUpdate(1, increment))
    await client.when('DATA', () => client.received >= sum)
    await client.pong()
    expect(client.received).toBe(sum)
  }
  client.destroy()
})

it('6.9.1 the server sends as much as the window of the connection allows, on all streams', async () => {
  const client = await small(2 ** 30)
  client.send(get(1, '/files/large'), get(3, '/files/large'), get(5, '/files/large'))
  await client.when('DATA', () => client.received >= DEFAULT)
  await client.pong()
  expect(client.received).toBe(DEFAULT)
  client.send(windowUpdate(0, 1000))
  await client.when('DATA', () => client.received >= DEFAULT + 1000)
  await client.pong()
  expect(client.received).toBe(DEFAULT + 1000)
  client.send(windowUpdate(0, 3 * LARGE))
  for (const stream of [1, 3, 5]) expect((await client.response(stream)).length).toBe(LARGE)
  client.destroy()
})

it('6.9.1 a stream that waits for its window does not keep others from theirs', async () => {
  const client = await small(1000)
  client.send(get(1, '/files/large'), get(3, '/files/large'))
  client.send(windowUpdate(3, LARGE), windowUpdate(0, LARGE))
  expect((await client.response(3)).length).toBe(LARGE)
  expect(client.responses.get(1)!.length).toBe(1000)
  client.send(windowUpdate(1, LARGE), windowUpdate(0, LARGE))
  expect((await client.response(1)).length).toBe(LARGE)
  client.destroy()
})

it('6.9.1 what has no content ends without a window', async () => {
  const client = await small(0)
  client.send(get(1, '/none'), get(3))
  expect((await client.response(1)).status).toBe(204)
  expect((await client.head(3)).status).toBe(200)
  await client.pong()
  expect(client.received).toBe(0)
  client.send(windowUpdate(3, 2))
  expect((await client.response(3)).body).toBe('ok')
  client.destroy()
})

it('6.9.1 windows that were opened before the request count', async () => {
  const client = await small(0)
  client.send(windowUpdate(0, LARGE), get(1, '/files/large'), windowUpdate(1, LARGE))
  expect((await client.response(1)).length).toBe(LARGE)
  client.destroy()
})

it('6.9.2 SETTINGS open the windows of streams that wait', async () => {
  const client = await small(0)
  client.send(get(1, '/files/large'), get(3, '/files/large'))
  await Promise.all([client.head(1), client.head(3)])
  client.send(settings([INITIAL_WINDOW_SIZE, 500]))
  await client.when('DATA', () => client.received >= 1000)
  await client.pong()
  expect([1, 3].map((stream) => client.responses.get(stream)!.length)).toEqual([500, 500])
  client.destroy()
})

it('6.9.2 SETTINGS make a window negative, which has to be made up for', async () => {
  const client = await small(1000)
  client.send(get(1, '/files/large'))
  await client.when('DATA', () => client.received >= 1000)
  client.send(settings([INITIAL_WINDOW_SIZE, 400]), windowUpdate(1, 600))
  await client.pong()
  expect(client.received).toBe(1000)
  client.send(windowUpdate(1, 1))
  await client.when('DATA', () => client.received >= 1001)
  client.send(settings([INITIAL_WINDOW_SIZE, 410]))
  await client.when('DATA', () => client.received >= 1011)
  await client.pong()
  expect(client.received).toBe(1011)
  client.destroy()
})

it('6.9.2 SETTINGS do not touch the window of the connection', async () => {
  const client = await small(2 ** 30)
  client.send(get(1, '/files/large'))
  await client.when('DATA', () => client.received >= DEFAULT)
  client.send(settings([INITIAL_WINDOW_SIZE, MOST]))
  await client.pong()
  expect(client.received).toBe(DEFAULT)
  client.destroy()
})

it('6.9.2 before SETTINGS of the client a window is 65535 bytes', async () => {
  const client = await Http2Raw.connect(server.port, { windows: 'as they are' })
  client.send(windowUpdate(0, LARGE), get(1, '/files/large'))
  await client.when('DATA', () => client.received >= DEFAULT)
  await client.pong()
  expect(client.received).toBe(DEFAULT)
  client.destroy()
})

it('6.9 the windows of a reset stream are of the connection again', async () => {
  const client = await small(2 ** 30)
  client.send(get(1, '/files/large'))
  await client.when('DATA', () => client.received >= DEFAULT)
  client.send(rstStream(1), get(3, '/files/large'), windowUpdate(0, LARGE))
  expect((await client.response(3)).length).toBe(LARGE)
  client.destroy()
})

/** What the server lets the client send: on a stream, and on the connection. */
async function windowsOf(client: Http2Raw): Promise<{ stream: number; connection: number }> {
  const { payload } = await client.frame('SETTINGS', 0)
  await client.pong()
  let stream = DEFAULT
  for (let at = 0; at < payload.length; at += 6) {
    if (payload.readUInt16BE(at) === INITIAL_WINDOW_SIZE) stream = payload.readUInt32BE(at + 2)
  }
  const updates = client.frames.filter((one) => one.type === 'WINDOW_UPDATE' && one.stream === 0)
  return { stream, connection: updates.reduce((sum, one) => sum + one.payload.readUInt32BE(0), DEFAULT) }
}

/** `length` bytes of DATA in frames of the usual size. */
function filling(stream: number, length: number): Buffer {
  const frames: Buffer[] = []
  for (let left = length; left > 0; left -= 16_384)
    frames.push(data(stream, Buffer.alloc(Math.min(left, 16_384)), 0))
  return Buffer.concat(frames)
}

/** All WINDOW_UPDATEs of a stream, together. */
const updated = (client: Http2Raw, stream: number) =>
  client.frames
    .filter((one) => one.type === 'WINDOW_UPDATE' && one.stream === stream)
    .reduce((sum, one) => sum + one.payload.readUInt32BE(0), 0)

it('6.9.1 more than the window of a stream: FLOW_CONTROL_ERROR', async () => {
  const client = await Http2Raw.connect(server.port)
  const { stream } = await windowsOf(client)
  client.send(post(1, '/guarded'), filling(1, stream))
  await client.pong()
  expect(client.find('RST_STREAM')).toBeUndefined()
  const opened = updated(client, 1)
  if (opened > 0) client.send(filling(1, opened))
  client.send(data(1, 'x', 0))
  expect(await client.outcome(1)).toMatch(/^(RST_STREAM|GOAWAY) FLOW_CONTROL_ERROR$/)
  client.destroy()
})

it('6.9.1 padding counts for the window of a stream', async () => {
  const client = await Http2Raw.connect(server.port)
  const { stream } = await windowsOf(client)
  client.send(post(1, '/guarded'), filling(1, stream - 100), data(1, padded('', 99), PADDED))
  await client.pong()
  const opened = updated(client, 1)
  if (opened > 0) client.send(filling(1, opened))
  client.send(data(1, padded('', 0), PADDED))
  expect(await client.outcome(1)).toMatch(/^(RST_STREAM|GOAWAY) FLOW_CONTROL_ERROR$/)
  client.destroy()
})

it.each([
  ['DATA', (stream: number) => data(stream, Buffer.alloc(16_000), 0)],
  ['padding', (stream: number) => Buffer.concat(Array(62).fill(data(stream, padded('', 255), PADDED)))],
])('6.9.1 a body of %s larger than all windows passes as they are opened again', async (_what, part) => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  const { stream, connection } = await windowsOf(client)
  const total = 40
  client.send(post(1, '/proxy'))
  let used = 0
  for (let count = 0; count < total; count++) {
    const bytes = part(1)
    await client.when(
      'window',
      () => Math.min(stream + updated(client, 1), connection + updated(client, 0)) - used >= 16_384,
    )
    client.send(bytes)
    used += 16_000
  }
  client.send(data(1, 'end'))
  expect((await client.response(1)).status).toBe(200)
  client.destroy()
})

it('6.9 DATA of streams that are closed is given back to the connection', async () => {
  const client = await Http2Raw.connect(server.port)
  const { connection } = await windowsOf(client)
  if (connection > 4 * 2 ** 20) return client.destroy()
  let used = 0
  for (let stream = 1; used < 2 * connection; stream += 2) {
    // Malformed: reset by the server before the rest of it is read.
    client.send(post(stream, '/proxy', ['content-length', '1']))
    await client.when('window', () => connection + updated(client, 0) - used >= 40_000)
    client.send(data(stream, Buffer.alloc(16_000), 0), data(stream, Buffer.alloc(16_000), END_STREAM))
    used += 32_000
  }
  client.destroy()
})
