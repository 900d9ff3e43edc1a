// `set_real_ip_from`, `real_ip_header`, `real_ip_recursive`: the client's address as a trusted proxy in front tells it.
// Asked before the server's handlers and once more in the location, which may have settings of its own.

import { HTTP_ANY, type Setter } from '../../../shared/conf/command.ts'
import { flag } from '../../../shared/conf/setters.ts'
import { asciiLower } from '../../../shared/latin1.ts'
import {
  formatAddress,
  type IpAddress,
  NetworkSet,
  parseAddress,
  parseAddressPort,
  parseNetwork,
} from '../../http/address.ts'
import { hashName } from '../../http/fields.ts'
import { DECLINED, defineModule, type Participant, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'

/** Who is believed. */
class TrustedPeers {
  readonly networks = new NetworkSet()
  /** Every client of a unix socket. */
  unix = false

  has(address: IpAddress | 'unix'): boolean {
    return address === 'unix' ? this.unix : this.networks.has(address)
  }
}

/** Where the address is told. */
type Source =
  | { kind: 'proxy_protocol' }
  /** `all`: every field of that name counts, the last first; otherwise only the first field. */
  | { kind: 'field'; name: string; hash: number; all: boolean }

interface RealIpConf {
  setRealIpFrom: TrustedPeers | undefined
  realIpHeader: Source
  realIpRecursive: boolean
}

const DEFAULT_SOURCE: Source = field('X-Real-IP')

const participant: Participant<RealIpConf> = {
  when: (conf) => conf.setRealIpFrom !== undefined,
  run: handleRealIp,
}

export const realIp = defineModule<RealIpConf>({
  name: 'realip',
  commands: [
    { name: 'set_real_ip_from', in: HTTP_ANY, args: 1, set: addTrusted, repeat: true },
    { name: 'real_ip_header', in: HTTP_ANY, args: 1, set: setSource, default: DEFAULT_SOURCE },
    { name: 'real_ip_recursive', in: HTTP_ANY, args: 1, set: flag(), default: false },
  ],
  variables: {
    realip_remote_addr: (r) => r.stream.connection.remoteAddress || 'unix:',
    realip_remote_port: ({ stream: { connection } }) =>
      connection.remotePort === 0 ? '' : String(connection.remotePort),
  },
  phases: { postRead: participant, preaccess: participant },
})

// --- directives

function addTrusted(...[directive, context, previous]: Parameters<Setter>): TrustedPeers {
  const trusted = (previous as TrustedPeers | undefined) ?? new TrustedPeers()
  const text = directive.args[0]!
  if (text === 'unix:') {
    trusted.unix = true
    return trusted
  }
  const network = parseNetwork(text)
  if (network !== null) {
    if (!network.exact) context.warn(`low address bits of ${text} are meaningless`)
    trusted.networks.add(network)
    return trusted
  }
  // A look-up of nothing finds nothing without failing.
  if (text === '') context.error('host not found in set_real_ip_from ""')
  for (const found of context.resolve(text)) {
    const address = parseNetwork(found)
    if (address !== null) trusted.networks.add(address)
  }
  return trusted
}

function setSource(...[directive]: Parameters<Setter>): Source {
  const name = directive.args[0]!
  return name === 'proxy_protocol' ? { kind: 'proxy_protocol' } : field(name)
}

function field(name: string): Source {
  const lower = asciiLower(name)
  return { kind: 'field', name: lower, hash: hashName(lower), all: name === 'X-Forwarded-For' }
}

// --- requests

function handleRealIp(r: Request): Result {
  if (r.realAddress !== null) return DECLINED
  const { setRealIpFrom: trusted, realIpHeader: source, realIpRecursive: recursive } = r.conf(realIp)
  const { connection } = r.stream
  const peer =
    connection.remoteAddress === '' ? 'unix' : parseAddress(connection.remoteAddress.replace(/%.*$/, ''))
  if (peer === null || !trusted!.has(peer)) return DECLINED
  if (source.kind === 'proxy_protocol') {
    const proxy = connection.proxyProtocol
    const told = proxy === null ? null : parseAddressPort(proxy.sourceAddress)
    if (told !== null) setAddress(r, told.address, proxy!.sourcePort)
    return DECLINED
  }
  const walk = new Walk(trusted!, recursive)
  for (let index = last(r, source); index >= 0; index = source.all ? before(r, source, index) : -1) {
    if (!walk.through(r.fields.value(index))) break
  }
  if (walk.address !== null) setAddress(r, walk.address, walk.port)
  return DECLINED
}

function setAddress(r: Request, address: IpAddress, port: number): void {
  r.realAddress = { address: formatAddress(address), port }
}

/** The field to begin with. */
function last(r: Request, source: Source & { kind: 'field' }): number {
  if (source.all) return before(r, source, r.fields.count)
  return r.fields.indexOf(source.name, source.hash)
}

function before(r: Request, { name, hash }: Source & { kind: 'field' }, end: number): number {
  for (let index = end - 1; index >= 0; index--) {
    if (r.fields.hash(index) === hash && r.fields.is(index, name)) return index
  }
  return -1
}

/** Goes from proxy to proxy, the nearest first, as long as each may be believed; every character is read once. */
class Walk {
  address: IpAddress | null = null
  port = 0
  readonly #trusted: TrustedPeers
  readonly #recursive: boolean

  constructor(trusted: TrustedPeers, recursive: boolean) {
    this.#trusted = trusted
    this.#recursive = recursive
  }

  /** Takes a list of addresses from its end; true: go on with the field before. */
  through(text: string): boolean {
    let end = text.length
    for (;;) {
      if (this.address !== null && !this.#trusted.has(this.address)) return false
      while (end > 1 && isSeparator(text, end - 1)) end--
      let start = end - 1
      while (start > 0 && !isSeparator(text, start)) start--
      // nginx does not look whether the very first character is a separator.
      if (start > 0) start++
      const told = parseAddressPort(text.slice(Math.max(start, 0), end))
      if (told === null) return false
      this.address = told.address
      this.port = told.port
      if (!this.#recursive) return false
      if (start <= 0) return true
      end = start - 1
    }
  }
}

function isSeparator(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === 32 || code === 44
}
