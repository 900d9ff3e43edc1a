// How an attempt at a peer can fail, and what follows: another peer, or a status for the client. nginx's
// `proxy_next_upstream error timeout`, its default.

import type { Request } from '../http/request.ts'

/** Kinds are the words of `proxy_next_upstream`. */
export type FailureKind = 'error' | 'timeout' | 'invalid_header'

/** An attempt that failed; `message` is nginx's for the error log. */
export interface Failure {
  kind: FailureKind
  message: string
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
  return !attempt.requestSent || !NOT_IDEMPOTENT.has(r.client.method)
}

/** The status a failure ends a request with. */
export function failureStatus(failure: Failure): number {
  return failure.kind === 'timeout' ? 504 : 502
}
