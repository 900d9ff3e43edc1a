// The heads of one connection's requests as they come in: what has come of the one being read, and the buffer of
// nginx's that it would stand in. Says where a head ends; what is done with it is for connection.ts.

import { latin1 } from '../../shared/latin1.ts'
import { sizeRefusal, unfinishedRefusal } from '../http1/head-limits.ts'
import type { HeadRules } from '../http1/head-rules.ts'
import { type Refusal, RequestHead } from '../http1/request-head.ts'

/** What `read` gives for a head that is not complete, and for one that is no request. */
export const INCOMPLETE = -1
export const REFUSED = -2

/**
 * So many bytes are looked at first, then twice as many, and so on: what pipelined requests behind a head bring is not
 * turned into text, and kept in memory, once for each of them.
 */
const FIRST_LOOK = 2048
/** Heads kept for reuse. */
const SPARE_HEADS = 1000
const spareHeads: RequestHead[] = []

/** Gives back the head of a request that is over: nothing may look at it any more. */
export function releaseHead(head: RequestHead): void {
  head.release()
  if (spareHeads.length < SPARE_HEADS && !head.fields.grown) spareHeads.push(head)
}

/** Position of the first byte that is not of an empty line: RFC 9112 section 2.2 has those skipped. */
export function skipEmptyLines(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === 13 || bytes[at] === 10)) at++
  return at
}

export class HeadReading {
  #head: RequestHead | null = null
  /** What has come of it, as long as it is not complete. */
  #text = ''
  /** Why it is refused. */
  #refusal: Refusal | null = null
  /** A request that came with the one before it begins in the same buffer of nginx's; see http1/head-limits.ts. */
  #room = 0
  #largeBuffers = 0

  /** A head begins, behind `skipped` bytes of empty lines. */
  begin(rules: HeadRules, skipped: number): void {
    this.#head = spareHeads.pop() ?? new RequestHead()
    this.#head.begin(rules, this.#room, this.#largeBuffers, skipped)
  }

  /** Reads on in `bytes[start, end)`; the position behind the head, INCOMPLETE or REFUSED. */
  read(bytes: Buffer, start: number, end: number): number {
    let from = start
    for (let look = FIRST_LOOK; end - from > look; look *= 2) {
      const at = this.#readPiece(bytes, from, from + look, true)
      if (at !== INCOMPLETE) return at
      from += look
    }
    return this.#readPiece(bytes, from, end, false)
  }

  /** `more`: there are bytes behind this piece. */
  #readPiece(bytes: Buffer, start: number, end: number, more: boolean): number {
    const head = this.#head!
    const before = this.#text.length
    const text = before === 0 ? latin1(bytes, start, end) : this.#text + latin1(bytes, start, end)
    const stop = head.read(text)
    if (stop === 0) {
      this.#text = text
      this.#refusal = unfinishedRefusal(head, text)
      return this.#refusal === null ? INCOMPLETE : REFUSED
    }
    // Of two faults the first in the text counts.
    this.#refusal = sizeRefusal(head, text, stop > 0 ? stop : head.position) ?? head.refusal
    if (this.#refusal !== null) {
      this.#text = text
      return REFUSED
    }
    this.#text = ''
    const at = start + stop - before
    this.#room = (more || at < end) && !head.hasBody ? head.buffers.end - stop : 0
    this.#largeBuffers = this.#room > 0 && head.buffers.busy > 0 ? 1 : 0
    return at
  }

  /** Hands over the head, which is complete. */
  take(): RequestHead {
    const head = this.#head!
    this.#head = null
    return head
  }

  /** Hands over a head that will not be read any further; what is wrong with it, if anything, is its `refusal`. */
  takeUnfinished(): RequestHead {
    const head = this.take()
    head.refusal = this.#refusal
    // As nginx: logs show as much of the line as came.
    if (!head.inFields && head.line === '') head.line = firstLine(this.#text)
    this.#text = ''
    this.#refusal = null
    return head
  }
}

/** `text` up to its first line end. */
function firstLine(text: string): string {
  const end = text.search(/[\r\n]/)
  return end < 0 ? text : text.slice(0, end)
}
