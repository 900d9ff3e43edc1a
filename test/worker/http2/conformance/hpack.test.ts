// RFC 9113 section 4.3 and RFC 7541: what is no field block, and the state that both sides keep of them.

import { expect, it } from 'vitest'
import {
  continuation,
  data,
  END_STREAM,
  fieldsOf,
  get,
  HEADER_TABLE_SIZE,
  headers,
  post,
  rstStream,
  settings,
} from '../../../support/http2-bytes.ts'
import {
  block,
  huffmanString,
  indexed,
  indexing,
  integer,
  literal,
  neverIndexed,
  sizeUpdate,
} from '../../../support/http2-hpack.ts'
import { bitBytes, END_CODE, huffman } from '../../../support/http2-huffman.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { type ConformanceCase, describeCases, STREAMS, withServer } from './server.ts'

const server = withServer()

const REQUEST = block(...fieldsOf('GET', '/'))
/** `/proxy`, so that the backend can show what has been decoded. */
const PROXIED = block(...fieldsOf('GET', '/proxy'))
const NAME = Buffer.from([0, 1, 0x61])
const broken = (name: string, ...parts: Buffer[]): ConformanceCase => {
  return { name, want: 'GOAWAY COMPRESSION_ERROR', send: headers(1, Buffer.concat([REQUEST, ...parts])) }
}
const atStart = (name: string, ...parts: Buffer[]): ConformanceCase => {
  return { name, want: 'GOAWAY COMPRESSION_ERROR', send: headers(1, Buffer.concat([...parts, REQUEST])) }
}
const hex = (text: string) => Buffer.from(text, 'hex')

const BLOCKS: ConformanceCase[] = [
  broken('7541 6.1 index 0', indexed(0)),
  broken('7541 2.3.3 an index behind the static table of an empty dynamic one', indexed(62)),
  broken('7541 2.3.3 a large index', indexed(1_000_000)),
  broken('7541 2.3.3 a literal whose name has no entry', literal(70, 'v')),
  broken('7541 2.3.3 an indexed literal whose name has no entry', indexing(62, 'v')),
  broken('7541 2.3.3 an index behind the last entry', indexing('a', 'b'), indexed(63)),
  broken('7541 5.1 an integer without end', hex('ff808080808080')),
  broken('7541 5.1 an integer that is too large', hex('ffffffffffffffffffff7f')),
  broken('7541 5.1 an integer of more than 32 bits', hex('ff8080808080808001')),
  broken('7541 5.2 a length of more than the block', NAME, integer(0, 7, 10), Buffer.from('short')),
  broken('7541 5.2 a length of 2^31', NAME, integer(0, 7, 2 ** 31), Buffer.from('short')),
  broken('7541 5.2 a length of 2^32 + 1', NAME, integer(0, 7, 2 ** 32 + 1), Buffer.from('s')),
  broken('7541 5.2 a block that ends behind the name', NAME),
  broken('7541 5.2 a block that ends in the name', hex('000561')),
  broken('7541 5.2 a block that ends before the name', hex('00')),
  broken('7541 5.2 Huffman padding of more than 7 bits', NAME, huffmanString(huffman('a', '111111111'))),
  broken('7541 5.2 Huffman padding of whole bytes', NAME, huffmanString(Buffer.alloc(1, 0xff))),
  broken('7541 5.2 Huffman padding with 0', NAME, huffmanString(huffman('a', '0'))),
  broken('7541 5.2 the end of a Huffman string inside it', NAME, huffmanString(bitBytes(`${END_CODE}00011`))),
  broken(
    '7541 5.2 a Huffman name with wrong padding',
    hex('00'),
    huffmanString(huffman('a', '0')),
    hex('0162'),
  ),
  broken('7541 4.2 a size update at the end', sizeUpdate(0)),
  atStart('7541 6.3 a size update of more than SETTINGS_HEADER_TABLE_SIZE', sizeUpdate(1 << 30)),
  atStart('7541 6.3 a size update of one more', sizeUpdate(4097)),
  atStart('7541 6.3 a size update of 2^32', sizeUpdate(2 ** 32)),
  {
    name: '7541 4.2 a size update behind a field',
    want: 'GOAWAY COMPRESSION_ERROR',
    send: headers(1, Buffer.concat([indexed(2), sizeUpdate(100), REQUEST])),
  },
  {
    name: '7541 4.4 an entry that a size update has evicted',
    want: 'GOAWAY COMPRESSION_ERROR',
    send: [
      headers(1, Buffer.concat([REQUEST, indexing('x-a', 'b')])),
      headers(3, Buffer.concat([sizeUpdate(0), sizeUpdate(4096), REQUEST, indexed(62)])),
    ],
    stream: 3,
  },
  {
    name: '7541 4.4 an entry that is larger than the table empties it',
    want: 'GOAWAY COMPRESSION_ERROR',
    send: [
      headers(1, Buffer.concat([REQUEST, indexing('x-a', 'b'), indexing('x-b', 'c'.repeat(4096))])),
      headers(3, Buffer.concat([REQUEST, indexed(62)])),
    ],
    stream: 3,
  },
  {
    name: '4.3 a broken block behind a stream that was reset',
    want: 'GOAWAY COMPRESSION_ERROR',
    send: [get(1), rstStream(1), headers(3, hex('80'))],
    stream: 3,
  },
  {
    name: '4.3 broken trailers',
    want: 'GOAWAY COMPRESSION_ERROR',
    send: [post(1, '/proxy'), data(1, 'b', 0), headers(1, hex('80'))],
  },
  {
    name: '4.3 a block that breaks off at END_HEADERS of CONTINUATION',
    want: 'GOAWAY COMPRESSION_ERROR',
    send: [headers(1, REQUEST, END_STREAM), continuation(1, hex('000561'))],
  },
  {
    name: '7541 6.3 two size updates',
    want: '200',
    send: headers(1, Buffer.concat([sizeUpdate(0), sizeUpdate(4096), REQUEST])),
  },
  {
    name: '7541 5.1 an integer with leading zeros',
    want: '200',
    send: headers(1, Buffer.concat([REQUEST, NAME, hex('7f80'), hex('00'), Buffer.alloc(127, 0x61)])),
  },
  {
    name: '7541 5.2 empty Huffman strings',
    want: '200',
    send: headers(1, Buffer.concat([REQUEST, NAME, huffmanString(Buffer.alloc(0))])),
  },
  {
    name: '7541 6.2.3 a field that is never indexed',
    want: '200',
    send: headers(1, Buffer.concat([REQUEST, neverIndexed('x-a', 'b')])),
  },
]

describeCases('field blocks', server, BLOCKS)

/** Sends blocks on streams 1, 3, ...; returns what the backend got of the last one. */
async function lastRequest(client: Http2Raw, ...blocks: Buffer[]): Promise<string> {
  server.backend.reset()
  for (const [index, bytes] of blocks.entries()) client.send(headers(2 * index + 1, bytes))
  await client.response(2 * blocks.length - 1)
  return server.backend.requests.at(-1)!.bytes.toString('latin1')
}

it('7541 C.5 names and values decoded by table and code reach the backend as they were', async () => {
  const client = await Http2Raw.connect(server.port)
  const all = Array.from({ length: 256 - 32 }, (_, index) => String.fromCharCode(index + 32)).filter(
    (c) => c !== '\x7f',
  )
  const value = `a${all.join('')}z`
  const coded = [hex('40'), huffmanString(huffman('x-coded')), huffmanString(huffman(value))]
  const first = Buffer.concat([PROXIED, ...coded, indexing('x-plain', 'p')])
  const second = Buffer.concat([PROXIED, indexed(63), indexed(62), literal(62, 'other')])
  const request = await lastRequest(client, first, second)
  expect(request).toContain(`x-coded: ${value}\r\nx-plain: p\r\nx-plain: other\r\n`)
  client.destroy()
})

it.each<[what: string, spoil: (client: Http2Raw) => void | Promise<void>]>([
  [
    'is malformed',
    (client) =>
      client.send(headers(1, Buffer.concat([PROXIED, indexing('x-kept', 'k'), literal('Upper', 'u')]))),
  ],
  [
    'is refused',
    async (client) => {
      for (let held = 0; held < STREAMS; held++) client.send(get(2 * held + 1, '/hold'))
      client.send(headers(2 * STREAMS + 1, Buffer.concat([PROXIED, indexing('x-kept', 'k')])))
      await client.frame('RST_STREAM', 2 * STREAMS + 1)
      client.send(rstStream(1))
    },
  ],
  [
    'is reset at once',
    (client) => client.send(headers(1, Buffer.concat([PROXIED, indexing('x-kept', 'k')])), rstStream(1)),
  ],
  [
    'comes in parts',
    (client) => {
      const whole = Buffer.concat([PROXIED, indexing('x-kept', 'k')])
      client.send(headers(1, whole.subarray(0, -3), END_STREAM), continuation(1, whole.subarray(-3)))
    },
  ],
  [
    'are trailers',
    (client) => client.send(post(1, '/proxy'), data(1, 'b', 0), headers(1, indexing('x-kept', 'k'))),
  ],
  [
    'are trailers behind the end of the answer',
    async (client) => {
      client.send(post(1, '/'))
      await client.head(1)
      client.send(headers(1, indexing('x-kept', 'k')))
    },
  ],
])('4.3 the block of a stream that %s counts for the table', async (_what, spoil) => {
  const client = await Http2Raw.connect(server.port)
  await spoil(client)
  server.backend.reset()
  client.send(headers(99, Buffer.concat([PROXIED, indexed(62)])))
  expect((await client.response(99)).status).toBe(200)
  expect(server.backend.requests.at(-1)!.bytes.toString()).toContain('x-kept: k\r\n')
  client.destroy()
  server.hold.release()
})

it('4.3.1 a client whose SETTINGS_HEADER_TABLE_SIZE is 0 is sent no reference to a table', async () => {
  const client = await Http2Raw.connect(server.port, { settings: [[HEADER_TABLE_SIZE, 0]] })
  client.hpack.restrict(0)
  for (const stream of [1, 3, 5]) {
    client.send(get(stream))
    expect((await client.response(stream)).status).toBe(200)
  }
  client.destroy()
})

it('4.3.1 a table that becomes smaller on the way, and larger again, is followed by the encoder', async () => {
  const client = await Http2Raw.connect(server.port)
  let stream = 1
  for (const size of [4096, 40, 0, 100, 65_536, 1]) {
    client.send(settings([HEADER_TABLE_SIZE, size]))
    await client.pong()
    client.hpack.restrict(size)
    for (const path of ['/', '/none', '/']) {
      client.send(get(stream, path))
      expect((await client.response(stream)).fields.map(([name]) => name)).toContain('server')
      stream += 2
    }
  }
  client.destroy()
})

it('4.3 a block cut inside a field is one block', async () => {
  const whole = block(...fieldsOf('GET', '/', ['x-long', 'l'.repeat(300)]))
  for (const cut of [0, 1, 2, 9, 10, 11, 40, whole.length - 1, whole.length]) {
    const client = await Http2Raw.connect(server.port)
    const [first, rest] = [whole.subarray(0, cut), whole.subarray(cut)]
    client.send(
      headers(1, first, END_STREAM),
      continuation(1, rest.subarray(0, 1), 0),
      continuation(1, rest.subarray(1)),
    )
    expect((await client.response(1)).status).toBe(200)
    client.destroy()
  }
})
