// Look-ups of live names: the addresses of a name, or the servers of a service and their addresses.

import type { SrvRecord } from 'node:dns'
import { type Found, NOT_FOUND, type ResolverSettings } from './found.ts'
import type { LiveAddress, LiveName } from './live.ts'
import { lookUpBy } from './look-up.ts'
import { NameServers } from './query.ts'
import { systemServers } from './system-look-up.ts'

/** As `Found`, with what services say of each address. */
export type LiveFound =
  | { readonly addresses: readonly LiveAddress[]; readonly ttl: number | null }
  | Extract<Found, { failure: string }>

/** Calls `done` once. */
export type LiveLookUp = (done: (found: LiveFound) => void) => void

export function liveLookUp(live: LiveName): LiveLookUp {
  const { name, service, resolver } = live
  const lookUp = lookUpBy(resolver)
  if (service === null) {
    return (done) =>
      lookUp(name, (found) =>
        done('failure' in found ? found : { ...found, addresses: found.addresses.map((ip) => plain(ip)) }),
      )
  }
  const servers = serversOf(resolver)
  const question = serviceName(service, name)
  return (done) =>
    servers().query<SrvRecord>(
      (one, told) => one.resolveSrv(question, told),
      (part) => {
        if ('failure' in part) return done({ failure: part.failure, gone: false })
        if (part.records.length === 0) return done(NOT_FOUND as LiveFound)
        const { valid } = resolver
        addressesOf(part.records, lookUp, (found) => done(valid > 0 ? withTtl(found, valid) : found))
      },
    )
}

const plain = (ip: string): LiveAddress => ({ ip, service: null })

function serversOf({ servers, timeout }: ResolverSettings): () => NameServers {
  if (servers === null) return systemServers(timeout)
  const own = new NameServers(servers, timeout)
  return () => own
}

/** nginx: a service without dots is one of TCP (RFC 2782); one with dots stands before the name as it is. */
function serviceName(service: string, name: string): string {
  return service.includes('.') ? `${service}.${name}` : `_${service}._tcp.${name}`
}

/** Servers that cannot be found are left out; where none can, the first failure counts. */
function addressesOf(
  records: readonly SrvRecord[],
  lookUp: ReturnType<typeof lookUpBy>,
  done: (found: LiveFound) => void,
): void {
  const first = Math.min(...records.map(({ priority }) => priority))
  const parts: (Found | undefined)[] = records.map(() => undefined)
  records.forEach((record, index) => {
    lookUp(record.name, (found) => {
      parts[index] = found
      if (!parts.includes(undefined)) done(together(records, parts as Found[], first))
    })
  })
}

function together(records: readonly SrvRecord[], parts: readonly Found[], first: number): LiveFound {
  const addresses: LiveAddress[] = []
  const ttls: number[] = []
  parts.forEach((part, index) => {
    if ('failure' in part) return
    const { name: host, port, weight, priority } = records[index]!
    if (part.ttl !== null) ttls.push(part.ttl)
    for (const ip of part.addresses) {
      addresses.push({ ip, service: { host, port, weight: Math.max(1, weight), backup: priority !== first } })
    }
  })
  if (addresses.length > 0) return { addresses, ttl: ttls.length > 0 ? Math.min(...ttls) : null }
  const failed = parts.find((part) => 'failure' in part && !part.gone) ?? NOT_FOUND
  return failed as Extract<Found, { failure: string }>
}

function withTtl(found: LiveFound, ttl: number): LiveFound {
  return 'failure' in found ? found : { ...found, ttl }
}
