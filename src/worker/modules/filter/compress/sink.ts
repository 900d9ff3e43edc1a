// The one sink that turns content into other content: compressed, or not compressed any more. Small content that is
// there as a whole is done at once; the rest goes through zlib's streams, which work in libuv's pool, in order.

import type { Transform } from 'node:stream'
import type { BodySink, HoldingFilter } from '../../../http/body.ts'
import type { Fields } from '../../../http/fields.ts'
import { finalize } from '../../../http/finalize.ts'
import { OK } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'

/** A stream of node:zlib. */
export interface ZlibStream extends Transform {
  flush(kind?: number, callback?: () => void): void
  flush(callback?: () => void): void
}

/** How content is turned into other content. */
export interface Transcoding {
  readonly name: string
  /** Bytes of content that `whole` may be given: what an event loop has time for. */
  readonly wholeLimit: number
  /** The content, complete; null: this one is for a stream. */
  whole(content: Buffer): Buffer | null
  /** `length` of the content, -1 where it is not known. */
  stream(length: number): ZlibStream
  /** How the stream is told to give what it has; null: it does so of itself. */
  readonly flush: number | null
  /** What the error log says of content that it cannot read. */
  failure(error: NodeJS.ErrnoException): string
}

/** So much content may wait for the stream; the producer waits behind it. */
const MOST_WAITING = 131_072

/** Takes what has become of the whole content. */
export type Keep = (bytes: Buffer) => void

/** Puts a sink in front of what the filters before have put there, so that it gets what they give. */
export function transcode(r: Request, coding: Transcoding, length: number, keep: Keep | null): void {
  const { holding } = r
  if (holding instanceof TranscodingSink) {
    r.holding = holding.out = new TranscodingSink(r, coding, length, keep, holding.out, holding)
  } else {
    r.holding = r.out = new TranscodingSink(r, coding, length, keep, r.out, holding)
  }
}

export class TranscodingSink implements BodySink, HoldingFilter {
  out: BodySink
  previous: HoldingFilter | null
  readonly coding: Transcoding
  readonly #r: Request
  readonly #length: number
  readonly #keep: Keep | null
  /** What the stream has given, where that is to be kept. */
  readonly #given: Buffer[] | null
  #stream: ZlibStream | null = null
  /** Content for the stream. */
  #waiting: Buffer[] = []
  #size = 0
  /** The stream has content that it has not told to be done with. */
  #busy = false
  /** What was written is to leave. */
  #flush = false
  /** ... and has been given by the stream, but not taken by `out` yet. */
  #flushOut = false
  /** It cannot be done at once. */
  #refused = false
  #ended = false
  #trailers: Fields | null = null
  #done = false
  /** `out` has no room; the producer has been told to wait. */
  #blocked = false
  #told = false
  /** The request waits for the end of the content. */
  #awaited = false
  /** Bytes of content taken and given. */
  bytesIn = 0
  bytesOut = 0

  constructor(
    r: Request,
    coding: Transcoding,
    length: number,
    keep: Keep | null,
    out: BodySink,
    previous: HoldingFilter | null,
  ) {
    this.#r = r
    this.coding = coding
    this.#length = length
    this.#keep = keep
    this.#given = keep === null ? null : []
    this.out = out
    this.previous = previous
  }

  /** All content has been given. */
  get done(): boolean {
    return this.#done
  }

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#ended || this.#done) return true
    this.bytesIn += end - start
    if (last && this.#stream === null && this.#size === 0 && end - start <= this.coding.wholeLimit) {
      const result = this.coding.whole(bytes.subarray(start, end))
      if (result !== null) return this.#tell(this.#giveWhole(result, null))
      this.#refused = true
    }
    if (end > start) {
      this.#waiting.push(Buffer.from(bytes.subarray(start, end)))
      this.#size += end - start
    }
    if (last) this.end(null)
    else if (this.#stream !== null || this.#size > this.coding.wholeLimit) this.#work()
    return this.#tell(!this.#blocked && this.#size < MOST_WAITING)
  }

  #tell(room: boolean): boolean {
    if (!room) this.#told = true
    return room
  }

  #giveWhole(result: Buffer, trailers: Fields | null): boolean {
    this.#ended = this.#done = true
    this.bytesOut = result.length
    this.#keep?.(result)
    const room = this.out.write(result, 0, result.length, trailers === null)
    if (trailers !== null) this.out.end(trailers)
    return room
  }

  flush(): void {
    if (this.#done || (this.#size === 0 && !this.#busy)) return this.out.flush()
    this.#flush = true
    this.#work()
  }

  end(trailers: Fields | null): void {
    if (this.#ended || this.#done) return
    this.#ended = true
    this.#trailers = trailers
    if (this.#stream === null && !this.#refused && this.#size <= this.coding.wholeLimit) {
      const result = this.coding.whole(this.#takeWaiting())
      if (result !== null) {
        this.#waiting = []
        this.#tell(this.#giveWhole(result, trailers))
        return
      }
    }
    this.#work()
  }

  abort(): void {
    this.stop()
    this.out.abort()
  }

  /** The waiting content in one piece; it goes on waiting. */
  #takeWaiting(): Buffer {
    const whole = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting)
    this.#waiting = [whole]
    return whole
  }

  #open(): ZlibStream {
    const stream = this.coding.stream(this.#length)
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => this.#give(chunk))
    stream.on('end', () => this.#finish())
    stream.on('error', (error) => this.#fail(error))
    return stream
  }

  /** Gives the stream what waits: one piece at a time, so that many small ones become few. */
  #work(): void {
    if (this.#busy || this.#done) return
    const stream = this.#stream ?? this.#open()
    if (this.#ended) {
      this.#busy = true
      if (this.#size > 0) stream.end(this.#takeWaiting())
      else stream.end()
      return this.#emptied()
    }
    if (this.#size === 0 && !this.#flush) return
    this.#busy = true
    const flush = this.#flush
    this.#flush = false
    if (this.#size > 0) stream.write(this.#takeWaiting(), () => this.#written(stream, flush))
    else this.#written(stream, flush)
    this.#emptied()
  }

  #emptied(): void {
    this.#waiting = []
    this.#size = 0
  }

  #written(stream: ZlibStream, flush: boolean): void {
    if (this.#done) return
    const { flush: kind } = this.coding
    if (flush && kind !== null) stream.flush(kind, () => this.#worked(stream, true))
    else this.#worked(stream, flush)
  }

  #worked(stream: ZlibStream, flush: boolean): void {
    if (this.#done) return
    this.#busy = false
    if (flush) {
      if (stream.readableLength > 0) this.#flushOut = true
      else this.out.flush()
    }
    this.#work()
    this.#goOn()
  }

  #give(chunk: Buffer): void {
    if (this.#done) return
    this.bytesOut += chunk.length
    this.#given?.push(chunk)
    if (!this.out.write(chunk, 0, chunk.length, false)) {
      this.#blocked = true
      this.#stream?.pause()
    }
    if (this.#flushOut && this.#stream?.readableLength === 0) {
      this.#flushOut = false
      this.out.flush()
    }
  }

  #finish(): void {
    if (this.#done) return
    this.#done = true
    if (this.#given !== null) this.#keep?.(Buffer.concat(this.#given))
    this.out.end(this.#trailers)
    if (this.#awaited) finalize(this.#r, OK)
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#done) return
    const r = this.#r
    r.doing = 'sending to client'
    r.log('error', this.coding.failure(error))
    this.abort()
    if (!r.ended) finalize(r, 500)
  }

  // --- what the request asks

  /** The client has room again, or the filter behind has. */
  resume(): void {
    this.#blocked = false
    if (!this.#done) this.#stream?.resume()
    this.#goOn()
  }

  #goOn(): void {
    if (!this.#told || this.#ended || this.#blocked || this.#size >= MOST_WAITING) return
    this.#told = false
    const producer = this.previous ?? this.#r.source
    producer?.resume()
  }

  finishes(): boolean {
    // The end may still be with the filter before.
    const ended = this.#ended || this.previous?.finishes() === true
    return (this.#awaited = ended && !this.#done)
  }

  stop(): void {
    this.previous?.stop()
    if (this.#done) return
    this.#done = true
    this.#emptied()
    this.#stream?.destroy()
  }
}
