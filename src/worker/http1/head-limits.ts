// How large a request head may be, by nginx's accounting: it is read into a buffer of client_header_buffer_size; a line
// that does not fit what is left there moves to a large buffer, of which there are so many, and must fit that one.
// Nothing is copied here: only where each buffer would end is known.

import type { Refusal, RequestHead } from './request-head.ts'

const URI_TOO_LARGE: Refusal = { status: 414, reason: 'client sent too long URI' }
const HEAD_TOO_LARGE: Refusal = { status: 494, reason: 'client sent too large request' }
const BAD_METHOD: Refusal = { status: 400, reason: 'client sent invalid method' }
const ANY_METHOD = /^[A-Z_-]+( |$)/

/** nginx logs no more of a line. */
const LOGGED = 2048 - 300

/** The buffers one head would take; positions count from the head's first character. */
export class HeadBuffers {
  /** End of the buffer in use. */
  end = 0
  /** Large buffers in use. */
  busy = 0
  /** Start of the first line not known to fit. */
  #at = 0
  /** Start of the header line before that one; 0: there is none. */
  #before = 0

  /** `room`: characters left in the buffer the head begins in; `busy`: large buffers in use already. */
  begin(room: number, busy: number): void {
    this.end = room
    this.busy = busy
    this.#at = 0
    this.#before = 0
  }

  /**
   * What is wrong with the head in `text`, of which the first `length` characters are there; null: nothing. `whole`:
   * nothing is to follow.
   */
  check(text: string, length: number, whole: boolean, head: RequestHead): Refusal | null {
    while (whole ? this.#at < length : this.#at <= length) {
      const at = this.#at
      const feed = text.indexOf('\n', at)
      const complete = feed >= 0 && feed < length
      const lineEnd = complete ? feed + 1 : length
      while (complete ? lineEnd > this.end : lineEnd >= this.end) {
        const { count, size } = head.rulesAt(at).largeClientHeaderBuffers
        const seen = this.end - at
        if ((seen > 0 && seen >= size) || this.busy >= count) return this.#refuse(text, seen, head)
        this.busy++
        this.end = at + size
      }
      if (!complete) return null
      this.#before = at
      this.#at = lineEnd
    }
    return null
  }

  #refuse(text: string, seen: number, head: RequestHead): Refusal {
    const at = this.#at
    if (at === 0) {
      head.cutLine(text.slice(0, this.end))
      return URI_TOO_LARGE
    }
    head.cutFields(at)
    // As nginx: where nothing of this line has been read, the last one is to blame.
    if (seen === 0 && this.#before === 0) return HEAD_TOO_LARGE
    const from = seen === 0 ? this.#before : at
    const to = seen === 0 ? at - 2 : this.end
    const line = text.slice(from, Math.min(to, from + LOGGED))
    return { status: 494, reason: `client sent too long header line: "${line}..."` }
  }
}

/** What can be said against `text`, a head that is not complete; null: nothing yet. */
export function unfinishedRefusal(head: RequestHead, text: string): Refusal | null {
  if (!head.inFields && !ANY_METHOD.test(text)) return BAD_METHOD
  return text.length < head.buffers.end ? null : head.buffers.check(text, text.length, false, head)
}

/** What the limits say of a head of which the first `length` characters of `text` were read; null: nothing. */
export function sizeRefusal(head: RequestHead, text: string, length: number): Refusal | null {
  return length <= head.buffers.end ? null : head.buffers.check(text, length, true, head)
}
