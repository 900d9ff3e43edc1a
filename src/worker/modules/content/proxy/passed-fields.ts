// Fields of a backend that go to the client outside the head of its response: in 103 (Early Hints) responses in front of
// it and in the trailer section behind it. nginx passes all that are not hidden; here, what would say something of a
// connection or of a message's framing, or may not stand where it does, is left out.

import { NameSet } from '../../../http/fields.ts'
import type { ResponseConf } from './response-commands.ts'

export interface PassedFieldsPlan {
  /** Fields of a 103 that the client does not get. */
  readonly notHints: NameSet
  /** Likewise of a trailer section; null: the client gets none of it (`proxy_pass_trailers off`). */
  readonly notTrailers: NameSet | null
}

/** nginx's defaults of proxy_hide_header. */
export const HIDDEN_FIELDS: readonly string[] = [
  'date',
  'server',
  'x-accel-buffering',
  'x-accel-charset',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-redirect',
  'x-pad',
]

/** About one connection and the messages on it. */
const CONNECTION_FIELDS = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** RFC 9110 section 6.5.1: what has to be known before the content, or instead of it. */
const HEAD_FIELDS = [
  // routing, request modifiers
  'host',
  'cache-control',
  'expect',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'max-forwards',
  'pragma',
  'range',
  // authentication
  'authorization',
  'cookie',
  'proxy-authenticate',
  'proxy-authorization',
  'set-cookie',
  'www-authenticate',
  // response control
  'age',
  'date',
  'expires',
  'location',
  'refresh',
  'retry-after',
  'vary',
  'warning',
  // how the content is to be understood
  'content-encoding',
  'content-range',
  'content-type',
]

/** What `proxy_pass_header` lets through is not hidden, whatever `proxy_hide_header` says. */
export function hiddenFields({ proxyHideHeader, proxyPassHeader }: ResponseConf): string[] {
  const passed = new Set(proxyPassHeader.map((name) => name.toLowerCase()))
  const names = [...HIDDEN_FIELDS, ...proxyHideHeader.map((name) => name.toLowerCase())]
  return names.filter((name) => !passed.has(name))
}

export function makePassedFieldsPlan(conf: ResponseConf): PassedFieldsPlan {
  const never = [...CONNECTION_FIELDS, ...hiddenFields(conf)]
  return {
    notHints: NameSet.of(never),
    notTrailers: conf.proxyPassTrailers ? NameSet.of([...never, ...HEAD_FIELDS]) : null,
  }
}
