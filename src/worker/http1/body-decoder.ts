// Framing of HTTP/1 message bodies on the way in: by length, by chunks, or until the connection ends (RFC 9112
// sections 6 and 7). One decoder for client and upstream connections. Content is passed on as slices of what arrived;
// small chunks that arrive together are moved together in place first, so that they cost one write and not one each.

import type { Fields } from '../http/fields.ts'
import { Fields as FieldList } from '../http/fields.ts'
import { brokenLine, readField, TOKENS } from './head-parser.ts'

/** What the decoder finds in the bytes it is given. */
export interface BodyEvents {
  /** `bytes[start, end)` is content; `last`: nothing follows, not even trailers. */
  content(bytes: Buffer, start: number, end: number, last: boolean): void
  /** The body is complete (not called after a `content` with `last`). `trailers` is null without any. */
  complete(trailers: Fields | null): void
}

type State =
  | 'none'
  | 'length'
  | 'until close'
  | 'size'
  | 'extension'
  | 'size LF'
  | 'data'
  | 'data CR'
  | 'data LF'
  | 'trailer'
  | 'done'

/** `decode` met a chunk that makes the body longer than it may be. */
export const TOO_LARGE = -2

const CR = 13
const LF = 10
/** Longest chunk-size line with extensions, and longest trailer section unless `startChunked` says otherwise. */
const MAX_SIZE_LINE = 4096
const MAX_TRAILERS = 32768
/** Chunks up to this size are moved to the end of the one before. */
const SMALL_CHUNK = 4096

export class BodyDecoder {
  #state: State = 'none'
  #chunked = false
  /** Bytes left of the body or of the chunk. */
  #left = 0
  #digits = 0
  #lineLength = 0
  #trailers = ''
  #trailerLimit = MAX_TRAILERS
  #afterCR = false
  /** Content of this call that has not been passed on yet. */
  #gatheredStart = 0
  #gatheredEnd = 0
  /** Content bytes seen so far. */
  received = 0
  /** Once `decode` has returned -1: what was sent that is none, in nginx's words. */
  fault = ''
  /** Content bytes there may be in chunks; 0: any number. */
  limit = 0

  /** The body is complete. */
  get done(): boolean {
    return this.#state === 'done'
  }

  /** Content bytes known to follow: 0 with chunks. */
  get left(): number {
    return this.#state === 'length' ? this.#left : 0
  }

  /** What is left of the present chunk. */
  get leftOfChunk(): number {
    return this.#left
  }

  /** The end of the connection is the end of the body. */
  get untilClose(): boolean {
    return this.#state === 'until close'
  }

  /** The framing is chunks. */
  get chunked(): boolean {
    return this.#chunked
  }

  startLength(length: number): void {
    this.#begin(length === 0 ? 'done' : 'length')
    this.#left = length
  }

  /** `trailerLimit`: bytes that a trailer section may have, its empty line included. */
  startChunked(trailerLimit = MAX_TRAILERS): void {
    this.#begin('size')
    this.#chunked = true
    this.#trailerLimit = trailerLimit
    this.fault = 'invalid chunked response'
  }

  startUntilClose(): void {
    this.#begin('until close')
  }

  #begin(state: State): void {
    this.#state = state
    this.#chunked = false
    this.#left = 0
    this.#digits = 0
    this.#lineLength = 0
    this.#trailers = ''
    this.received = 0
  }

  /**
   * Decodes `bytes[start, end)`. Returns the position behind the last byte of this body that was used (bytes behind
   * it belong to the next message), -1 when the framing is broken, or TOO_LARGE for a chunk beyond the limit. Bytes of
   * this body may have been moved.
   */
  decode(bytes: Buffer, start: number, end: number, events: BodyEvents): number {
    if (this.#state === 'length') return this.#decodeLength(bytes, start, end, events)
    if (this.#state === 'until close') {
      this.received += end - start
      if (end > start) events.content(bytes, start, end, false)
      return end
    }
    if (this.done) return start
    let at = start
    this.#gatheredStart = this.#gatheredEnd = start
    while (at >= 0 && at < end && this.#state !== 'done') {
      at = this.#state === 'data' ? this.#chunkData(bytes, at, end, events) : this.#chunkByte(bytes[at]!, at)
    }
    this.#passGathered(bytes, events)
    return this.#state === 'done' ? this.#complete(at, events) : at
  }

  #complete(at: number, events: BodyEvents): number {
    const trailers = this.#parseTrailers()
    if (trailers === null) return -1
    events.complete(trailers.count === 0 ? null : trailers)
    return at
  }

  #decodeLength(bytes: Buffer, start: number, end: number, events: BodyEvents): number {
    const stop = end - start >= this.#left ? start + this.#left : end
    this.#left -= stop - start
    this.received += stop - start
    const last = this.#left === 0
    if (last) this.#state = 'done'
    if (stop > start) events.content(bytes, start, stop, last)
    return stop
  }

  #chunkData(bytes: Buffer, at: number, end: number, events: BodyEvents): number {
    if (this.limit > 0 && this.received + this.#left > this.limit) return TOO_LARGE
    const stop = end - at >= this.#left ? at + this.#left : end
    this.#left -= stop - at
    this.received += stop - at
    if (this.#left === 0) this.#state = 'data CR'
    if (this.#gatheredEnd > this.#gatheredStart && stop - at <= SMALL_CHUNK) {
      // Over the framing between the two, which has been read.
      bytes.copyWithin(this.#gatheredEnd, at, stop)
      this.#gatheredEnd += stop - at
    } else {
      this.#passGathered(bytes, events)
      this.#gatheredStart = at
      this.#gatheredEnd = stop
    }
    return stop
  }

  #passGathered(bytes: Buffer, events: BodyEvents): void {
    const start = this.#gatheredStart
    const end = this.#gatheredEnd
    this.#gatheredStart = end
    if (end > start) events.content(bytes, start, end, false)
  }

  /** One byte of framing. Returns the position behind it, or -1. */
  #chunkByte(byte: number, at: number): number {
    switch (this.#state) {
      case 'size':
        return this.#sizeByte(byte) ? at + 1 : -1
      case 'extension':
        if (++this.#lineLength > MAX_SIZE_LINE) return -1
        if (byte === CR) this.#state = 'size LF'
        else if (byte < 32 && byte !== 9) return -1
        return at + 1
      case 'size LF':
        if (byte !== LF) return -1
        this.#state = this.#left === 0 ? 'trailer' : 'data'
        this.#digits = 0
        this.#lineLength = 0
        return at + 1
      case 'data CR':
        this.#state = 'data LF'
        return byte === CR ? at + 1 : -1
      case 'data LF':
        this.#state = 'size'
        return byte === LF ? at + 1 : -1
      default:
        return this.#trailerByte(byte) ? at + 1 : -1
    }
  }

  #sizeByte(byte: number): boolean {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      // 13 digits keep the sum a safe integer.
      if (++this.#digits > 13) return false
      this.#left = this.#left * 16 + digit
      return true
    }
    if (this.#digits === 0) return false
    if (byte === CR) this.#state = 'size LF'
    else if (byte === 59 || byte === 32 || byte === 9) this.#state = 'extension'
    else return false
    return true
  }

  #trailerByte(byte: number): boolean {
    if (this.#trailers.length === this.#trailerLimit) {
      this.fault = 'too big trailers'
      return false
    }
    this.#trailers += String.fromCharCode(byte)
    this.#lineLength++
    if (byte !== LF) {
      this.#afterCR = byte === CR
      return true
    }
    if (!this.#afterCR) {
      this.fault = 'invalid trailer'
      return false
    }
    if (this.#lineLength === 2) this.#state = 'done'
    this.#lineLength = 0
    return true
  }

  /** Reads the trailer section with its empty line; null when it is malformed. */
  #parseTrailers(): Fields | null {
    const text = this.#trailers
    const fields = new FieldList()
    fields.reset(text)
    let start = 0
    while (start < text.length - 2) {
      const next = readField(fields, text, start, TOKENS, false)
      if (next <= 0) {
        const wrong = next < 0 ? -1 - next : text.length - 1
        this.fault = `invalid trailer: "${brokenLine(text, start, wrong)}"`
        return null
      }
      start = next
    }
    return fields
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
