// The PROXY protocol, versions 1 and 2: what a load balancer in front says of a connection before its first byte
// (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt). Read by connection.ts where `listen` says
// `proxy_protocol`; asked by the realip and proxy_protocol variables.

import { latin1 } from '../../shared/latin1.ts'

/** What the balancer said of the connection it passes on. */
export interface ProxyProtocol {
  /** Addresses as text; ports from 0. */
  readonly sourceAddress: string
  readonly sourcePort: number
  readonly destinationAddress: string
  readonly destinationPort: number
  /**
   * Value (latin1) of a version 2 field, by nginx's names: `alpn`, `ssl`, `ssl_cn`, `ssl_verify`, `0x05`, `ssl_0x21`...;
   * null without it. Throws TlvError for a name there is not, and for fields that are cut short.
   */
  tlv(name: string): string | null
}

/** Why a field cannot be given, in nginx's words for the error log. */
export class TlvError extends Error {}

/** What has been made of the first bytes of a connection. */
export type Preface =
  /** More bytes are needed. */
  | null
  /** The header ends before `end`; `proxy` is null where it names no addresses, as nginx has it. */
  | { end: number; proxy: ProxyProtocol | null }
  /** It is none: nginx's words for the error log; '' where it says nothing. */
  | { broken: string }

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const START_V1 = 'PROXY '
/** A version 1 header's longest, its line end included. */
const LONGEST_V1 = 107
const FIXED_V2 = 16
/** A version 2 header's longest, as nginx's largest buffer for one. */
const LONGEST_V2 = 4096

/** The header of one connection as it comes in. */
export class PrefaceReading {
  /** What has come of it. */
  #text = ''

  /** Reads on in `bytes[start, end)`; an `end` of the header is one in `bytes`. */
  read(bytes: Buffer, start: number, end: number): Preface {
    const before = this.#text.length
    this.#text += latin1(bytes, start, end)
    const preface = readPreface(this.#text)
    if (preface === null || 'broken' in preface) return preface
    return { end: start + preface.end - before, proxy: preface.proxy }
  }

  /** What is to be said where nothing more comes; '' where nothing came. */
  get cutShort(): string {
    return this.#text === '' ? '' : broken(this.#text).broken
  }
}

/** Reads the header at the start of `text` (latin1), all that has come so far. */
export function readPreface(text: string): Preface {
  if (isStart(text, SIGNATURE)) return text.length < FIXED_V2 ? null : readV2(text)
  return isStart(text, START_V1) ? readV1(text) : broken(text)
}

/** Whether `text` may become a text that begins with `start`. */
function isStart(text: string, start: string): boolean {
  return text.length < start.length ? start.startsWith(text) : text.startsWith(start)
}

/** What nginx says of a header that is none, or that ends too early. */
function broken(text: string): { broken: string } {
  const end = text.search(/[\r\n]/)
  return { broken: `broken header: "${end < 0 ? text : text.slice(0, end)}"` }
}

/** The characters nginx allows in addresses and ports of version 1; what they make up is not looked at. */
const LINE = /^PROXY TCP[46] ([0-9A-Fa-f:.]*) ([0-9A-Fa-f:.]*) (\d+) (\d+)\r\n$/
const KIND = /^PROXY (TCP[46] |UNKNOWN)/
/** All that a shorter text must be to become either. */
const KINDS = ['PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY UNKNOWN']

function readV1(text: string): Preface {
  const end = text.indexOf('\n') + 1
  if (end === 0) {
    const possible = KIND.test(text) || KINDS.some((kind) => kind.startsWith(text))
    return possible && text.length < LONGEST_V1 ? null : broken(text)
  }
  if (end > LONGEST_V1) return broken(text)
  const line = text.slice(0, end)
  if (line.startsWith('PROXY UNKNOWN') && line.endsWith('\r\n')) return { end, proxy: null }
  const match = LINE.exec(line)
  if (match === null) return broken(text)
  const [, source, destination, ...numbers] = match as unknown as [string, string, string, string, string]
  const [sourcePort, destinationPort] = numbers.map(Number) as [number, number]
  if (sourcePort > 65535 || destinationPort > 65535) return broken(text)
  return { end, proxy: new Addresses(source, sourcePort, destination, destinationPort, '') }
}

const PROXY_COMMAND = 1
const STREAM = 1
const INET = 1
const INET6 = 2

function readV2(text: string): Preface {
  const version = text.charCodeAt(12) >> 4
  if (version !== 2) return { broken: `unknown PROXY protocol version: ${version}` }
  const end = FIXED_V2 + word(text, 14)
  if (end > LONGEST_V2) return { broken: 'header is too large' }
  if (text.length < end) return null
  const command = text.charCodeAt(12) & 15
  const family = text.charCodeAt(13) >> 4
  // As nginx: LOCAL and unknown commands, datagrams and unix sockets are passed on as if nothing had been said.
  const known = command === PROXY_COMMAND && (text.charCodeAt(13) & 15) === STREAM
  if (!known || (family !== INET && family !== INET6)) return { end, proxy: null }
  const size = family === INET ? 4 : 16
  const ports = FIXED_V2 + 2 * size
  if (end < ports + 4) return { broken: '' }
  const address = family === INET ? ipv4 : ipv6
  const proxy = new Addresses(
    address(text, FIXED_V2),
    word(text, ports),
    address(text, FIXED_V2 + size),
    word(text, ports + 2),
    text.slice(ports + 4, end),
  )
  return { end, proxy }
}

function word(text: string, at: number): number {
  return (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1)
}

function ipv4(text: string, at: number): string {
  return [0, 1, 2, 3].map((index) => text.charCodeAt(at + index)).join('.')
}

/** As nginx writes IPv6 addresses: the first longest run of two zero groups or more is `::`, mapped ones end in IPv4. */
function ipv6(text: string, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => word(text, at + 2 * index))
  let start = -1
  let longest = 1
  for (let index = 0, run = 0; index < 8; index++) {
    run = groups[index] === 0 ? run + 1 : 0
    if (run > longest) {
      longest = run
      start = index - run + 1
    }
  }
  const compatible = longest === 7 && groups[7]! >> 8 !== 0 && (groups[7]! & 255) !== 1
  const tail = start === 0 && (longest === 6 || compatible || (longest === 5 && groups[5] === 0xffff))
  const words = groups.map((group) => group.toString(16))
  if (tail) words.splice(6, 2, ipv4(text, at + 12))
  if (start < 0) return words.join(':')
  const behind = Math.min(start + longest, tail ? 6 : 8)
  return `${words.slice(0, start).join(':')}::${words.slice(behind).join(':')}`
}

const SSL = 0x20
/** Client flags and result of the verification, in front of the fields in SSL. */
const SSL_FIXED = 5
const TYPES: Readonly<Record<string, number>> = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  unique_id: 0x05,
  ssl: SSL,
  netns: 0x30,
}
const SSL_TYPES: Readonly<Record<string, number>> = {
  version: 0x21,
  cn: 0x22,
  cipher: 0x23,
  sig_alg: 0x24,
  key_alg: 0x25,
}

class Addresses implements ProxyProtocol {
  readonly sourceAddress: string
  readonly sourcePort: number
  readonly destinationAddress: string
  readonly destinationPort: number
  /** The fields behind the addresses, as they came. */
  readonly #fields: string

  constructor(
    sourceAddress: string,
    sourcePort: number,
    destinationAddress: string,
    destinationPort: number,
    fields: string,
  ) {
    this.sourceAddress = sourceAddress
    this.sourcePort = sourcePort
    this.destinationAddress = destinationAddress
    this.destinationPort = destinationPort
    this.#fields = fields
  }

  tlv(name: string): string | null {
    if (!name.startsWith('ssl_')) return lookUp(this.#fields, typeOf(name, name, TYPES))
    const ssl = lookUp(this.#fields, SSL)
    if (ssl === null || ssl.length < SSL_FIXED) return null
    const part = name.slice(4)
    if (part === 'verify') return String(((word(ssl, 1) << 16) | word(ssl, 3)) >>> 0)
    return lookUp(ssl.slice(SSL_FIXED), typeOf(part, name, SSL_TYPES))
  }
}

function typeOf(part: string, name: string, types: Readonly<Record<string, number>>): number {
  if (part.startsWith('0x')) {
    if (/^0x[0-9a-f]{1,15}$/i.test(part)) return Number(part)
    throw new TlvError(`invalid PROXY protocol TLV "${name}"`)
  }
  if (Object.hasOwn(types, part)) return types[part]!
  throw new TlvError(`unknown PROXY protocol TLV "${name}"`)
}

/** The first field of that type in `fields`. */
function lookUp(fields: string, type: number): string | null {
  for (let at = 0; at < fields.length; ) {
    const start = at + 3
    const end = start + word(fields, at + 1)
    if (!(end <= fields.length)) throw new TlvError('broken PROXY protocol TLV')
    if (fields.charCodeAt(at) === type) return fields.slice(start, end)
    at = end
  }
  return null
}
