// Where an upstream is, as `proxy_pass` and `server` name it: `host:port/uri`, `[::1]:port/uri`, `unix:/path:/uri`. Taken
// apart when the configuration is built, or at run time where variables make the name.

import { SocketAddress } from 'node:net'

export interface UpstreamUrl {
  /** As written; the path of a unix socket; an IPv6 address in brackets. */
  host: string
  /** `host` as it is looked for: in lower case, but for a path. */
  key: string
  /** The address in its usual form; null for a name and for a unix socket. */
  ip: string | null
  /** null except for a unix socket. */
  path: string | null
  /** The default where none is written; 0 for a unix socket. */
  port: number
  /** The port as written; '' where none is. */
  portText: string
  /** Everything behind host and port; '' without any. */
  uri: string
}

/** The scheme of a URL, and what stands behind it. */
export interface Scheme {
  /** By TLS. */
  secure: boolean
  /** `https://`: as it is shown. */
  prefix: string
  defaultPort: number
  rest: string
}

/** Takes the scheme, `name` or `name` with an `s` behind it for TLS, off `url`; null where it has neither. */
export function splitScheme(url: string, name: string): Scheme | null {
  for (const secure of [false, true]) {
    const prefix = `${name}${secure ? 's' : ''}://`
    if (url.slice(0, prefix.length).toLowerCase() === prefix) {
      return { secure, prefix, defaultPort: secure ? 443 : 80, rest: url.slice(prefix.length) }
    }
  }
  return null
}

/** What is wrong with a URL, in nginx's words; `in upstream "..."` is for the caller to add. */
export interface UrlError {
  error: string
}

/** Takes `text` (without its scheme) apart. `withUri`: something may follow the host. */
export function parseUpstreamUrl(
  text: string,
  defaultPort: number,
  withUri: boolean,
): UpstreamUrl | UrlError {
  if (/^unix:/i.test(text)) return unixUrl(text.slice(5), withUri)
  if (text.startsWith('[')) return ipv6Url(text, defaultPort, withUri)
  const end = text.search(/[/?]/)
  if (end >= 0 && !withUri) return { error: 'invalid host' }
  const authority = end < 0 ? text : text.slice(0, end)
  const colon = authority.indexOf(':')
  const portText = colon < 0 ? '' : authority.slice(colon + 1)
  const port = colon < 0 ? defaultPort : portNumber(portText)
  if (port === 0) return { error: 'invalid port' }
  const host = colon < 0 ? authority : authority.slice(0, colon)
  if (host === '') return { error: 'no host' }
  const uri = end < 0 ? '' : text.slice(end)
  return { host, key: host.toLowerCase(), ip: ipv4(host), path: null, port, portText, uri }
}

/** Longest path a unix socket can have: `sun_path` of Linux less its end. */
const LONGEST_PATH = 107

function unixUrl(rest: string, withUri: boolean): UpstreamUrl | UrlError {
  const colon = withUri ? rest.indexOf(':') : -1
  const path = colon < 0 ? rest : rest.slice(0, colon)
  if (path === '') return { error: 'no path in the unix domain socket' }
  if (path.length > LONGEST_PATH) return { error: 'too long path in the unix domain socket' }
  const uri = colon < 0 ? '' : rest.slice(colon + 1)
  return { host: path, key: path, ip: null, path, port: 0, portText: '', uri }
}

function ipv6Url(text: string, defaultPort: number, withUri: boolean): UpstreamUrl | UrlError {
  const bracket = text.indexOf(']')
  if (bracket < 0) return { error: 'invalid host' }
  const slash = text.indexOf('/', bracket)
  if (slash >= 0 && !withUri) return { error: 'invalid host' }
  const behind = text.slice(bracket + 1, slash < 0 ? text.length : slash)
  if (behind !== '' && !behind.startsWith(':')) return { error: 'invalid host' }
  const portText = behind.slice(1)
  const port = behind === '' ? defaultPort : portNumber(portText)
  if (port === 0) return { error: 'invalid port' }
  const address = text.slice(1, bracket)
  if (address === '') return { error: 'no host' }
  const ip = ipv6(address)
  if (ip === null) return { error: 'invalid IPv6 address' }
  const host = text.slice(0, bracket + 1)
  const uri = slash < 0 ? '' : text.slice(slash)
  return { host, key: host.toLowerCase(), ip, path: null, port, portText, uri }
}

/** 0: none that can be connected to. */
function portNumber(text: string): number {
  const port = /^\d{1,9}$/.test(text) ? Number(text) : 0
  return port > 65535 ? 0 : port
}

/** `text` as an IPv4 address in its usual form; null when it is none. */
function ipv4(text: string): string | null {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  if (match === null) return null
  const octets = match.slice(1).map(Number)
  return octets.every((octet) => octet <= 255) ? octets.join('.') : null
}

function ipv6(text: string): string | null {
  const address = /^[0-9a-f:.]+$/i.test(text) ? SocketAddress.parse(`[${text}]:1`) : undefined
  return address?.address ?? null
}

/** `ip` and `port` as logs show them. */
export function addressName(ip: string, port: number): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port}`
}

/** `127.0.0.1`, `127.0.0.1:5000`, `[::1]:5000`, `::1`: an address with a port or (0) without; null when it is none. */
export function parseAddress(text: string): { ip: string; port: number } | null {
  const match = /^(?:\[([^\]]*)\]|([^:]*)|(.*))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return null
  const bare = ipv6(text)
  if (bare !== null) return { ip: bare, port: 0 }
  const ip = match[1] !== undefined ? ipv6(match[1]) : ipv4(match[2] ?? '')
  const port = match[4] === undefined ? 0 : portNumber(match[4])
  if (ip === null || (match[4] !== undefined && port === 0)) return null
  return { ip, port }
}
