// Dates as clients and backends write them (RFC 9110 section 5.6.7), read as leniently as nginx reads them.

/** `Sun, 06 Nov 1994 08:49:37 GMT`. What follows the seconds does not count. */
const IMF_FIXDATE = /^[^, ]*, *(?<day>\d\d) (?<month>[JFMASOND]..) (?<year>\d{4}) (?<clock>\d\d:\d\d:\d\d)/
/** `Sunday, 06-Nov-94 08:49:37 GMT`. */
const RFC_850 = /^[^, ]*, *(?<day>\d\d)-(?<month>[JFMASOND]..)-(?<year>\d\d) (?<clock>\d\d:\d\d:\d\d)/
/** `Sun Nov  6 08:49:37 1994`. */
const ASCTIME = /^[^, ]* +(?<month>[JFMASOND]..). ?(?<day>\d\d?) (?<clock>\d\d:\d\d:\d\d) (?<year>\d{4})/

/** Seconds since the epoch; -1 for text that is no date. */
export function parseHttpDate(text: string): number {
  const match = IMF_FIXDATE.exec(text) ?? RFC_850.exec(text) ?? ASCTIME.exec(text)
  if (match === null) return -1
  const { day, month, year, clock } = match.groups as Record<'day' | 'month' | 'year' | 'clock', string>
  const [hour, minute, second] = clock.split(':').map(Number) as [number, number, number]
  if (hour > 23 || minute > 59 || second > 59) return -1
  const time = Date.UTC(fullYear(year), monthNumber(month), Number(day), hour, minute, second)
  // A day that the month does not have.
  if (new Date(time).getUTCDate() !== Number(day)) return -1
  return time / 1000
}

function fullYear(digits: string): number {
  const year = Number(digits)
  if (digits.length === 4) return year
  return year < 70 ? 2000 + year : 1900 + year
}

/** As nginx, no more letters are looked at than tell the months apart. */
function monthNumber(name: string): number {
  switch (name[0]) {
    case 'J':
      return name[1] === 'a' ? 0 : name[2] === 'n' ? 5 : 6
    case 'F':
      return 1
    case 'M':
      return name[2] === 'r' ? 2 : 4
    case 'A':
      return name[1] === 'p' ? 3 : 7
    default:
      return 'SOND'.indexOf(name[0]!) + 8
  }
}
