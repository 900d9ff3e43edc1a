// Bytes and frames nobody would send, in every order and cut anywhere: nothing is thrown, nothing stays, and the next
// client is served.

import fc from 'fast-check'
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
  PADDED,
  PREFACE,
  padded,
  ping,
  post,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { block, indexed, indexing, literal, sizeUpdate } from '../../../support/http2-hpack.ts'
import type { Http2Raw } from '../../../support/http2-raw.ts'
import { nothingLeft, withHostileServer } from './setup.ts'

const server = withHostileServer('client_body_timeout 5s;')

/** A connection that uses most of the protocol, as it should be. */
const SESSION = Buffer.concat([
  PREFACE,
  settings([3, 100], [4, 70_000], [5, 20_000]),
  settingsAck(),
  windowUpdate(0, 100_000),
  get(1, '/', ['x-a', 'b']),
  ping(),
  priority(5, 1),
  headers(3, block(...fieldsOf('POST', '/proxy')).subarray(0, 11), 0),
  continuation(3, block(...fieldsOf('POST', '/proxy')).subarray(11)),
  data(3, padded('body ', 3), PADDED),
  windowUpdate(3, 5),
  data(3, 'and end', 0),
  headers(3, indexing('x-trailer', 't')),
  frame(0x2b, 3, 1, 'unknown'),
  headers(5, Buffer.concat([sizeUpdate(100), block(...fieldsOf('HEAD', '/')), indexed(62)])),
  post(7, '/hold'),
  data(7, 'x', 0),
  rstStream(7),
  get(9, '/files/none'),
])

async function answered(client: Http2Raw): Promise<void> {
  const statuses = await Promise.all(
    [1, 3, 5, 9].map(async (stream) => (await client.response(stream)).status),
  )
  expect(statuses).toEqual([200, 200, 200, 404])
  expect(client.find('GOAWAY')).toBeUndefined()
}

it('a connection that is cut at any byte is the same connection', async () => {
  for (let cut = 1; cut < SESSION.length; cut++) {
    const client = await server.connect({ first: null, acknowledge: false })
    await client.sendApart([SESSION.subarray(0, cut), SESSION.subarray(cut)])
    await answered(client)
    client.destroy()
  }
  await nothingLeft(server)
})

it.each([1, 2, 3, 7, 10])('a connection in pieces of %i bytes is the same connection', async (size) => {
  const client = await server.connect({ first: null, acknowledge: false })
  const count = Math.ceil(SESSION.length / size)
  await client.sendApart(
    Array.from({ length: count }, (_, at) => SESSION.subarray(at * size, (at + 1) * size)),
  )
  await answered(client)
  client.destroy()
  await nothingLeft(server)
})

it('a connection that ends at any byte leaves nothing', async () => {
  for (let cut = 0; cut < SESSION.length; cut += 2) {
    const client = await server.connect({ first: SESSION.subarray(0, cut) })
    if (cut % 4 === 0) client.socket.end()
    else client.destroy(cut % 3 === 0)
  }
  await nothingLeft(server)
})

const stream = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 12 }) },
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
)
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const number = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.constantFrom(65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
)
const flags = fc.oneof(
  fc.constantFrom(0, END_STREAM, END_HEADERS, 5, PADDED, 0x2d),
  fc.integer({ min: 0, max: 255 }),
)

const field = fc.oneof(
  fc
    .tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }))
    .map(([name, value]) => literal(name, value)),
  fc
    .tuple(
      fc.constantFrom('x-a', 'cookie', 'te', 'content-length'),
      fc.constantFrom('', '1', 'trailers', ' '),
    )
    .map(([name, value]) => indexing(name, value)),
  fc.integer({ min: 0, max: 80 }).map(indexed),
  fc.integer({ min: 0, max: 5000 }).map(sizeUpdate),
)
const request = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'CONNECT', 'x'),
    fc.constantFrom('/', '/proxy', '/stream', '/hold', '/files/none', '*', ''),
    fc.array(field, { maxLength: 3 }),
  )
  .map(([method, path, more]) => Buffer.concat([block(...fieldsOf(method, path)), ...more]))

const anyFrame = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(stream, request, flags).map(([id, payload, flag]) => headers(id, payload, flag)),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(stream, bytes, flags).map(([id, payload, flag]) => data(id, payload, flag)),
  },
  fc.tuple(stream, request).map(([id, payload]) => headers(id, payload)),
  fc.tuple(stream, bytes, flags).map(([id, payload, flag]) => continuation(id, payload, flag)),
  fc
    .tuple(stream, fc.array(field, { maxLength: 2 }))
    .map(([id, fields]) => headers(id, Buffer.concat(fields))),
  fc.tuple(stream, number).map(([id, increment]) => windowUpdate(id, increment)),
  stream.map((id) => rstStream(id)),
  fc.tuple(stream, stream).map(([id, dependency]) => priority(id, dependency)),
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 8 }), number), { maxLength: 3 })
    .map((values) => settings(...values)),
  fc.constantFrom(ping(), settingsAck(), frame('GOAWAY', 0, 0, Buffer.alloc(8))),
  fc
    .tuple(fc.integer({ min: 0, max: 12 }), flags, stream, bytes)
    .map(([type, flag, id, payload]) => frame(type, flag, id, payload)),
)

type Leave = 'served' | 'ends' | 'resets' | 'gone'

/** Sends the parts, and goes away: behind a PING that is answered (or the end of it all), with an end, or at once. */
async function attack(parts: Buffer[], leave: Leave): Promise<void> {
  const client = await server.connect({ first: parts[0]! })
  await client.sendApart(parts.slice(1))
  if (leave === 'served') {
    client.send(get(0x7ffffff1), ping('finished'))
    const finished = () =>
      client.frames.some(({ type, payload }) => type === 'PING' && payload.includes('finished'))
    await client.when('an end', () => finished() || client.closed || client.ended)
  } else if (leave === 'ends') {
    client.socket.end()
    await client.untilClosed()
  }
  client.destroy(leave === 'resets')
}

it('any frames in any order leave nothing', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFrame, { minLength: 1, maxLength: 12 }),
      fc.constantFrom<Leave>('served', 'ends', 'resets', 'gone'),
      fc.boolean(),
      async (frames, leave, together) => {
        const first = Buffer.concat([PREFACE, settings()])
        await attack(together ? [Buffer.concat([first, ...frames])] : [first, ...frames], leave)
      },
    ),
    { numRuns: 800 },
  )
  await nothingLeft(server)
})

it('a good connection with some bytes changed leaves nothing', { timeout: 60_000 }, async () => {
  const change = fc.tuple(
    fc.integer({ min: PREFACE.length, max: SESSION.length - 1 }),
    fc.integer({ min: 0, max: 255 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const spoilt = Buffer.from(SESSION)
      for (const [at, value] of changes) spoilt[at] = value
      await attack([spoilt], 'ends')
    }),
    { numRuns: 500 },
  )
  await nothingLeft(server)
})

it('any bytes behind the preface leave nothing', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (array) => {
      await attack([Buffer.concat([PREFACE, settings(), Buffer.from(array)])], 'ends')
    }),
    { numRuns: 300 },
  )
  await nothingLeft(server)
})
