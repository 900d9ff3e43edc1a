// What the value of Host, or the authority of a target, says of the server that is meant.

/** RFC 3986 section 3.2.2, a port of digits. */
const HOST_VALUE = /^(\[[A-Za-z0-9:._~!$&'()*+,;=-]*\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::(\d*))?$/

/** A Host value as nginx compares it: lower case, without port and trailing dot. null when it is not one. */
export function normalizeHost(value: string): string | null {
  const match = HOST_VALUE.exec(value)
  if (match === null || Number(match[2] ?? 0) > 65535) return null
  let host = match[1]!.toLowerCase()
  if (host.includes('..')) return null
  if (host.endsWith('.')) host = host.slice(0, -1)
  return host === '' ? null : host
}

/** What Host values mean: clients send the same few over and over. */
const knownHosts = new Map<string, string | null>()
const KNOWN_HOSTS = 1000

/** As normalizeHost, remembered. */
export function hostName(value: string): string | null {
  let name = knownHosts.get(value)
  if (name !== undefined) return name
  name = normalizeHost(value)
  if (knownHosts.size >= KNOWN_HOSTS) knownHosts.clear()
  if (value.length <= 255) knownHosts.set(value, name)
  return name
}
