// Where a head ends among what has been read, and how much of that it keeps.

import { describe, expect, it } from 'vitest'
import { HeadReading, INCOMPLETE } from '../../../src/worker/connection/head-reading.ts'
import { DEFAULT_RULES } from '../../../src/worker/http1/head-rules.ts'

function headOf(length: number): string {
  const start = 'GET /a HTTP/1.1\r\nHost: a\r\nX: '
  return `${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`
}

describe('a head in front of others', () => {
  it.each([60, 2047, 2048, 2049, 6144, 6145, 8000])('of %d bytes ends where it does', (length) => {
    const bytes = Buffer.from(headOf(length) + headOf(60).repeat(100))
    const reading = new HeadReading()
    reading.begin(DEFAULT_RULES, 0)
    expect(reading.read(bytes, 0, bytes.length)).toBe(length)
  })

  it('does not keep them', () => {
    const bytes = Buffer.from(headOf(60).repeat(1000))
    const reading = new HeadReading()
    reading.begin(DEFAULT_RULES, 0)
    expect(reading.read(bytes, 0, bytes.length)).toBe(60)
    expect(reading.take().fields.text.length).toBeLessThanOrEqual(2048)
  })

  it('goes on where it was when more comes', () => {
    const bytes = Buffer.from(headOf(7000))
    for (const cut of [10, 2048, 5000, 6999]) {
      const reading = new HeadReading()
      reading.begin(DEFAULT_RULES, 0)
      expect(reading.read(bytes, 0, cut)).toBe(INCOMPLETE)
      expect(reading.read(bytes, cut, bytes.length)).toBe(7000)
    }
  })
})
