// How an attempt at a peer can fail, and what follows: another peer, or a status for the client. nginx's
// `proxy_next_upstream`.

import type { Setter } from '../../shared/conf/command.ts'
import { bitmask } from '../../shared/conf/setters.ts'
import { errnoText } from '../../shared/errno.ts'
import type { Level } from '../../shared/error-log.ts'
import type { Request } from '../http/request.ts'
import type { BodyDecoder } from '../http1/body-decoder.ts'
import { isExpected, opensslText } from '../tls/openssl-error.ts'
import type { Outcome, PeerAddress } from './peers.ts'
import type { Reason } from './reasons.ts'
import { HandshakeError } from './tls/handshake.ts'

/** Bits of the words of `proxy_next_upstream`. */
export const NEXT = {
  error: 1,
  timeout: 1 << 1,
  invalid_header: 1 << 2,
  http_500: 1 << 3,
  http_502: 1 << 4,
  http_503: 1 << 5,
  http_504: 1 << 6,
  http_403: 1 << 7,
  http_404: 1 << 8,
  http_429: 1 << 9,
  non_idempotent: 1 << 10,
  off: 1 << 11,
  /** nginx takes it here too, where it means nothing. */
  updating: 1 << 12,
} as const

const setConditions = bitmask(NEXT)

/** Setter of `proxy_next_upstream` and its likes. */
export function setNextUpstream(...[directive, context, previous]: Parameters<Setter>): unknown {
  if (directive.args.some((word) => word.toLowerCase() === 'denied')) {
    context.error(
      `the "denied" parameter of the "${directive.name}" directive is about what "proxy_allow_upstream" denies, ` +
        'which is not supported by weir yet',
    )
  }
  if (directive.args.some((word) => word.toLowerCase() === 'updating')) {
    context.warn(`"updating" has no meaning in the "${directive.name}" directive`)
  }
  return setConditions(directive, context, previous)
}

/** nginx's words for a head that is longer than there is room for. */
export const TOO_BIG_HEADER = 'upstream sent too big header'

/** Words that failures have; the others say more of the request, or that there is no next one. */
export type FailureKind = Exclude<keyof typeof NEXT, 'non_idempotent' | 'off' | 'updating'>

/** `proxy_next_upstream*`. */
export interface NextSettings {
  /** Bits of NEXT. Default: error and timeout. */
  conditions: number
  /** Attempts in all; 0, the default: as many as there are peers. */
  tries: number
  /** Milliseconds from the first attempt in which another may begin; 0, the default: any time. */
  timeout: number
}

/** An attempt that failed; `message` is nginx's for the error log. */
export interface Failure {
  kind: FailureKind
  reason: Reason
  /** '': a response that says enough by its status. */
  message: string
  /** Default `error`. */
  level?: Level
  /** The peer has said that it has done nothing about the request: whatever that is, it may be sent again. */
  unseen?: true
}

/** Errors that a connection over the network meets once it is under way. */
const LATE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT'])
/** Errors of `connect` that are nothing out of the ordinary. */
const ORDINARY = new Set([...LATE, 'EAGAIN', 'ENETDOWN', 'ENETUNREACH'])

const CONNECT_REASONS: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'connect_refused',
  ETIMEDOUT: 'connect_timeout',
  EHOSTDOWN: 'connect_unreachable',
  EHOSTUNREACH: 'connect_unreachable',
  ENETDOWN: 'connect_unreachable',
  ENETUNREACH: 'connect_unreachable',
}

/** A connection to `peer`, or TLS on it, that did not come about. As nginx, what fails at once is told with the address. */
export function connectFailure(error: NodeJS.ErrnoException, peer: PeerAddress): Failure {
  if (error instanceof HandshakeError) return error.failure
  const code = error.code ?? ''
  const reason = CONNECT_REASONS[code] ?? 'connect_failed'
  const failed = `failed (${errnoText(error)})`
  if (peer.path === null && LATE.has(code)) return { kind: 'error', reason, message: `connect() ${failed}` }
  const level = ORDINARY.has(code) ? 'error' : 'crit'
  return { kind: 'error', reason, message: `connect() to ${peer.name} ${failed}`, level }
}

/** A connection that broke while it was in use. */
export function brokenFailure(error: NodeJS.ErrnoException): Failure {
  const ssl = error.errno === undefined ? opensslText(error) : null
  if (ssl !== null) {
    const level = isExpected(ssl) ? 'error' : 'crit'
    return { kind: 'error', reason: 'reset', message: `SSL_read() failed (${ssl})`, level }
  }
  const call = error.code === 'EPIPE' ? 'send' : 'recv'
  return { kind: 'error', reason: 'reset', message: `${call}() failed (${errnoText(error)})` }
}

export function timeoutFailure(
  reason: 'connect_timeout' | 'tls_timeout' | 'send_timeout' | 'read_timeout',
): Failure {
  return { kind: 'timeout', reason, message: 'upstream timed out (110: Connection timed out)' }
}

export function headFailure(message: string): Failure {
  const reason = message === TOO_BIG_HEADER ? 'header_too_big' : 'bad_header'
  return { kind: 'invalid_header', reason, message }
}

export const PREMATURE_CLOSE: Failure = {
  kind: 'error',
  reason: 'premature_close',
  message: 'upstream prematurely closed connection',
}

/** The peer has said, by HTTP/2, that it has not looked at the request. */
export function refusedFailure(message: string): Failure {
  return { kind: 'error', reason: 'refused_stream', message, unseen: true }
}

/** Whatever it answers, it is not the request: that is still on its way. */
export const EARLY_DATA: Failure = {
  kind: 'error',
  reason: 'bad_header',
  message: 'upstream sent data before the request',
}

/** Content whose framing, or what stands behind it, is broken. */
export function bodyFailure({ fault }: BodyDecoder): Failure {
  return { kind: 'error', reason: 'bad_body', message: `upstream sent ${fault}` }
}

const STATUS_KINDS = new Map<number, FailureKind & Reason>([
  [500, 'http_500'],
  [502, 'http_502'],
  [503, 'http_503'],
  [504, 'http_504'],
  [403, 'http_403'],
  [404, 'http_404'],
  [429, 'http_429'],
])

/** The failure that a response of this status is where `conditions` name it, else null. */
export function statusFailure(status: number, conditions: number): Failure | null {
  if (status < 403) return null
  const kind = STATUS_KINDS.get(status)
  if (kind === undefined || (conditions & NEXT[kind]) === 0) return null
  return { kind, reason: kind, message: '' }
}

/** nginx's list: of what these have done once, twice would be more. */
const NOT_IDEMPOTENT = new Set(['POST', 'LOCK', 'PATCH'])

/** Whether a request that a peer may have seen, and may have acted on, may be sent again at all. */
export function repeatable({ method }: Request, { conditions }: NextSettings): boolean {
  // GET need not be looked for: this is asked of every request on a connection that was kept.
  const found = method.length > 3 && NOT_IDEMPOTENT.has(method)
  return !found || (conditions & NEXT.non_idempotent) !== 0
}

/** What is known of the attempt when it fails. */
export interface AttemptProgress {
  /** The request, or a part of it, has been sent. */
  requestSent: boolean
  /** Bytes of the request body are gone and cannot be sent again. */
  bodySpent: boolean
  /** Milliseconds since the first attempt. */
  elapsed: number
}

/** Whether another peer may be asked. */
export function mayTryAgain(
  r: Request,
  { kind }: Failure,
  { requestSent, bodySpent, elapsed }: AttemptProgress,
  settings: NextSettings,
): boolean {
  if (r.headSent || bodySpent) return false
  if (settings.timeout > 0 && elapsed >= settings.timeout) return false
  return (settings.conditions & NEXT[kind]) !== 0 && (!requestSent || repeatable(r, settings))
}

/**
 * Whether a request goes out again, on a fresh connection, after the one that was kept from another request turned out
 * to be closed. That is not the next peer, so only what must not be done twice is in the way (RFC 9110 section 9.2.2).
 */
export function mayGoOutAgain(
  r: Request,
  { requestSent, bodySpent }: Omit<AttemptProgress, 'elapsed'>,
  settings: NextSettings,
): boolean {
  return !bodySpent && (!requestSent || repeatable(r, settings))
}

/** The status a failure ends a request with. */
export function failureStatus({ kind }: Failure): number {
  if (kind === 'timeout') return 504
  return kind.startsWith('http_') ? Number(kind.slice(5)) : 502
}

/** What a failure says of the peer: as nginx, one that answers 403 or 404 works. */
export function failureOutcome({ kind }: Failure): Outcome {
  return kind === 'http_403' || kind === 'http_404' ? 'next' : 'failed'
}
