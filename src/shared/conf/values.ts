// The scalar syntax of nginx.conf: integers, sizes with k m g, times with units. Pure functions; null means invalid.

/** nginx keeps these numbers in signed 64 bits; larger ones are invalid. */
const MAX_INTEGER = 2n ** 63n - 1n

/** Decimal digits only. Above 2^53 the result is rounded. */
export function parseInteger(text: string): number | null {
  return /^\d+$/.test(text) && BigInt(text) <= MAX_INTEGER ? Number(text) : null
}

const sizeUnits: Record<string, number> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Bytes, or `k` and `m` (either case). */
export function parseSize(text: string): number | null {
  return /g$/i.test(text) ? null : parseOffset(text)
}

/** Bytes, or `k`, `m` and `g` (either case). */
export function parseOffset(text: string): number | null {
  const scale = sizeUnits[text.slice(-1).toLowerCase()] ?? 1
  const count = parseInteger(scale === 1 ? text : text.slice(0, -1))
  return count === null || BigInt(count) * BigInt(scale) > MAX_INTEGER ? null : count * scale
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Units from the longest to the shortest: a time names them in this order, each once. */
const timeUnits = ['y', 'M', 'w', 'd', 'h', 'm', 's', 'ms']
const unitLengths = [365 * DAY, 30 * DAY, 7 * DAY, DAY, 60 * MINUTE, MINUTE, 1000, 1]
const WEEK_INDEX = timeUnits.indexOf('w')
const SECOND_INDEX = timeUnits.indexOf('s')

/** `1h30m`, `500ms`, `10` (seconds) -> milliseconds. As in nginx, years and months are for `parseSeconds` only. */
export function parseTime(text: string): number | null {
  return parseUnits(text, WEEK_INDEX, timeUnits.length - 1)
}

/** A time nginx counts in seconds, `1y`, `1M2d`: without `ms`. The result is in milliseconds nevertheless. */
export function parseSeconds(text: string): number | null {
  return parseUnits(text, 0, SECOND_INDEX)
}

function parseUnits(text: string, first: number, last: number): number | null {
  const part = /(\d*)(ms|[yMwdhms ]|$) */y
  let next = first
  let total = 0
  if (!/\d/.test(text)) return null
  while (part.lastIndex < text.length) {
    const [, digits, unit] = part.exec(text) ?? []
    if (digits === undefined || unit === undefined) return null
    // A number without unit is in seconds, and the last one; nginx takes one even after `s` and `ms`.
    const index = unit === '' || unit === ' ' ? SECOND_INDEX : timeUnits.indexOf(unit)
    if (unit !== '' && (index < next || index > last)) return null
    const count = parseInteger(digits === '' ? '0' : digits)
    if (count === null) return null
    total += count * unitLengths[index]!
    next = unit === ' ' ? timeUnits.length : index + 1
  }
  return total < Number(MAX_INTEGER) ? total : null
}
