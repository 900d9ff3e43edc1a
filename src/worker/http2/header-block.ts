// A header block as it comes: one HEADERS frame and as many CONTINUATION frames as it takes (RFC 9113 section 6.10). It
// is read when it is whole, so it is kept until then; how much there may be of it is bounded, and how many pieces.

import {
  END_HEADERS,
  ENHANCE_YOUR_CALM,
  FRAME_SIZE_ERROR,
  PADDED,
  PRIORITY_FLAG,
  PROTOCOL_ERROR,
  readStreamId,
} from './frames.ts'
import type { ConnectionError } from './settings.ts'

/** CONTINUATION frames behind a HEADERS frame. */
const MOST_PIECES = 64

const error = (code: number, reason: string): ConnectionError => ({ code, reason: `client sent ${reason}` })

const TOO_MANY = error(ENHANCE_YOUR_CALM, 'too many CONTINUATION frames')
const TOO_LARGE = error(ENHANCE_YOUR_CALM, 'too large header block')

export class HeaderBlock {
  /** Whose it is; 0: there is none. */
  streamId = 0
  /** Of the HEADERS frame. */
  flags = 0
  /** The stream that it depends on; -1: not said. */
  dependency = -1
  /** The block, `bytes[start, end)`, once it is whole: valid as long as the last frame. */
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  whole = false
  #pieces: Buffer[] = []
  #length = 0

  /** More of a block has to come, and nothing else may. */
  get open(): boolean {
    return this.streamId !== 0
  }

  /** Takes a HEADERS frame. */
  begin(flags: number, streamId: number, bytes: Buffer, start: number, end: number): ConnectionError | null {
    const length = end - start
    const padded = (flags & PADDED) !== 0
    const before = (padded ? 1 : 0) + ((flags & PRIORITY_FLAG) === 0 ? 0 : 5)
    if (length < before) return error(FRAME_SIZE_ERROR, `HEADERS frame with incorrect length ${length}`)
    const padding = padded ? bytes[start]! : 0
    if (padding > length - before) {
      const what = `incorrect length: ${length - before}, padding: ${padding}`
      return error(PROTOCOL_ERROR, `padded HEADERS frame with ${what}`)
    }
    this.flags = flags
    this.dependency = (flags & PRIORITY_FLAG) === 0 ? -1 : readStreamId(bytes, start + before - 5)
    this.#take(flags, streamId, bytes, start + before, end - padding)
    return null
  }

  /** Takes a CONTINUATION frame of the block that is open; it may have `limit` bytes in all. */
  goOn(flags: number, bytes: Buffer, start: number, end: number, limit: number): ConnectionError | null {
    if (this.#pieces.length > MOST_PIECES) return TOO_MANY
    if (this.#length + end - start > limit) return TOO_LARGE
    this.#take(flags, this.streamId, bytes, start, end)
    return null
  }

  #take(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.whole = (flags & END_HEADERS) !== 0
    if (this.whole && this.#pieces.length === 0) {
      this.bytes = bytes
      this.start = start
      this.end = end
      return
    }
    this.streamId = streamId
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)))
    this.#length += end - start
    if (!this.whole) return
    this.bytes = Buffer.concat(this.#pieces)
    this.start = 0
    this.end = this.bytes.length
    this.#pieces = []
    this.#length = 0
    this.streamId = 0
  }

  /** Bytes of the block. */
  get length(): number {
    return this.end - this.start
  }
}
