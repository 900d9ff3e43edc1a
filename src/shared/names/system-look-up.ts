// Look-ups by the system, in the order and with the files that `getaddrinfo` uses. It does not say how long an answer
// holds: that is asked of the system's name servers beside it, and believed where they give the same addresses.

import { getServers, lookup } from 'node:dns'
import { type Found, type LookUp, NOT_FOUND, type ResolverSettings, TIMED_OUT } from './found.ts'
import { NameServers } from './query.ts'
import { addressesFrom } from './server-look-up.ts'

/** How much longer than the system the name servers may take to say how long the answer holds, milliseconds. */
const GRACE = 50
/** The servers are asked once: their answer is a courtesy. */
const SERVER_TIMEOUT = 1_000
/** Whom the system asks where nothing is configured. */
const LOCAL = '127.0.0.1'
/** No answer of the system is used for less: every look-up holds a thread. */
const LEAST_TTL = 1_000

/** Asks the system. */
export function systemLookUp(settings: ResolverSettings): LookUp {
  const known = systemServers(SERVER_TIMEOUT)
  return (name, done) => {
    let found: Found | null = null
    let served: Found | null = null
    let over = false
    const end = (answer: Found) => {
      if (over) return
      over = true
      clearTimeout(limit)
      done(answer)
    }
    const limit = setTimeout(() => end(found === null ? TIMED_OUT : found), settings.timeout)
    limit.unref()
    lookup(name, { all: true, order: 'ipv4first', family: familyOf(settings) }, (error, addresses) => {
      if (over) return
      if (error !== null) return end(failureOf(error))
      found = { addresses: [...new Set(addresses.map(({ address }) => address))], ttl: null }
      if (served !== null) return end(withTtl(found, served))
      setTimeout(() => end(found!), GRACE)
    })
    addressesFrom(known(), name, settings, (answer) => {
      served = answer
      if (found !== null) end(withTtl(found, served))
    })
  }
}

/** Gives the system's name servers, as they are at that time. */
export function systemServers(timeout: number): () => NameServers {
  let addresses = ''
  let servers: NameServers | null = null
  return () => {
    const now = getServers()
    if (servers === null || now.join(' ') !== addresses) {
      addresses = now.join(' ')
      servers = new NameServers(now.length === 0 ? [LOCAL] : now, timeout)
    }
    return servers
  }
}

function familyOf({ ipv4, ipv6 }: ResolverSettings): 0 | 4 | 6 {
  return ipv4 && ipv6 ? 0 : ipv4 ? 4 : 6
}

function failureOf({ code }: NodeJS.ErrnoException): Found {
  return code === 'ENOTFOUND' || code === 'ENODATA'
    ? NOT_FOUND
    : { failure: '2: Server failure', gone: false }
}

/** Files and other sources may know better than the servers; then nobody knows for how long. */
function withTtl(found: Found, served: Found): Found {
  if (!('addresses' in found) || !('addresses' in served) || served.ttl === null) return found
  const same = found.addresses.every((address) => served.addresses.includes(address))
  return same ? { ...found, ttl: Math.max(LEAST_TTL, served.ttl) } : found
}
