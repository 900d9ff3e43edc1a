// How an attempt at a peer can fail, and what follows: another peer, or a status for the client. nginx's
// `proxy_next_upstream error timeout`, its default.

import { errnoText } from '../../shared/errno.ts'
import type { Level } from '../../shared/error-log.ts'
import type { Request } from '../http/request.ts'
import type { Peer } from './peers.ts'

/** Kinds are the words of `proxy_next_upstream`. */
export type FailureKind = 'error' | 'timeout' | 'invalid_header'

/** An attempt that failed; `message` is nginx's for the error log. */
export interface Failure {
  kind: FailureKind
  message: string
  /** Default `error`. */
  level?: Level
}

/** Errors that a connection over the network meets once it is under way. */
const LATE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT'])
/** Errors of `connect` that are nothing out of the ordinary. */
const ORDINARY = new Set([...LATE, 'EAGAIN', 'ENETDOWN', 'ENETUNREACH'])

/** A connection to `peer` that did not come about. As nginx, what fails at once is told with the address. */
export function connectFailure(error: NodeJS.ErrnoException, peer: Peer): Failure {
  const code = error.code ?? ''
  const reason = `failed (${errnoText(error)})`
  if (peer.path === null && LATE.has(code)) return { kind: 'error', message: `connect() ${reason}` }
  const level = ORDINARY.has(code) ? 'error' : 'crit'
  return { kind: 'error', message: `connect() to ${peer.name} ${reason}`, level }
}

const NOT_IDEMPOTENT = new Set(['POST', 'LOCK', 'PATCH'])

/** What is known of the attempt when it fails. */
export interface AttemptProgress {
  /** The request, or a part of it, has been sent. */
  requestSent: boolean
  /** Bytes of the request body are gone and cannot be sent again. */
  bodySent: boolean
}

/** Whether the request may be sent again, to another peer or (a stale connection) to the same one. */
export function mayTryAgain(r: Request, failure: Failure, attempt: AttemptProgress): boolean {
  if (r.headSent || attempt.bodySent || failure.kind === 'invalid_header') return false
  return !attempt.requestSent || !NOT_IDEMPOTENT.has(r.method)
}

/** The status a failure ends a request with. */
export function failureStatus(failure: Failure): number {
  return failure.kind === 'timeout' ? 504 : 502
}
