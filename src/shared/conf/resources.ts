// What a checked configuration needs from outside before workers can build it: addresses of the host names in it,
// looked up once by the master for all workers as nginx does when it starts, and shared memory.

import { lookup } from 'node:dns/promises'
import type { Cycle } from './build.ts'
import { ConfError, type Directive } from './directive.ts'

/**
 * Looks up every name the configuration has, IPv4 first. One that cannot be found is a ConfError where the configuration
 * needs it, and has no addresses where not.
 */
export async function resolveHosts({ context }: Cycle): Promise<Record<string, string[]>> {
  const hosts = [...context.hosts.keys()]
  const found = await Promise.all(hosts.map((host) => addressesOf(host)))
  const addresses: Record<string, string[]> = {}
  hosts.forEach((host, index) => {
    const directive = context.needed.get(host)
    if (found[index]!.length === 0 && directive !== undefined) {
      throw new ConfError(`host not found in ${asWritten(host, directive)}`, directive)
    }
    addresses[host] = found[index]!
  })
  return addresses
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true, order: 'ipv4first' })
    return found.map(({ address }) => address)
  } catch {
    return []
  }
}

/** A host with its role, as nginx's message for it has them. */
function asWritten(host: string, directive: Directive | null): string {
  if (directive?.name === 'set_real_ip_from') return `set_real_ip_from "${host}"`
  if (directive?.name === 'resolver') {
    return `resolver "${directive.args.find((text) => text.replace(/:\d+$/, '') === host) ?? host}"`
  }
  if (directive?.name === 'server') return `upstream "${directive.args[0]}"`
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
