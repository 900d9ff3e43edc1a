// The first argument of `listen`: every address form of nginx, with ranges of ports and host names of several
// addresses.

import { isIPv4, isIPv6 } from 'node:net'
import type { BuildContext } from '../../shared/conf/build.ts'
import type { ListenAddress } from '../../shared/messages.ts'

/** The addresses `text` stands for; more than one for a range of ports and for a name with several addresses. */
export function parseAddresses(text: string, context: BuildContext): ListenAddress[] {
  const refuse = (what: string): never => context.error(`${what} in "${text}" of the "listen" directive`)
  if (text.startsWith('unix:')) {
    const path = text.slice(5)
    if (path === '') refuse('no path in the unix domain socket')
    return [make(`unix:${context.path(path)}`, null, 0, context.path(path))]
  }
  const portOnly = /^(\d+)(?:-(\d+))?$/.exec(text)
  if (portOnly !== null) return spread(['0.0.0.0'], ports(portOnly[1]!, portOnly[2], refuse))
  if (text.startsWith('[')) {
    const match = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? refuse('invalid host')
    return spread([ipv6(match[1]!, refuse)], portsOf(match[2], refuse))
  }
  const match = /^([^:/]*)(?::([^/]*))?$/.exec(text) ?? refuse('invalid host')
  if (match[1] === '') refuse('no host')
  return spread(hosts(match[1]!, context), portsOf(match[2], refuse))
}

type Refuse = (what: string) => never

function ipv6(text: string, refuse: Refuse): string {
  if (!/^[0-9A-Fa-f:.]*$/.test(text) || !isIPv6(text)) refuse('invalid IPv6 address')
  // One way to write each address: it is compared with others, and with the system's text.
  return new URL(`http://[${text}]`).hostname.slice(1, -1)
}

/** IPv4 addresses and names; a name whose addresses are not known yet stands for itself. */
function hosts(name: string, context: BuildContext): string[] {
  if (name === '*') return ['0.0.0.0']
  if (isIPv4(name)) return [name]
  const addresses = context.resolve(name)
  return addresses.length === 0 ? [name] : [...new Set(addresses)]
}

function portsOf(text: string | undefined, refuse: Refuse): [number, number] {
  if (text === undefined) return [80, 80]
  const [first, last] = text.split(/-(.*)/s) as [string, string | undefined]
  return ports(first, last, refuse)
}

function ports(first: string, last: string | undefined, refuse: Refuse): [number, number] {
  const low = port(first, refuse)
  const high = last === undefined ? low : port(last, refuse)
  if (low > high) refuse('invalid port range')
  return [low, high]
}

function port(text: string, refuse: Refuse): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0
  return number < 1 || number > 65535 ? refuse('invalid port') : number
}

function spread(addresses: string[], [low, high]: [number, number]): ListenAddress[] {
  const list: ListenAddress[] = []
  for (const address of addresses) {
    const shown = address.includes(':') ? `[${address}]` : address
    for (let number = low; number <= high; number++)
      list.push(make(`${shown}:${number}`, address, number, null))
  }
  return list
}

function make(key: string, host: string | null, port: number, path: string | null): ListenAddress {
  return { key, host, port, path, backlog: 511, ipv6only: true, reuseport: false, soKeepalive: null }
}
