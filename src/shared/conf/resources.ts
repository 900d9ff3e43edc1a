// What a checked configuration needs from outside before workers can build it: addresses of the host names in it,
// looked up once by the master for all workers as nginx does when it starts, and shared memory.

import { lookup } from 'node:dns/promises'
import type { Cycle } from './build.ts'
import { ConfError, type Directive } from './directive.ts'

/** Looks up every name the configuration needs, IPv4 first. Throws a ConfError for the first that has no address. */
export async function resolveHosts(cycle: Cycle): Promise<Record<string, string[]>> {
  const addresses: Record<string, string[]> = {}
  await Promise.all(
    [...cycle.context.hosts].map(async ([host, directive]) => {
      try {
        const found = await lookup(host, { all: true, order: 'ipv4first' })
        addresses[host] = found.map(({ address }) => address)
      } catch {
        throw new ConfError(`host not found in ${asWritten(host, directive)}`, directive)
      }
    }),
  )
  return addresses
}

/** A host with its role, as nginx's message for it has them. */
function asWritten(host: string, directive: Directive | null): string {
  if (directive?.name === 'set_real_ip_from') return `set_real_ip_from "${host}"`
  if (directive?.name === 'resolver') {
    return `resolver "${directive.args.find((text) => text.replace(/:\d+$/, '') === host) ?? host}"`
  }
  const server = /^syslog:(?:.*,)?server=([^,]*)/s.exec(directive?.args[0] ?? '')?.[1]
  return server === undefined ? `upstream "${host}"` : `syslog server "${server}"`
}

/** Allocates the zones the configuration needs; those of `existing` with the same name and size are kept. */
export function allocateZones(
  cycle: Cycle,
  existing: Record<string, SharedArrayBuffer>,
): Record<string, SharedArrayBuffer> {
  const zones: Record<string, SharedArrayBuffer> = {}
  for (const [name, bytes] of cycle.context.zones) {
    const old = existing[name]
    zones[name] = old?.byteLength === bytes ? old : new SharedArrayBuffer(bytes)
  }
  return zones
}
