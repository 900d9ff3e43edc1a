import { crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32, crc32OfWord } from '../../src/shared/crc32.ts'

describe('crc32', () => {
  it('is the check value of the standard for 123456789', () => {
    expect(crc32('123456789')).toBe(0xcbf43926)
  })

  it.each(['', 'a', '/index.html', '\x00\xff\x80', 'x'.repeat(1000)])('of %j is that of zlib', (text) => {
    expect(crc32(text)).toBe(zlibCrc32(Buffer.from(text, 'latin1')))
  })

  it('goes on from what was before', () => {
    expect(crc32('456789', crc32('123'))).toBe(0xcbf43926)
  })

  it.each([0, 1, 0x80000000, 0xffffffff, 0x01020304])('of the word %d is that of its bytes', (word) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(word)
    expect(crc32OfWord(word, crc32('host'))).toBe(zlibCrc32(bytes, crc32('host')))
  })
})
