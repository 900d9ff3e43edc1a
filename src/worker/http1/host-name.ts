// What the value of Host, or the authority of a target, says of the server that is meant.

import { flat } from '../../shared/latin1.ts'

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
const LONGEST_KNOWN = 255

/** As normalizeHost, remembered. */
export function hostName(value: string): string | null {
  const known = knownHosts.get(value)
  if (known !== undefined) return known
  if (value.length > LONGEST_KNOWN) return normalizeHost(value)
  if (knownHosts.size >= KNOWN_HOSTS) knownHosts.clear()
  // A part of a head would keep the whole of it in memory.
  const own = flat(value)
  const name = normalizeHost(own)
  knownHosts.set(own, name)
  return name
}
