// What the encoder and the literals make, read by the decoder here and by nghttp2's in node:http2.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HpackDecoder } from '../../../../src/worker/http2/hpack/decoder.ts'
import { HpackEncoder } from '../../../../src/worker/http2/hpack/encoder.ts'
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../../../src/worker/http2/hpack/huffman.ts'
import {
  field,
  integer,
  linesBlock,
  statusField,
  stringLiteral,
} from '../../../../src/worker/http2/hpack/literals.ts'
import { decode } from './collect.ts'

const octets = (text: string) => [...text].map((char) => char.charCodeAt(0))
const latin1 = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

describe('integers', () => {
  it.each([
    ['C.1.1', 10, 31, [10]],
    ['C.1.2', 1337, 31, [31, 154, 10]],
    ['C.1.3', 42, 255, [42]],
    ['that fill the prefix', 31, 31, [31, 0]],
    ['of 31 bits', 0x7fffffff, 31, [31, 224, 255, 255, 255, 7]],
  ])('%s', (_name, value, mask, expected) => {
    expect(octets(integer(value, mask, 0))).toEqual(expected)
  })
})

describe('the Huffman code', () => {
  it('gives every text back, in as many bytes as announced', () => {
    fc.assert(
      fc.property(latin1, (text) => {
        const encoded = Buffer.from(huffmanEncode(text), 'latin1')
        expect(encoded.length).toBe(huffmanLength(text))
        expect(huffmanDecode(encoded, 0, encoded.length)).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  it('of texts longer than its scratch memory', () => {
    const text = 'e'.repeat(100_000)
    const encoded = Buffer.from(huffmanEncode(text), 'latin1')
    expect(huffmanDecode(encoded, 0, encoded.length)).toBe(text)
  })

  it('is used where it is shorter only', () => {
    expect(stringLiteral('www.example.com').charCodeAt(0)).toBe(0x8c)
    expect(stringLiteral('\x00\x01')).toBe('\x02\x00\x01')
    expect(stringLiteral('')).toBe('\x00')
  })
})

describe('literals', () => {
  it('of the static table are an index', () => {
    expect(octets(statusField(200))).toEqual([0x88])
    expect(octets(field(':method', 'POST'))).toEqual([0x83])
  })

  it('of lines have lower-case names, and the secret ones are never indexed', () => {
    const lines = 'Server: weir\r\nX-A:b\r\nSet-Cookie: a=b\r\nX-Empty: \r\nAuthorization: Basic abc\r\n'
    for (let times = 0; times < 3; times++) {
      expect(decode(new HpackDecoder(4096), linesBlock(lines)).fields).toEqual([
        'server: weir',
        'x-a: b',
        'set-cookie: a=b !',
        'x-empty: ',
        'authorization: Basic abc !',
      ])
    }
  })

  it('of the same lines stay the same whatever came in between', () => {
    const lines = 'Server: weir\r\nVary: *\r\n'
    const block = linesBlock(lines)
    linesBlock(lines)
    for (let index = 0; index < 5000; index++) linesBlock(`X-Number: ${index % 2500}\r\n`)
    expect(linesBlock(lines)).toBe(block)
  })
})

describe('the encoder', () => {
  it('without a table, says nothing of one unless the peer takes its own away', () => {
    const encoder = new HpackEncoder()
    expect(encoder.begin()).toBe('')
    encoder.setMaxTableSize(8192)
    expect(encoder.begin()).toBe('')
    encoder.setMaxTableSize(100)
    expect(octets(encoder.begin())).toEqual([0x20])
    expect(encoder.begin()).toBe('')
    expect(encoder.field('x-a', 'b')).toBe(encoder.field('x-a', 'b'))
  })

  it('with a smaller table than there may be, says so first', () => {
    expect(octets(new HpackEncoder(30).begin())).toEqual([0x3e])
  })

  it('whose peer allows less and then more, says both', () => {
    const encoder = new HpackEncoder(4096)
    const decoder = new HpackDecoder(4096)
    decode(decoder, encoder.begin() + encoder.field('x-a', 'b'))
    encoder.setMaxTableSize(0)
    encoder.setMaxTableSize(4096)
    decoder.limit(0)
    decoder.limit(4096)
    const begin = encoder.begin()
    expect(octets(begin)).toEqual([0x20, 0x3f, 0xe1, 0x1f])
    expect(decode(decoder, begin + encoder.field('x-a', 'b')).fields).toEqual(['x-a: b'])
  })

  it('takes an octet for what it has said before, and never one for a secret', () => {
    const encoder = new HpackEncoder(4096)
    encoder.field('x-long-name', 'a long value')
    expect(octets(encoder.field('x-long-name', 'a long value'))).toEqual([62 + 128])
    const secret = encoder.field('authorization', 'Bearer abcdefghijklmnopqrstuvwxyz')
    expect(encoder.field('authorization', 'Bearer abcdefghijklmnopqrstuvwxyz')).toBe(secret)
    expect(secret.charCodeAt(0)).toBe(0x1f)
  })

  it('gives every field back, whatever the sizes of tables between blocks', () => {
    const name = fc.constantFrom('x-a', 'x-b', 'x-c', 'accept', 'cookie', ':path')
    const value = fc.oneof(fc.constantFrom('1', '2', '3', 'a value'), latin1)
    const blocks = fc.array(
      fc.record({
        limit: fc.option(fc.integer({ min: 0, max: 8192 })),
        fields: fc.array(fc.tuple(name, value), { maxLength: 12 }),
      }),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8192 }), blocks, (wanted, list) => {
        const encoder = new HpackEncoder(wanted)
        const decoder = new HpackDecoder(4096)
        for (const { limit, fields } of list) {
          if (limit !== null) {
            encoder.setMaxTableSize(limit)
            decoder.limit(limit)
          }
          const block =
            encoder.begin() + fields.map(([name, value]) => encoder.field(name, value, false)).join('')
          const expected = fields.map(([name, value]) => `${name}: ${value}`)
          expect(decode(decoder, block)).toEqual({ error: null, fields: expected })
        }
      }),
      { numRuns: 500 },
    )
  })
})
