// The decoder against the examples of RFC 7541 appendix C, against what a hostile peer may send, and against noise.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HpackDecoder } from '../../../../src/worker/http2/hpack/decoder.ts'
import { decode, hex } from './collect.ts'

const request = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
]

const response = [
  [
    ':status: 302',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 307',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    'location: https://www.example.com',
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
]

describe('appendix C', () => {
  it.each([
    [
      'C.2.1',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      'custom-key: custom-header',
    ],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path'],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret !'],
    ['C.2.4', '82', ':method: GET'],
  ])('%s', (_name, block, field) => {
    expect(decode(new HpackDecoder(4096), hex(block))).toEqual({ error: null, fields: [field] })
  })

  it.each([
    [
      'C.3',
      4096,
      [
        '828684410f7777772e6578616d706c652e636f6d',
        '828684be58086e6f2d6361636865',
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      ],
      request,
    ],
    [
      'C.4',
      4096,
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ],
      request,
    ],
    [
      'C.5',
      256,
      [
        '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
          '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
        '4803333037c1c0bf',
        '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d41' +
          '53444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
      ],
      response,
    ],
    [
      'C.6',
      256,
      [
        '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
        '4883640effc1c0bf',
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b39' +
          '60d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      ],
      response,
    ],
  ])('%s, blocks that build on each other', (_name, size, blocks, expected) => {
    const decoder = new HpackDecoder(size)
    for (const [index, block] of blocks.entries()) {
      expect(decode(decoder, hex(block))).toEqual({ error: null, fields: expected[index] })
    }
  })
})

describe('the dynamic table', () => {
  const custom = '40 01 61 01 62'

  it('of the size announced, takes an update up to it and refuses a larger one', () => {
    expect(decode(new HpackDecoder(4096), hex('3f e1 1f', custom)).error).toBe(null)
    expect(decode(new HpackDecoder(4096), hex('3f e2 1f', custom)).error).toBe(
      'invalid table size update: 4097',
    )
  })

  it('made smaller and larger at the start of a block, has lost its entries', () => {
    const decoder = new HpackDecoder(4096)
    expect(decode(decoder, hex(custom, 'be')).fields).toEqual(['a: b', 'a: b'])
    expect(decode(decoder, hex('20 3f e1 1f', 'be')).error).toBe('invalid hpack table index 62')
  })

  it('updated behind a field, or more than twice, refuses the block', () => {
    expect(decode(new HpackDecoder(4096), hex('82 20')).error).toBe('table size update behind header fields')
    expect(decode(new HpackDecoder(4096), hex('20 21 20 82')).error).toBe('too many table size updates')
  })

  it('limited further, wants the next block to begin with an update', () => {
    const decoder = new HpackDecoder(4096)
    decode(decoder, hex(custom))
    decoder.limit(0)
    expect(decode(decoder, hex('82')).error).toBe('no table size update')
    const other = new HpackDecoder(4096)
    decode(other, hex(custom))
    other.limit(0)
    expect(decode(other, hex('20 82')).fields).toEqual([':method: GET'])
    expect(decode(other, hex('21 82')).error).toBe('invalid table size update: 1')
    expect(decode(other, hex('be')).error).toBe('invalid hpack table index 62')
  })

  it('allowed more, takes it only once an update says so', () => {
    const decoder = new HpackDecoder(40)
    decoder.limit(4096)
    expect(decode(decoder, hex(custom, custom, 'be bf')).error).toBe('invalid hpack table index 63')
    expect(decode(decoder, hex('3f e1 1f', custom, custom, 'be bf')).error).toBe(null)
  })

  it('given an entry larger than itself, is empty', () => {
    const decoder = new HpackDecoder(40)
    const large = `40 01 61 14 ${'62'.repeat(20)}`
    expect(decode(decoder, hex(custom, large)).error).toBe(null)
    expect(decode(decoder, hex('be')).error).toBe('invalid hpack table index 62')
  })

  it('given a field whose name is that of the entry it pushes out, still has the name', () => {
    const decoder = new HpackDecoder(36)
    expect(decode(decoder, hex('40 03 61 62 63 01 64', '7e 01 65', 'be')).fields).toEqual([
      'abc: d',
      'abc: e',
      'abc: e',
    ])
  })

  it('keeps what comes after the target has had enough', () => {
    const decoder = new HpackDecoder(4096)
    expect(decode(decoder, hex(custom, '40 01 63 01 64'), 1)).toEqual({ error: null, fields: ['a: b'] })
    expect(decode(decoder, hex('be bf')).fields).toEqual(['c: d', 'a: b'])
  })
})

describe('a malformed block', () => {
  it.each([
    ['an index of zero', '80', 'zero hpack table index'],
    ['an index behind the static table', 'be', 'invalid hpack table index 62'],
    ['a name out of nowhere', '7e 01 61', 'invalid hpack table index 62'],
    ['an index that goes on at the end', 'ff', 'header block with incorrect length'],
    ['an index of six octets', 'ff 80 80 80 80 00', 'header block with too long value'],
    ['an index far too large', 'ff ff ff ff 7f', 'invalid hpack table index 268435582'],
    ['no name', '40', 'header block with incorrect length'],
    ['a name that is cut off', '40 02 61', 'header block with incorrect length'],
    ['no value', '40 01 61', 'header block with incorrect length'],
    ['a value that is cut off', '40 01 61 05 62', 'header block with incorrect length'],
    ['a length far too large', '40 7f ff ff ff 7f 61', 'header block with incorrect length'],
    ['padding of a whole octet', '04 82 1f ff', 'invalid encoded header field'],
    ['padding with zeros', '04 81 18', 'invalid encoded header field'],
    ['the EOS symbol', '04 84 ff ff ff ff', 'invalid encoded header field'],
    ['a code that is cut off', '04 82 ff fe', 'invalid encoded header field'],
  ])('with %s is refused', (_name, block, error) => {
    expect(decode(new HpackDecoder(4096), hex(block)).error).toBe(error)
  })

  it('that refers to a large entry again and again, copies nothing', () => {
    const decoder = new HpackDecoder(4096)
    const large = `40 01 61 7f b1 1e ${'62'.repeat(4016)}`
    decode(decoder, hex(large))
    const values = new Set<string>()
    let total = 0
    const bytes = Buffer.alloc(16384, 0xbe)
    const error = decoder.decode(bytes, 0, bytes.length, {
      field(_name, value) {
        values.add(value)
        total += value.length
        return total < 1_000_000
      },
    })
    expect([error, values.size, total]).toEqual([null, 1, 249 * 4016 + 4016])
  })

  it('of any bytes, neither throws nor gives more than the block can hold', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder(512)
        for (const block of blocks) {
          const { error, fields } = decode(decoder, Buffer.from(block))
          expect(fields.length).toBeLessThanOrEqual(block.length)
          for (const field of fields) expect(field.length).toBeLessThan(1024)
          if (error !== null) return
        }
      }),
      { numRuns: 2000 },
    )
  })
})
