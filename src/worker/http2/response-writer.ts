// One HTTP/2 response on its way out: the head as a header block, content as far as the client's windows and its
// connection have room, the rest when they have again, trailers behind it. A producer is told to wait while anything is
// left over here, so that there is never more than what it last gave.

import type { BodySink } from '../http/body.ts'
import type { Fields } from '../http/fields.ts'
import type { Request } from '../http/request.ts'
import { type Http2SwitchConf, http2Switch } from '../modules/http2.ts'
import { isSteady } from '../transport/read-buffer.ts'
import { END_STREAM, FRAME_HEAD_LENGTH, headerFrames } from './frames.ts'
import { linesBlock, statusField } from './hpack/literals.ts'
import type { Output } from './output.ts'
import { headBlock } from './response-head.ts'

interface Piece {
  bytes: Buffer
  start: number
  end: number
}

/** Told what becomes of the response. */
export interface WriterOwner {
  /** Content waits: for the windows, or for the connection. */
  writerBlocked(): void
  /** The end of the stream has been given to the connection. */
  writerDone(): void
}

export class ResponseWriter implements BodySink {
  readonly #id: number
  readonly #output: Output
  readonly #owner: WriterOwner
  /** Bytes of content that the client takes on this stream; may be negative. */
  window: number
  /** The head, until it is sent. */
  #head: string | null = null
  #headerOnly = false
  #chunk = 8192
  /** The request whose response has trailers. */
  #trailersOf: Request | null = null
  /** Content that waits. */
  #waiting: Piece[] = []
  #waitingLength = 0
  /** The producer has given all there is. */
  #ended = false
  /** The last frame has been given to the connection, or nothing more ever will. */
  #done = false
  bytesSent = 0
  bodyBytesSent = 0

  constructor(id: number, window: number, output: Output, owner: WriterOwner) {
    this.#id = id
    this.window = window
    this.#output = output
    this.#owner = owner
  }

  /** The response has been given to the connection with its end. */
  get done(): boolean {
    return this.#done
  }

  /** Bytes of content that have been counted and not sent. */
  get waiting(): number {
    return this.#waitingLength
  }

  /** Takes the head of `r.response`. */
  begin(r: Request): void {
    const { response } = r
    this.#headerOnly = response.headerOnly
    this.#chunk = (r.location.confs[http2Switch.index] as Http2SwitchConf).http2ChunkSize
    if (!this.#headerOnly && (response.trailers !== null || response.passesTrailers)) this.#trailersOf = r
    this.#head = headBlock(r)
  }

  /** Sends an interim response: 100, or 103 with these lines. As with nginx, `$bytes_sent` knows of it. */
  interim(status: number, lines: string): void {
    if (!this.#done) this.#headers(statusField(status) + linesBlock(lines), 0)
  }

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#ended || this.#done) return true
    if (start === end || this.#headerOnly) {
      if (last) this.end(null)
      return true
    }
    if (last) this.#ended = true
    if (this.#head !== null) this.flush()
    const length = end - start
    this.bodyBytesSent += length
    this.bytesSent += length
    const at = this.#waitingLength === 0 ? this.#send(bytes, start, end) : start
    if (at < end) this.#keep(bytes, at, end)
    else if (this.#ended) this.#finish()
    const room = at === end && !this.#output.backlogged
    if (!room) this.#owner.writerBlocked()
    return room
  }

  /** Sends as much as there is room for: the position of the rest. */
  #send(bytes: Buffer, start: number, end: number): number {
    const output = this.#output
    if (output.backlogged) return start
    const room = Math.min(this.window, output.window)
    if (room <= 0) return start
    const stop = start + room < end ? start + room : end
    const last = this.#ended && stop === end && this.#waiting.length === 0 && this.#trailersOf === null
    this.window -= stop - start
    this.bytesSent += output.data(this.#id, bytes, start, stop, last, this.#chunk)
    if (last) this.#close()
    return stop
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#waitingLength += end - start
    if (isSteady(bytes)) this.#waiting.push({ bytes, start, end })
    else this.#waiting.push({ bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start })
  }

  /** There may be room again. true: the producer may go on. */
  goOn(): boolean {
    while (this.#waiting.length > 0 && !this.#done) {
      // The last piece is sent as such only when it is not listed any more.
      const piece = this.#waiting.shift()!
      const at = this.#send(piece.bytes, piece.start, piece.end)
      this.#waitingLength -= at - piece.start
      if (at < piece.end) {
        piece.start = at
        this.#waiting.unshift(piece)
        return false
      }
    }
    if (this.#ended && !this.#done) this.#finish()
    return !this.#output.backlogged
  }

  flush(): void {
    const head = this.#head
    if (head === null) return
    this.#head = null
    this.#headers(head, 0)
  }

  end(_trailers: Fields | null): void {
    if (this.#ended || this.#done) return
    this.#ended = true
    if (this.#waitingLength === 0) this.#finish()
  }

  /** Everything has been sent but the end. */
  #finish(): void {
    if (this.#done) return
    const head = this.#head
    this.#head = null
    const trailers = this.#takeTrailers()
    if (trailers !== '') {
      if (head !== null) this.#headers(head, 0)
      this.#headers(linesBlock(trailers), END_STREAM)
    } else if (head !== null) this.#headers(head, END_STREAM)
    else {
      this.bytesSent += FRAME_HEAD_LENGTH
      this.#output.endOfData(this.#id)
    }
    this.#close()
  }

  #close(): void {
    this.#done = true
    this.#owner.writerDone()
  }

  /** As nginx, trailers are made when the content is complete. */
  #takeTrailers(): string {
    const r = this.#trailersOf
    if (r === null) return ''
    this.#trailersOf = null
    const { response } = r
    if (response.trailers !== null) response.trailerLines += response.trailers(r)
    return response.trailerLines
  }

  #headers(block: string, flags: number): void {
    const frames = headerFrames(block, flags, this.#id, this.#output.frameSize)
    this.bytesSent += frames.length
    this.#output.headers(frames)
  }

  /** Bytes that went to the client by another way. */
  count(bytes: number): void {
    this.bytesSent += bytes
    this.bodyBytesSent += bytes
  }

  /** The response will have no end: its head goes out all the same, then the stream is reset. */
  abort(): void {
    if (!this.#done) this.flush()
    this.stop()
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#done = true
    this.#waiting = []
    this.#head = null
  }
}
