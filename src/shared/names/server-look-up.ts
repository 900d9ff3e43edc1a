// Look-ups by the name servers of a `resolver` directive: A and AAAA records together.

import type { RecordWithTtl } from 'node:dns'
import { type Found, type LookUp, NOT_FOUND, type ResolverSettings } from './found.ts'
import { type Ask, NameServers, type Part } from './query.ts'

type Records = Part<RecordWithTtl>

/** Asks `settings.servers`. */
export function serverLookUp(settings: ResolverSettings & { servers: readonly string[] }): LookUp {
  const servers = new NameServers(settings.servers, settings.timeout)
  return (name, done) => addressesFrom(servers, name, settings, done)
}

/** Asks for all addresses of a name. */
export function addressesFrom(
  servers: NameServers,
  name: string,
  { ipv4, ipv6 }: Pick<ResolverSettings, 'ipv4' | 'ipv6'>,
  done: (found: Found) => void,
): void {
  const kinds: Ask<RecordWithTtl>[] = []
  if (ipv4) kinds.push((resolver, told) => resolver.resolve4(name, { ttl: true }, told))
  if (ipv6) kinds.push((resolver, told) => resolver.resolve6(name, { ttl: true }, told))
  const parts: (Records | undefined)[] = kinds.map(() => undefined)
  kinds.forEach((ask, index) => {
    servers.query(ask, (part) => {
      parts[index] = part
      if (!parts.includes(undefined)) done(together(parts as Records[]))
    })
  })
}

/** As in nginx one kind of addresses will do; a failure is one where there are none. */
function together(parts: readonly Records[]): Found {
  const records = parts.flatMap((part) => ('records' in part ? part.records : []))
  if (records.length > 0) {
    const ttl = Math.min(...records.map((record) => record.ttl)) * 1000
    return { addresses: [...new Set(records.map(({ address }) => address))], ttl }
  }
  const failed = parts.find((part) => 'failure' in part)
  return failed === undefined ? NOT_FOUND : { failure: failed.failure, gone: false }
}
