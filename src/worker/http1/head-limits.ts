// How large a request head may be: nginx's `large_client_header_buffers 4 8k`.

import type { Refusal, RequestHead } from './request-head.ts'

/** Longest line. */
const LINE_LIMIT = 8192
/** Longest head. */
const HEAD_LIMIT = 4 * LINE_LIMIT

const URI_TOO_LARGE: Refusal = { status: 414, reason: 'client sent too long URI' }
const HEADER_TOO_LARGE: Refusal = { status: 494, reason: 'client sent too long header line' }
const BAD_METHOD: Refusal = { status: 400, reason: 'client sent invalid method' }
const ANY_METHOD = /^[A-Z_-]{1,64}( |$)/

/** What can be said against `text`, a head that is not complete; null: nothing yet. */
export function unfinishedRefusal(head: RequestHead, text: string): Refusal | null {
  const rest = text.length - head.position
  if (!head.inFields) {
    if (rest > LINE_LIMIT) return URI_TOO_LARGE
    return ANY_METHOD.test(text) ? null : BAD_METHOD
  }
  return rest > LINE_LIMIT || text.length > HEAD_LIMIT ? HEADER_TOO_LARGE : null
}

/** What the limits say of a complete head of `length` bytes; null: nothing. */
export function sizeRefusal(head: RequestHead, length: number): Refusal | null {
  if (length <= LINE_LIMIT) return null
  if (head.line.length > LINE_LIMIT) return URI_TOO_LARGE
  if (length > HEAD_LIMIT) return HEADER_TOO_LARGE
  const { fields } = head
  for (let index = 0; index < fields.count; index++) {
    if (fields.end(index) - fields.start(index) > LINE_LIMIT) return HEADER_TOO_LARGE
  }
  return null
}
