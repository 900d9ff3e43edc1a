// Variables of proxied requests: `$proxy_*` and `$upstream_*`.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { type Fields, hashName } from '../../../http/fields.ts'
import type { VariableFamily, VariableReader } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import type { Kept, UpstreamState } from '../../../upstream/states.ts'
import { seconds } from '../../core-variables.ts'

/** A list over all attempts; null without any. */
function list(value: (state: UpstreamState) => string | null): VariableReader {
  return (r) => (r.upstream === null || r.upstream.list.length === 0 ? null : r.upstream.join(value))
}

const duration = (milliseconds: number) => (milliseconds < 0 ? null : seconds(milliseconds))

const FORWARDED_FOR = hashName('x-forwarded-for')

/** The client's chain of proxies with this connection's peer at its end. */
function forwardedFor(r: Request): string {
  const before = r.fields.join('x-forwarded-for', FORWARDED_FOR, ', ')
  return before === null ? r.remoteAddress : `${before}, ${r.remoteAddress}`
}

export const proxyVariables: Record<string, VariableReader> = {
  proxy_add_x_forwarded_for: forwardedFor,
  proxy_host: (r) => r.upstream?.name.host ?? null,
  proxy_port: (r) => r.upstream?.name.port ?? null,
  upstream_addr: list((state) => state.peer),
  upstream_bytes_received: list((state) => String(state.bytesReceived)),
  upstream_bytes_sent: list((state) => String(state.bytesSent)),
  upstream_connect_time: list((state) => duration(state.connectTime)),
  upstream_header_time: list((state) => duration(state.headerTime)),
  upstream_response_length: list((state) => String(state.responseLength)),
  upstream_response_time: list((state) => duration(state.responseTime)),
  upstream_status: list((state) => (state.status === 0 ? null : String(state.status))),
  weir_reason: (r) => r.upstream?.reason ?? null,
}

// --- what the backend's own fields say

const kept = new WeakMap<BuildContext, Kept>()

/** What of responses has to be kept for the variables that a configuration uses: known once all of it is built. */
export function keptFor(context: BuildContext): Kept {
  let entry = kept.get(context)
  if (entry === undefined) kept.set(context, (entry = { fields: false, trailers: false }))
  return entry
}

/** All values of the fields whose name, in lower case with `_` for `-`, is `name`. */
function joined(fields: Fields | null, name: string): string | null {
  if (fields === null) return null
  let values: string | null = null
  for (let index = 0; index < fields.count; index++) {
    if (fields.name(index).toLowerCase().replaceAll('-', '_') !== name) continue
    values = values === null ? fields.value(index) : `${values}, ${fields.value(index)}`
  }
  return values
}

const http: VariableFamily = (suffix, context) => {
  keptFor(context).fields = true
  // As nginx, which notes down an empty one of these where the backend sends none.
  const missing = suffix === 'server' || suffix === 'date' ? '' : null
  return (r) => {
    const fields = r.upstream?.fields ?? null
    return fields === null ? null : (joined(fields, suffix) ?? missing)
  }
}

const trailer: VariableFamily = (suffix, context) => {
  keptFor(context).trailers = true
  return (r) => joined(r.upstream?.trailers ?? null, suffix)
}

const SET_COOKIE = hashName('set-cookie')

/** The first Set-Cookie of that name, the name in any case; its value without the attributes behind it. */
const cookie: VariableFamily = (suffix, context) => {
  keptFor(context).fields = true
  return (r) => {
    const fields = r.upstream?.fields ?? null
    if (fields === null) return null
    let index = fields.indexOf('set-cookie', SET_COOKIE)
    for (; index >= 0; index = fields.indexOf('set-cookie', SET_COOKIE, index + 1)) {
      const value = cookieValue(fields.value(index), suffix)
      if (value !== null) return value
    }
    return null
  }
}

function cookieValue(field: string, name: string): string | null {
  if (field.slice(0, name.length).toLowerCase() !== name) return null
  const rest = field.slice(name.length).replace(/^ +/, '')
  if (!rest.startsWith('=')) return null
  const value = rest.slice(1).replace(/^ +/, '')
  const semicolon = value.indexOf(';')
  return semicolon < 0 ? value : value.slice(0, semicolon)
}

export const proxyFamilies: Record<string, VariableFamily> = {
  upstream_http_: http,
  upstream_cookie_: cookie,
  upstream_trailer_: trailer,
}
