// Variables of the core: what the client sent, where the connection is from, what the response became.

import { randomBytes } from 'node:crypto'
import { iso8601, localTime } from '../../shared/clock.ts'
import { version } from '../../shared/version.ts'
import { parseAddress } from '../http/address.ts'
import { basicCredentials } from '../http/credentials.ts'
import { hashName } from '../http/fields.ts'
import type { VariableFamily, VariableReader } from '../http/module.ts'
import type { Request } from '../http/request.ts'
import { hostName } from '../http/variables.ts'
import { now } from '../tick.ts'

/** Seconds with milliseconds, as nginx writes durations and moments. */
export function seconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000)
  const rest = Math.floor(milliseconds % 1000)
  return `${whole}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`
}

/** '' is not found. */
function orNull(text: string): string | null {
  return text === '' ? null : text
}

const client = (r: Request) => r.stream.connection

function requestId(r: Request): string {
  if (r.id === '') r.id = randomBytes(16).toString('hex')
  return r.id
}

/** Four or sixteen bytes of the client's address, as latin1. */
function binaryAddress(r: Request): string {
  const address = parseAddress(r.remoteAddress.replace(/%.*$/, ''))
  // Of a unix socket nginx has no other form.
  if (address === null) return r.remoteAddress
  const bytes =
    typeof address === 'number'
      ? [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255]
      : address.flatMap((word) => [word >> 8, word & 255])
  return String.fromCharCode(...bytes)
}

/** `$host`: from the target or Host, else the first server name. */
function host(r: Request): string {
  return r.host !== '' ? r.host : r.server.firstName
}

/** The current URI; not found where the request line could not be read. */
function uri(r: Request): string | null {
  if (r.internal) return r.uri
  return r.client.method === '' || (r.uri === '' && r.client.line === '') ? null : r.uri
}

/** The port that the client asked for: in the target, else in Host. */
function requestPort(r: Request): string {
  const authority = /^\S+ +[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?# ]*)/.exec(r.client.line)?.[1]
  return /:(\d+)$/.exec(authority ?? r.fields.get('host') ?? '')?.[1] ?? ''
}

/** Empty where a protocol began and was none, not found where there was nothing to begin with. */
function serverProtocol(r: Request): string | null {
  return r.client.protocol || (/^[A-Z_-]+ +[^ ]+ +H/.test(r.client.line) ? '' : null)
}

/** The length a body has or had: one that comes in chunks has been read whole once it is known. */
function contentLength(r: Request): string | null {
  const field = r.fields.get('content-length')
  if (field !== null || !r.client.hasBody) return field
  const length = r.body?.length ?? r.stream.bodyLength
  return length < 0 ? null : String(length)
}

/** Variables whose values never hold a character that a log escapes. */
export const PLAIN = new Set([
  'body_bytes_sent',
  'bytes_sent',
  'connection',
  'connection_requests',
  'msec',
  'pid',
  'remote_addr',
  'request_length',
  'request_time',
  'server_addr',
  'status',
  'time_iso8601',
  'time_local',
])

export const variables: Record<string, VariableReader> = {
  args,
  binary_remote_addr: binaryAddress,
  body_bytes_sent: (r) => String(r.stream.bodyBytesSent),
  bytes_sent: (r) => String(r.stream.bytesSent),
  connection: (r) => String(client(r).id),
  connection_requests: (r) => String(client(r).requests),
  connection_time: (r) => seconds(now() - client(r).opened),
  content_length: contentLength,
  content_type: (r) => r.fields.get('content-type'),
  document_uri: uri,
  host,
  hostname: () => hostName,
  https: (r) => (client(r).tls !== null ? 'on' : ''),
  is_args: (r) => (r.args === '' ? '' : '?'),
  is_request_port: (r) => (requestPort(r) === '' ? '' : ':'),
  limit_rate: (r) => String(Math.max(0, r.limitRate)),
  msec: () => seconds(now()),
  nginx_version: () => version,
  pid: () => String(process.pid),
  pipe: (r) => (client(r).pipelined ? 'p' : '.'),
  query_string: args,
  remote_addr: (r) => r.remoteAddress,
  remote_port: (r) => (r.remotePort === 0 ? '' : String(r.remotePort)),
  remote_user: remoteUser,
  request: (r) => orNull(r.client.line),
  request_completion: (r) => (r.complete ? 'OK' : ''),
  request_id: requestId,
  request_length: (r) => String(r.length),
  request_method: (r) => orNull(r.main.method),
  request_port: requestPort,
  request_time: (r) => seconds(now() - r.started),
  request_uri: (r) => orNull(r.client.target),
  scheme: (r) => (client(r).tls !== null ? 'https' : 'http'),
  server_addr: (r) => client(r).localAddress || 'unix:',
  server_name: (r) => r.server.firstName,
  server_port: (r) => (client(r).localPort === 0 ? '' : String(client(r).localPort)),
  server_protocol: serverProtocol,
  status: (r) => status(r),
  time_iso8601: () => iso8601(now()),
  time_local: () => localTime(now()),
  uri,
}

/** Not found in a request that never had a query, empty where it has lost it. */
function args(r: Request): string | null {
  if (r.args !== '') return r.args
  return !r.redirectedWithoutArgs && /^[^?#]*\?./s.test(r.client.target) ? '' : null
}

function status(r: Request): string {
  const code = r.errorStatus !== 0 ? r.errorStatus : r.response.status
  return code === 0 ? '000' : code < 100 ? String(code).padStart(3, '0') : String(code)
}

/** The user name of Basic credentials (RFC 7617). */
function remoteUser(r: Request): string | null {
  return basicCredentials(r)?.user ?? null
}

/** `$http_user_agent` -> the field `user-agent`. Fields that may be lists are joined as nginx joins them. */
const http: VariableFamily = (suffix) => {
  const separator = suffix === 'cookie' ? '; ' : ', '
  // Field names with underscores are there where underscores_in_headers lets them in.
  if (suffix.includes('_')) return (r) => r.fields.joinVariable(suffix, separator)
  const hash = hashName(suffix)
  return (r) => r.fields.join(suffix, hash, separator)
}

/** The first `name=value` of the query, the name in any case. */
const arg: VariableFamily = (suffix) => (r) => {
  const { args } = r
  for (let start = 0; start < args.length; ) {
    const next = args.indexOf('&', start)
    const end = next < 0 ? args.length : next
    const equals = start + suffix.length
    if (
      equals < end &&
      args.charCodeAt(equals) === 61 &&
      args.slice(start, equals).toLowerCase() === suffix
    ) {
      return args.slice(equals + 1, end)
    }
    start = end + 1
  }
  return null
}

const COOKIE = hashName('cookie')

/** The first cookie of that name, the name in any case. */
const cookie: VariableFamily = (suffix) => (r) => {
  const { fields } = r
  let index = fields.indexOf('cookie', COOKIE)
  for (; index >= 0; index = fields.indexOf('cookie', COOKIE, index + 1)) {
    const value = cookieIn(fields.value(index), suffix)
    if (value !== null) return value
  }
  return null
}

/** As nginx: a comma too ends a cookie that is not meant, the value of the one that is ends with a semicolon. */
function cookieIn(text: string, name: string): string | null {
  const separator = /[;,] */g
  for (let start = 0; start < text.length; start = separator.lastIndex) {
    let at = start + name.length
    if (text.slice(start, at).toLowerCase() !== name) at = start
    else {
      while (text.charCodeAt(at) === 32) at++
      if (text.charCodeAt(at) === 61) {
        at++
        while (text.charCodeAt(at) === 32) at++
        const end = text.indexOf(';', at)
        return end < 0 ? text.slice(at) : text.slice(at, end)
      }
      // Whatever stands there instead of "=" has been read.
      at++
    }
    separator.lastIndex = at
    if (separator.exec(text) === null) return null
  }
  return null
}

export const families: Record<string, VariableFamily> = {
  http_: http,
  arg_: arg,
  cookie_: cookie,
}
