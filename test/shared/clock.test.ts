import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  datableSeconds,
  errorLogTime,
  formatCookieTime,
  formatErrorLogTime,
  formatHttpDate,
  formatIso8601,
  formatLocalTime,
  formatSyslogTime,
  httpDate,
  iso8601,
  localTime,
} from '../../src/shared/clock.ts'

const date = new Date('2026-11-21T02:08:50.999Z')
const zone = process.env.TZ

afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

it('the form for cookies has two digits of the year, as long as browsers read them right', () => {
  expect(formatCookieTime(date)).toBe('Sat, 21-Nov-26 02:08:50 GMT')
  expect(formatCookieTime(new Date('2005-01-02T03:04:05Z'))).toBe('Sun, 02-Jan-05 03:04:05 GMT')
  expect(formatCookieTime(new Date('2037-12-31T23:55:55Z'))).toBe('Thu, 31-Dec-37 23:55:55 GMT')
  expect(formatCookieTime(new Date('2038-01-01T00:00:00Z'))).toBe('Fri, 01-Jan-2038 00:00:00 GMT')
})

it('the syslog form has a blank before days of one digit', () => {
  expect(formatSyslogTime(new Date('2026-11-01T02:08:50Z'))).toMatch(/^Nov {2}1 \d\d:08:50$|^Oct 31 /)
})

describe.each([
  ['UTC', '21/Nov/2026:02:08:50 +0000', '2026-11-21T02:08:50+00:00', '2026/11/21 02:08:50'],
  ['Europe/Berlin', '21/Nov/2026:03:08:50 +0100', '2026-11-21T03:08:50+01:00', '2026/11/21 03:08:50'],
  ['America/St_Johns', '20/Nov/2026:22:38:50 -0330', '2026-11-20T22:38:50-03:30', '2026/11/20 22:38:50'],
  ['Asia/Kathmandu', '21/Nov/2026:07:53:50 +0545', '2026-11-21T07:53:50+05:45', '2026/11/21 07:53:50'],
])('in %s', (name, local, iso, log) => {
  beforeEach(() => {
    process.env.TZ = name
  })
  it('local forms carry its offset', () => {
    expect([formatLocalTime(date), formatIso8601(date), formatErrorLogTime(date)]).toEqual([local, iso, log])
  })
  it('the HTTP date is in GMT', () => {
    expect(formatHttpDate(date)).toBe('Sat, 21 Nov 2026 02:08:50 GMT')
  })
})

it('the HTTP date is what JavaScript calls the UTC string', () => {
  for (let time = 0; time < 4e12; time += 12_345_678_901) {
    expect(formatHttpDate(new Date(time))).toBe(new Date(time).toUTCString())
  }
})

describe.each([
  ['httpDate', httpDate, formatHttpDate],
  ['localTime', localTime, formatLocalTime],
  ['iso8601', iso8601, formatIso8601],
  ['errorLogTime', errorLogTime, formatErrorLogTime],
])('%s', (_, cached, format) => {
  it('changes with the second, in both directions', () => {
    for (const at of [1_000_000, 1_000_999, 1_001_000, 1_000_999, 5_000_000]) {
      expect(cached(at)).toBe(format(new Date(at)))
    }
  })
  it('is the current time without an argument', () => {
    expect([cached(), cached()]).toContain(cached(Date.now()))
  })
})

it.each([
  [1_000, 1],
  [-1, -1],
  [9_999_999_999_999_000, 253_402_300_799],
  [-9_999_999_999_999_000, -62_167_219_200],
])('datableSeconds of %d is %d, which every form can write', (milliseconds, seconds) => {
  expect(datableSeconds(milliseconds)).toBe(seconds)
  const at = new Date(seconds * 1000)
  expect(formatHttpDate(at)).toMatch(/^\w{3}, \d\d \w{3} \d{1,4} \d\d:\d\d:\d\d GMT$/)
  expect(at.toISOString()).toMatch(/^\d{4}-/)
})
