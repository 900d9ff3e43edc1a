// The head of a backend's response out of the pieces it arrives in: kept until it is complete, and refused where it
// gets too long.

import { latin1 } from '../../shared/latin1.ts'
import { ResponseHead } from '../http1/response-head.ts'
import { TOO_BIG_HEADER } from './next.ts'

/** So much is looked at first: most heads are shorter. */
const FIRST_LOOK = 512

/** Nothing is wrong, but there has to come more. */
export const UNFINISHED = -1
/** It is no head; `refusal` says why. */
export const REFUSED = -2

export class HeadReader {
  readonly head = new ResponseHead()
  /** Bytes of all heads since `reset`: interim ones count. */
  length = 0
  /** In nginx's words. */
  refusal = ''
  #text = ''

  /** A part of a head has come. */
  get begun(): boolean {
    return this.#text !== ''
  }

  /** The next response begins. */
  reset(): void {
    this.head.reset()
    this.length = 0
    this.#text = ''
  }

  /** Takes `bytes[start, end)` of a head of at most `limit` bytes; the position behind the head when `head` is complete, UNFINISHED or REFUSED. */
  read(bytes: Buffer, start: number, end: number, limit: number): number {
    const before = this.#text.length
    let stop = end - start > FIRST_LOOK ? start + FIRST_LOOK : end
    for (;;) {
      const text = this.#text + latin1(bytes, start, stop)
      const length = this.head.read(text)
      if (length < 0) return this.#refuse(this.head.refusal)
      if (length > limit || (length === 0 && text.length >= limit)) {
        return this.#refuse(TOO_BIG_HEADER)
      }
      if (length > 0) {
        this.length += length
        this.#text = ''
        return start + length - before
      }
      if (stop === end) {
        this.#text = text
        return UNFINISHED
      }
      stop = end - start > limit + 1 ? start + limit + 1 : end
    }
  }

  #refuse(refusal: string): number {
    this.refusal = refusal
    return REFUSED
  }
}
