// Variables of the core: what the client sent, where the connection is from, what the response became.

import { randomBytes } from 'node:crypto'
import { iso8601, localTime } from '../../shared/clock.ts'
import { version } from '../../shared/version.ts'
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
const requestIds = new WeakMap<Request, string>()

function requestId(r: Request): string {
  let id = requestIds.get(r)
  if (id === undefined) requestIds.set(r, (id = randomBytes(16).toString('hex')))
  return id
}

/** Four or sixteen bytes of the client's address, as latin1. */
function binaryAddress(r: Request): string {
  const address = r.remoteAddress
  if (address === 'unix:') return address
  if (!address.includes(':')) return String.fromCharCode(...address.split('.').map(Number))
  return String.fromCharCode(...ipv6Bytes(address))
}

function ipv6Bytes(address: string): number[] {
  const [front = '', back] = address.replace(/%.*$/, '').split('::')
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const head = groups(front)
  const tail = back === undefined ? [] : groups(back)
  const words = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail]
  return words.flatMap((word) => [word >> 8, word & 255])
}

/** `$host`: from the target or Host, else the first server name. */
function host(r: Request): string {
  return r.host !== '' ? r.host : r.server.firstName
}

/** The current URI; not found where the request line could not be read. */
function uri(r: Request): string | null {
  return r.client.method === '' ? null : r.uri
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
  args: (r) => orNull(r.args),
  binary_remote_addr: binaryAddress,
  body_bytes_sent: (r) => String(r.stream.bodyBytesSent),
  bytes_sent: (r) => String(r.stream.bytesSent),
  connection: (r) => String(client(r).id),
  connection_requests: (r) => String(client(r).requests),
  connection_time: (r) => seconds(now() - client(r).opened),
  content_length: (r) => r.fields.get('content-length'),
  content_type: (r) => r.fields.get('content-type'),
  document_uri: uri,
  host,
  hostname: () => hostName,
  https: (r) => (client(r).tls ? 'on' : ''),
  is_args: (r) => (r.args === '' ? '' : '?'),
  msec: () => seconds(now()),
  nginx_version: () => version,
  pid: () => String(process.pid),
  query_string: (r) => orNull(r.args),
  remote_addr: (r) => r.remoteAddress,
  remote_port: (r) => (r.remotePort === 0 ? '' : String(r.remotePort)),
  remote_user: remoteUser,
  request: (r) => orNull(r.client.line),
  request_completion: (r) => (r.ended && r.headSent ? 'OK' : ''),
  request_id: requestId,
  request_length: (r) => String(r.length),
  request_method: (r) => orNull(r.client.method),
  request_time: (r) => seconds(now() - r.started),
  request_uri: (r) => orNull(r.client.target),
  scheme: (r) => (client(r).tls ? 'https' : 'http'),
  server_addr: (r) => client(r).localAddress || 'unix:',
  server_name: (r) => r.server.firstName,
  server_port: (r) => (client(r).localPort === 0 ? '' : String(client(r).localPort)),
  server_protocol: (r) => orNull(r.client.protocol),
  status: (r) => status(r),
  time_iso8601: () => iso8601(now()),
  time_local: () => localTime(now()),
  uri,
}

function status(r: Request): string {
  const code = r.response.status
  return code === 0 ? '000' : code < 100 ? String(code).padStart(3, '0') : String(code)
}

const AUTHORIZATION = hashName('authorization')

/** The user name of Basic credentials (RFC 7617). */
function remoteUser(r: Request): string | null {
  const field = r.fields.indexOf('authorization', AUTHORIZATION)
  if (field < 0) return null
  const match = /^basic +([A-Za-z0-9+/=]+)$/i.exec(r.fields.value(field))
  if (match === null) return null
  const credentials = Buffer.from(match[1]!, 'base64').toString('latin1')
  const colon = credentials.indexOf(':')
  return colon < 1 ? null : credentials.slice(0, colon)
}

/** `$http_user_agent` -> the field `user-agent`. Fields that may be lists are joined as nginx joins them. */
const http: VariableFamily = (suffix) => {
  const name = suffix.replaceAll('_', '-')
  const separator = name === 'cookie' ? '; ' : ', '
  const hash = hashName(name)
  return (r) => r.fields.join(name, hash, separator)
}

/** The first `name=value` of the query, the name in any case. */
const arg: VariableFamily = (suffix) => {
  return (r) => {
    for (const pair of r.args.split('&')) {
      if (pair.length > suffix.length && pair.charCodeAt(suffix.length) === 61) {
        if (pair.slice(0, suffix.length).toLowerCase() === suffix) return pair.slice(suffix.length + 1)
      }
    }
    return null
  }
}

const COOKIE = hashName('cookie')

/** The first cookie of that name, the name in any case. */
const cookie: VariableFamily = (suffix) => {
  return (r) => {
    const header = r.fields.join('cookie', COOKIE, ';')
    if (header === null) return null
    for (const part of header.split(';')) {
      const pair = part.trimStart()
      const equals = pair.indexOf('=')
      if (equals > 0 && pair.slice(0, equals).trimEnd().toLowerCase() === suffix)
        return pair.slice(equals + 1).trim()
    }
    return null
  }
}

export const families: Record<string, VariableFamily> = {
  http_: http,
  arg_: arg,
  cookie_: cookie,
}
