// Dates in their three forms, and what is none.

import { describe, expect, it } from 'vitest'
import { parseHttpDate } from '../../src/shared/http-date.ts'

describe('parseHttpDate', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', 784_111_777],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 784_111_777],
    ['Sun Nov  6 08:49:37 1994', 784_111_777],
    ['Sun, 06 Nov 1994 08:49:37', 784_111_777],
    ['Thu, 29 Feb 2024 00:00:00 GMT', 1_709_164_800],
    ['Thursday, 01-Jan-69 00:00:00 GMT', 3_124_224_000],
  ])('%s is %i', (text, seconds) => {
    expect(parseHttpDate(text)).toBe(seconds)
  })
  it.each([
    '',
    'never',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Xov 1994 08:49:37 GMT',
  ])('%s is none', (text) => {
    expect(parseHttpDate(text)).toBe(-1)
  })
})
