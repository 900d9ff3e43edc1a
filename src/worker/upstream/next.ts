// How an attempt at a peer can fail, and what follows: another peer, or a status for the client. nginx's
// `proxy_next_upstream`.

import { errnoText } from '../../shared/errno.ts'
import type { Level } from '../../shared/error-log.ts'
import type { Request } from '../http/request.ts'
import type { Outcome, PeerAddress } from './peers.ts'

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
} as const

/** Words that failures have; the others say more of the request, or that there is no next one. */
export type FailureKind = Exclude<keyof typeof NEXT, 'non_idempotent' | 'off'>

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
  /** '': a response that says enough by its status. */
  message: string
  /** Default `error`. */
  level?: Level
}

/** Errors that a connection over the network meets once it is under way. */
const LATE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT'])
/** Errors of `connect` that are nothing out of the ordinary. */
const ORDINARY = new Set([...LATE, 'EAGAIN', 'ENETDOWN', 'ENETUNREACH'])

/** A connection to `peer` that did not come about. As nginx, what fails at once is told with the address. */
export function connectFailure(error: NodeJS.ErrnoException, peer: PeerAddress): Failure {
  const code = error.code ?? ''
  const reason = `failed (${errnoText(error)})`
  if (peer.path === null && LATE.has(code)) return { kind: 'error', message: `connect() ${reason}` }
  const level = ORDINARY.has(code) ? 'error' : 'crit'
  return { kind: 'error', message: `connect() to ${peer.name} ${reason}`, level }
}

const STATUS_KINDS = new Map<number, FailureKind>([
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
  return kind === undefined || (conditions & NEXT[kind]) === 0 ? null : { kind, message: '' }
}

const NOT_IDEMPOTENT = new Set(['POST', 'LOCK', 'PATCH'])

/** What is known of the attempt when it fails. */
export interface AttemptProgress {
  /** The request, or a part of it, has been sent. */
  requestSent: boolean
  /** Bytes of the request body are gone and cannot be sent again. */
  bodySent: boolean
  /** Milliseconds since the first attempt. */
  elapsed: number
}

/** Whether the request may be sent again, to another peer or (a stale connection) to the same one. */
export function mayTryAgain(
  r: Request,
  { kind }: Failure,
  { requestSent, bodySent, elapsed }: AttemptProgress,
  { conditions, timeout }: NextSettings,
): boolean {
  if (r.headSent || bodySent || (timeout > 0 && elapsed >= timeout)) return false
  const needed = NEXT[kind] | (requestSent && NOT_IDEMPOTENT.has(r.method) ? NEXT.non_idempotent : 0)
  return (conditions & needed) === needed
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
