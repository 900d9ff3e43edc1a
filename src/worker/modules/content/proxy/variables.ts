// Variables of proxied requests: `$proxy_*` and `$upstream_*`.

import { hashName } from '../../../http/fields.ts'
import type { VariableReader } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import type { UpstreamState } from '../../../upstream/states.ts'
import { seconds } from '../../core-variables.ts'

/** A list over all attempts; null without any. */
function list(value: (state: UpstreamState) => string | null): VariableReader {
  return (r) => (r.upstream === null || r.upstream.list.length === 0 ? null : r.upstream.join(value))
}

const duration = (milliseconds: number) => (milliseconds < 0 ? null : seconds(milliseconds))

const FORWARDED_FOR = hashName('x-forwarded-for')

/** The client's chain of proxies with this connection's peer at its end. */
function forwardedFor(r: Request): string {
  const address = r.remoteAddress
  const before = r.fields.join('x-forwarded-for', FORWARDED_FOR, ', ')
  return before === null ? address : `${before}, ${address}`
}

/** `proxyHost` gives `$proxy_host`. */
export function proxyVariables(proxyHost: (r: Request) => string | null): Record<string, VariableReader> {
  return {
    proxy_add_x_forwarded_for: forwardedFor,
    proxy_host: proxyHost,
    proxy_port: (r) => /:(\d+)$/.exec(proxyHost(r) ?? '')?.[1] ?? (proxyHost(r) === null ? null : '80'),
    upstream_addr: list((state) => state.peer),
    upstream_bytes_received: list((state) => String(state.bytesReceived)),
    upstream_bytes_sent: list((state) => String(state.bytesSent)),
    upstream_connect_time: list((state) => duration(state.connectTime)),
    upstream_header_time: list((state) => duration(state.headerTime)),
    upstream_response_length: list((state) => String(state.responseLength)),
    upstream_response_time: list((state) => duration(state.responseTime)),
    upstream_status: list((state) => (state.status === 0 ? null : String(state.status))),
  }
}
