// Field blocks that are small to send and large to hold, and games with the table: refused within the bounds of
// large_client_header_buffers and max_headers, before the backend hears of them.

import { expect, it } from 'vitest'
import {
  continuation,
  END_HEADERS,
  END_STREAM,
  fieldsOf,
  get,
  headers,
} from '../../../support/http2-bytes.ts'
import {
  block,
  type Field,
  huffmanString,
  indexed,
  indexing,
  literal,
  sizeUpdate,
} from '../../../support/http2-hpack.ts'
import { bitBytes } from '../../../support/http2-huffman.ts'
import { nothingLeft, withHostileServer } from './setup.ts'

const server = withHostileServer()

const PROXIED = block(...fieldsOf('GET', '/proxy'))
const times = (count: number, bytes: Buffer) => Buffer.concat(Array<Buffer>(count).fill(bytes))
const MANY_FIELDS = times(3000, literal('x-a', 'b'))
/** The largest entry that a table of 4096 bytes takes: its name `x-bomb`. */
const LARGE = 'b'.repeat(4096 - 32 - 6)

/** HEADERS and CONTINUATION frames of 16384 bytes at most. */
function blockFrames(stream: number, whole: Buffer): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at === 0 || at < whole.length; at += 16_384) {
    const part = whole.subarray(at, at + 16_384)
    const last = at + 16_384 >= whole.length ? END_HEADERS : 0
    frames.push(at === 0 ? headers(stream, part, END_STREAM | last) : continuation(stream, part, last))
  }
  return Buffer.concat(frames)
}

const REFUSED =
  /^(400|431|494|RST_STREAM \w+|GOAWAY (ENHANCE_YOUR_CALM|PROTOCOL_ERROR|COMPRESSION_ERROR|INTERNAL_ERROR))$/

it.each<[name: string, whole: Buffer]>([
  [
    '16000 references to an entry of 4 KiB',
    Buffer.concat([PROXIED, indexing('x-bomb', LARGE), times(16_000, indexed(62))]),
  ],
  [
    '300000 references to an entry of 4 KiB',
    Buffer.concat([PROXIED, indexing('x-bomb', LARGE), times(300_000, indexed(62))]),
  ],
  ['16000 references to :path', Buffer.concat([PROXIED, times(16_000, indexed(4))])],
  [
    '16000 references to a cookie',
    Buffer.concat([PROXIED, indexing('cookie', 'c'.repeat(2000)), times(16_000, indexed(62))]),
  ],
  ['3000 fields', Buffer.concat([PROXIED, MANY_FIELDS])],
  ['a field of 100 KiB', Buffer.concat([PROXIED, literal('x-a', 'b'.repeat(100_000))])],
  ['a field of 8 MiB', Buffer.concat([PROXIED, literal('x-a', 'b'.repeat(8_000_000))])],
  ['a name of 100 KiB', Buffer.concat([PROXIED, literal('b'.repeat(100_000), 'x')])],
  [
    'a :path of 100 KiB',
    block(
      [':method', 'GET'],
      [':scheme', 'http'],
      [':authority', 'a'],
      [':path', `/proxy${'p'.repeat(100_000)}`],
    ),
  ],
  [
    '64 fields of 4 KiB',
    Buffer.concat([
      PROXIED,
      ...Array.from({ length: 64 }, (_, index) => literal(`x-${index}`, 'b'.repeat(4096))),
    ]),
  ],
  [
    'a Huffman string of 40 KiB of 5-bit codes',
    Buffer.concat([PROXIED, Buffer.from([0, 1, 0x61]), huffmanString(bitBytes('00011'.repeat(65_536)))]),
  ],
])('%s: refused', async (_name, whole) => {
  server.backend.reset()
  const client = await server.connect()
  await client.sendAll(blockFrames(1, whole))
  const outcome = await client.outcome(1)
  expect(outcome).toMatch(REFUSED)
  expect(server.backend.requests).toEqual([])
  if (!outcome.startsWith('GOAWAY')) {
    client.send(headers(3, PROXIED))
    expect((await client.response(3)).status).toBe(200)
  }
  client.destroy()
  await nothingLeft(server)
})

it('a block that is refused for its size still fills the table as its sender thinks', async () => {
  const client = await server.connect()
  server.backend.reset()
  client.send(
    blockFrames(1, Buffer.concat([PROXIED, indexing('x-early', '1'), MANY_FIELDS, indexing('x-late', '2')])),
  )
  const outcome = await client.outcome(1)
  expect(outcome).toMatch(REFUSED)
  if (!outcome.startsWith('GOAWAY')) {
    client.send(headers(3, Buffer.concat([PROXIED, indexed(62), indexed(63)])))
    expect((await client.response(3)).status).toBe(200)
    expect(server.backend.requests[0]!.bytes.toString()).toContain('x-late: 2\r\nx-early: 1\r\n')
  }
  client.destroy()
  await nothingLeft(server)
})

it('fields up to the limits are passed on', async () => {
  const client = await server.connect()
  server.backend.reset()
  const many = Array.from({ length: 400 }, (_, index): Field => [`x-${index}`, `v${index}`])
  client.send(blockFrames(1, Buffer.concat([PROXIED, block(...many)])))
  expect((await client.response(1)).status).toBe(200)
  expect(server.backend.requests[0]!.bytes.toString()).toContain('x-399: v399\r\n')
  client.destroy()
})

it('a table that is emptied and filled in every block does no harm', async () => {
  const client = await server.connect()
  const fill = Buffer.concat(Array.from({ length: 100 }, (_, index) => indexing(`x-${index}`, '')))
  const whole = Buffer.concat([sizeUpdate(0), sizeUpdate(4096), block(...fieldsOf('GET', '/')), fill])
  for (let stream = 1; stream < 400; stream += 2) {
    client.send(headers(stream, whole))
    expect((await client.response(stream)).status).toBe(200)
  }
  client.destroy()
  await nothingLeft(server)
})

it.each([1000, 15_000])('%i size updates in front of a block do no harm', async (count) => {
  const client = await server.connect()
  client.send(
    headers(1, Buffer.concat([times(count, sizeUpdate(1)), block(...fieldsOf('GET', '/'))])),
    get(3),
  )
  const outcome = await client.outcome(1)
  if (!outcome.startsWith('GOAWAY')) {
    expect(outcome).toBe('200')
    expect((await client.response(3)).status).toBe(200)
  }
  client.destroy()
  await nothingLeft(server)
})

it('a block that goes on behind all bounds ends the connection before it is whole', async () => {
  const client = await server.connect()
  client.send(headers(1, PROXIED, END_STREAM))
  // Far more than four buffers of 8 KiB, in few frames.
  for (let count = 0; count < 20; count++) client.send(continuation(1, times(16_384, Buffer.from([0x84])), 0))
  expect(await client.outcome(1)).toBe('GOAWAY ENHANCE_YOUR_CALM')
  client.destroy()
  await nothingLeft(server)
})
