// A header block out of the frames it comes in: one HEADERS frame, mostly, or one and CONTINUATION frames behind it.

import { END_HEADERS, PADDED, PRIORITY_FLAG } from '../../http2/frames.ts'
import { TOO_BIG_HEADER } from '../next.ts'

const EMPTY = Buffer.alloc(0)

export class ResponseBlock {
  /** The block, once it is complete: `bytes[start, end)`, valid only until the next call. */
  bytes: Buffer = EMPTY
  start = 0
  end = 0
  /** Those of the HEADERS frame. */
  flags = 0
  /** More of it is to come, and nothing else may. */
  open = false

  /** Takes the payload of HEADERS; `limit`: bytes the block may have. What is wrong in nginx's words; ''. */
  begin(flags: number, bytes: Buffer, start: number, end: number, limit: number): string {
    let from = start
    let to = end
    if (flags & PADDED) {
      if (from === to) return `upstream sent headers frame with invalid length: ${end - start}`
      const padding = bytes[from++]!
      to -= padding
      if (to < from) {
        return `upstream sent http2 frame with too long padding: ${padding} in frame ${end - from}`
      }
    }
    if (flags & PRIORITY_FLAG) from += 5
    if (from > to) return `upstream sent headers frame with invalid length: ${end - start}`
    if (to - from > limit) return TOO_BIG_HEADER
    this.flags = flags
    this.open = (flags & END_HEADERS) === 0
    // The payload is gone when the next frame comes.
    if (this.open) this.#set(Buffer.from(bytes.subarray(from, to)), 0, to - from)
    else this.#set(bytes, from, to)
    return ''
  }

  /** Takes the payload of CONTINUATION. */
  goOn(flags: number, bytes: Buffer, start: number, end: number, limit: number): string {
    if (this.end + end - start > limit) return TOO_BIG_HEADER
    // One of no bytes would cost nothing to send again and again.
    if (start === end && (flags & END_HEADERS) === 0) return 'upstream sent too short http2 frame'
    const whole = Buffer.concat([this.bytes, bytes.subarray(start, end)])
    this.#set(whole, 0, whole.length)
    this.open = (flags & END_HEADERS) === 0
    return ''
  }

  /** Lets go of the bytes. */
  forget(): void {
    this.#set(EMPTY, 0, 0)
  }

  #set(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.start = start
    this.end = end
  }
}
