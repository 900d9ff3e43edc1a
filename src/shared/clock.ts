// Time as text, each form put together at most once a second: response heads and log lines ask for it all the time.
// Every thread has its own copy.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** One textual form of the time, valid for the second it was made in. */
class CachedForm {
  readonly #make: (date: Date) => string
  #second = Number.NaN
  #text = ''

  constructor(make: (date: Date) => string) {
    this.#make = make
  }

  at(milliseconds: number): string {
    const second = Math.floor(milliseconds / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#text = this.#make(new Date(second * 1000))
    }
    return this.#text
  }
}

/** RFC 9110 section 5.6.7, IMF-fixdate: `Sat, 21 Nov 2026 02:08:50 GMT`. */
export function formatHttpDate(date: Date): string {
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}`
  return `${day} ${date.getUTCFullYear()} ${clockTime(date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds())} GMT`
}

/** The older form that nginx gives cookies: `Sat, 21-Nov-26 02:08:50 GMT`, with four digits of the year from 2038 on. */
export function formatCookieTime(date: Date): string {
  const year = date.getUTCFullYear()
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}`
  const clock = clockTime(date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds())
  return `${day}-${year > 2037 ? year : two(year % 100)} ${clock} GMT`
}

/** The first second of year 0 and the last of 9999. */
const FIRST_SECOND = -62_167_219_200
const LAST_SECOND = 253_402_300_799

/** Whole seconds of a time in milliseconds, which a file system may have far outside of what dates can name: the nearest. */
export function datableSeconds(milliseconds: number): number {
  return Math.min(Math.max(Math.floor(milliseconds / 1000), FIRST_SECOND), LAST_SECOND)
}

/** `$time_local`: `21/Nov/2026:02:08:50 +0000`, in the zone the process runs in. */
export function formatLocalTime(date: Date): string {
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`
  return `${day}:${localClock(date)} ${zoneOffset(date, '')}`
}

/** `$time_iso8601`: `2026-11-21T02:08:50+00:00`, in the zone the process runs in. */
export function formatIso8601(date: Date): string {
  return `${localDay(date, '-')}T${localClock(date)}${zoneOffset(date, ':')}`
}

/** The time at the head of an error-log line: `2026/11/21 02:08:50`, in the zone the process runs in. */
export function formatErrorLogTime(date: Date): string {
  return `${localDay(date, '/')} ${localClock(date)}`
}

/** The time in a syslog message (RFC 3164 section 4.1.2): `Nov  1 02:08:50`, in the zone the process runs in. */
export function formatSyslogTime(date: Date): string {
  return `${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${localClock(date)}`
}

const httpDateForm = new CachedForm(formatHttpDate)
const localTimeForm = new CachedForm(formatLocalTime)
const iso8601Form = new CachedForm(formatIso8601)
const errorLogForm = new CachedForm(formatErrorLogTime)
const syslogForm = new CachedForm(formatSyslogTime)

/** The current time for a `Date` field; see formatHttpDate. */
export function httpDate(at = Date.now()): string {
  return httpDateForm.at(at)
}

/** The current time for `$time_local`; see formatLocalTime. */
export function localTime(at = Date.now()): string {
  return localTimeForm.at(at)
}

/** The current time for `$time_iso8601`; see formatIso8601. */
export function iso8601(at = Date.now()): string {
  return iso8601Form.at(at)
}

/** The current time for an error-log line; see formatErrorLogTime. */
export function errorLogTime(at = Date.now()): string {
  return errorLogForm.at(at)
}

/** The current time for a syslog message; see formatSyslogTime. */
export function syslogTime(at = Date.now()): string {
  return syslogForm.at(at)
}

function localDay(date: Date, separator: string): string {
  return `${date.getFullYear()}${separator}${two(date.getMonth() + 1)}${separator}${two(date.getDate())}`
}

function localClock(date: Date): string {
  return clockTime(date.getHours(), date.getMinutes(), date.getSeconds())
}

function clockTime(hours: number, minutes: number, seconds: number): string {
  return `${two(hours)}:${two(minutes)}:${two(seconds)}`
}

function zoneOffset(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset()
  const absolute = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}${separator}${two(absolute % 60)}`
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}
