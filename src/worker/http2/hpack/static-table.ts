// The static table of RFC 7541 appendix A. Its texts are literals, which V8 holds once: a field name out of it compares
// with another literal by address.

/** Names and values from index 1 on; index 0 is none. */
const ENTRIES: readonly (readonly [string, string])[] = [
  ['', ''],
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
]

/** Index of the last entry; dynamic entries follow it. */
export const STATIC_COUNT = 61

export const STATIC_NAMES: readonly string[] = ENTRIES.map(([name]) => name)
export const STATIC_VALUES: readonly string[] = ENTRIES.map(([, value]) => value)

const names = new Map<string, number>()
const fields = new Map<string, Map<string, number>>()
for (const [index, [name, value]] of ENTRIES.entries()) {
  if (index === 0) continue
  if (!names.has(name)) names.set(name, index)
  if (value === '') continue
  let values = fields.get(name)
  if (values === undefined) fields.set(name, (values = new Map()))
  values.set(value, index)
}

/** Index of the first entry called `name` (lower case); 0: none is. */
export function staticName(name: string): number {
  return names.get(name) ?? 0
}

/** Index of the entry that is `name` with `value`; 0: none is. */
export function staticField(name: string, value: string): number {
  return fields.get(name)?.get(value) ?? 0
}
