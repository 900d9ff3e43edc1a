// Frames that cost their sender nothing, in great number, from a client that reads no answer or every one: it is
// stopped before they have cost much, and nothing of it stays.

import { describe, expect, it } from 'vitest'
import {
  continuation,
  data,
  END_STREAM,
  fieldsOf,
  frame,
  get,
  goaway,
  headers,
  PADDED,
  padded,
  ping,
  post,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { block, indexing, sizeUpdate } from '../../../support/http2-hpack.ts'
import { flood, nothingLeft, withHostileServer } from './setup.ts'

const server = withHostileServer()

/** Frames to a write, and writes. */
const BATCH = 1000
const MOST = 400
const EMPTY = Buffer.alloc(0)
const REQUEST = block(...fieldsOf('GET', '/'))

interface Flood {
  name: string
  /** Comes once, in front. */
  first?: Buffer
  /** Comes again and again. */
  again: Buffer
}

const FLOODS: Flood[] = [
  { name: 'PING', again: ping() },
  { name: 'acknowledgments of PING', again: ping('12345678', 1) },
  { name: 'empty SETTINGS', again: settings() },
  {
    name: 'SETTINGS of 100 values',
    again: settings(...Array.from({ length: 100 }, (_, id) => [id + 100, id] as const)),
  },
  { name: 'SETTINGS that change the table', again: Buffer.concat([settings([1, 0]), settings([1, 4096])]) },
  {
    name: 'SETTINGS that move the windows of open streams',
    first: Buffer.concat(Array.from({ length: 100 }, (_, index) => get(2 * index + 1, '/hold'))),
    again: Buffer.concat([settings([4, 0]), settings([4, 65_535])]),
  },
  { name: 'acknowledgments of SETTINGS', again: settingsAck() },
  { name: 'PRIORITY on one stream', again: priority(1) },
  { name: 'PRIORITY of a stream at work', first: get(1, '/hold'), again: priority(1, 3) },
  { name: 'WINDOW_UPDATE of one byte', again: windowUpdate(0, 1) },
  { name: 'WINDOW_UPDATE of one byte on a stream', first: get(1, '/hold'), again: windowUpdate(1, 1) },
  {
    name: 'WINDOW_UPDATE on a closed stream',
    first: Buffer.concat([get(1), rstStream(1)]),
    again: windowUpdate(1, 1),
  },
  {
    name: 'RST_STREAM on a closed stream',
    first: Buffer.concat([get(1), rstStream(1)]),
    again: rstStream(1),
  },
  { name: 'GOAWAY', again: goaway(0) },
  { name: 'unknown frames', again: frame(0x77, 0, 0) },
  { name: 'unknown frames on a stream', first: get(1, '/hold'), again: frame(0x77, 0, 1, 'x') },
  { name: 'empty DATA', first: post(1, '/hold'), again: data(1, '', 0) },
  { name: 'DATA of padding', first: post(1, '/hold'), again: data(1, padded('', 1), PADDED) },
  { name: 'empty CONTINUATION', first: headers(1, EMPTY, END_STREAM), again: continuation(1, EMPTY, 0) },
  {
    name: 'CONTINUATION of one byte',
    first: headers(1, REQUEST, END_STREAM),
    again: continuation(1, Buffer.from([0x82]), 0),
  },
  {
    name: 'CONTINUATION of fields',
    first: headers(1, REQUEST, END_STREAM),
    again: continuation(1, block(['x-a', 'b'.repeat(200)]), 0),
  },
  {
    name: 'CONTINUATION of fields that are indexed',
    first: headers(1, REQUEST, END_STREAM),
    again: continuation(1, indexing('x-a', 'b'.repeat(200)), 0),
  },
  {
    name: 'CONTINUATION inside one value',
    first: headers(1, Buffer.concat([REQUEST, Buffer.from('000178ff80ffff7f', 'hex')]), END_STREAM),
    again: continuation(1, Buffer.alloc(200, 0x61), 0),
  },
  {
    name: 'CONTINUATION inside one integer',
    first: headers(1, Buffer.concat([REQUEST, Buffer.from('ff', 'hex')]), END_STREAM),
    again: continuation(1, Buffer.from([0x80]), 0),
  },
  {
    name: 'CONTINUATION of size updates',
    first: headers(1, EMPTY, END_STREAM),
    again: continuation(1, sizeUpdate(0), 0),
  },
]

describe.each(FLOODS)('$name', ({ first, again }) => {
  it.each(['reads nothing', 'reads everything'])(
    'a client that floods and %s is stopped',
    { timeout: 30_000 },
    async (how) => {
      const client = await server.connect({ keep: false })
      await client.pong()
      if (how === 'reads nothing') client.socket.pause()
      if (first !== undefined) await client.sendAll(first)
      const batch = Buffer.concat(Array<Buffer>(BATCH).fill(again))
      expect(await flood(server, client, MOST, () => batch)).toBeLessThan(MOST)
      client.socket.resume()
      client.destroy()
      await nothingLeft(server)
    },
  )
})

it('HEADERS without fields, each a stream, are refused one by one', async () => {
  const client = await server.connect()
  for (let stream = 1; stream < 200; stream += 2) client.send(headers(stream, EMPTY))
  for (let stream = 1; stream < 200; stream += 2) {
    const outcome = await client.outcome(stream)
    expect(outcome).toMatch(/^(400|RST_STREAM PROTOCOL_ERROR|GOAWAY ENHANCE_YOUR_CALM)$/)
    if (outcome.startsWith('GOAWAY')) break
  }
  client.destroy()
  await nothingLeft(server)
})

it('a body in frames of one byte is a body', async () => {
  const client = await server.connect()
  server.backend.reset()
  const bytes = Array.from({ length: 3000 }, (_, index) =>
    data(1, String(index % 10), index < 2999 ? 0 : END_STREAM),
  )
  client.send(post(1, '/proxy'), ...bytes)
  expect((await client.response(1)).status).toBe(200)
  expect(server.backend.requests[0]!.bytes.toString()).toMatch(/\r\n\r\n(0123456789){300}$/)
  client.destroy()
  await nothingLeft(server)
})

it('a client that keeps a good connection busy with some of each is served', async () => {
  const client = await server.connect()
  for (let stream = 1; stream < 400; stream += 2) {
    client.send(ping(), settings([4, 70_000 + stream]), priority(stream), windowUpdate(0, 100), get(stream))
    expect((await client.response(stream)).status).toBe(200)
  }
  expect(client.find('GOAWAY')).toBeUndefined()
  client.destroy()
  await nothingLeft(server)
})
