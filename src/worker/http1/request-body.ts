// The body of one HTTP/1 request on its way in: decodes what arrives and passes it to the sink of whoever handles the
// request, or throws it away.

import type { BodySink, RequestContent } from '../http/body.ts'
import type { Fields } from '../http/fields.ts'
import type { Transport } from '../transport/transport.ts'
import { BodyDecoder, type BodyEvents } from './body-decoder.ts'

export class RequestBody implements BodyEvents, RequestContent {
  readonly #transport: Transport
  readonly #decoder = new BodyDecoder()
  #sink: BodySink | null = null
  #discarding = false
  /** The sink has asked to wait. */
  #paused = false
  #finished = false
  #taken = false
  #aborted = false

  constructor(transport: Transport, contentLength: number) {
    this.#transport = transport
    if (contentLength >= 0) this.#decoder.startLength(contentLength)
    else this.#decoder.startChunked()
  }

  /** The last byte has been decoded and passed on. */
  get finished(): boolean {
    return this.#finished
  }

  /** A sink has been given content, or it has been thrown away. */
  get taken(): boolean {
    return this.#taken
  }

  /** It will never be whole. */
  get aborted(): boolean {
    return this.#aborted
  }

  /** Content bytes so far. */
  get received(): number {
    return this.#decoder.received
  }

  get discarding(): boolean {
    return this.#discarding
  }

  get paused(): boolean {
    return this.#paused
  }

  /** There is somewhere to put the body: before, what arrives has to be kept. */
  get ready(): boolean {
    return this.#sink !== null || this.#discarding
  }

  /** What it would have been so far with the chunk that made it too large, for the log. */
  get excess(): string {
    return `${this.#decoder.received}+${this.#decoder.leftOfChunk}`
  }

  /** Passes the body to `sink` from now on; in chunks it may have `limit` bytes, 0: any number. */
  start(sink: BodySink, limit: number): void {
    this.#sink = sink
    this.#decoder.limit = limit
  }

  hold(): void {
    this.#sink = null
    this.resume()
  }

  /** Throws away the rest. */
  discard(): void {
    this.#discarding = true
    this.#taken = true
    this.#sink = null
    this.#decoder.limit = 0
    this.resume()
  }

  /** Takes bytes of the connection; the position behind what belongs to the body, or as BodyDecoder. */
  decode(bytes: Buffer, start: number, end: number): number {
    return this.#decoder.decode(bytes, start, end, this)
  }

  /** Everything read so far should reach the backend. */
  flush(): void {
    this.#sink?.flush()
  }

  content(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (last) this.#finished = true
    if (this.#sink === null) return
    this.#taken = true
    if (this.#sink.write(bytes, start, end, last) || last) return
    this.#paused = true
    this.#transport.pause()
  }

  complete(trailers: Fields | null): void {
    this.#finished = true
    this.#sink?.end(trailers)
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#transport.resume()
  }

  /** The client will send no more. */
  abort(): void {
    const sink = this.#sink
    this.#sink = null
    this.#discarding = this.#taken = this.#aborted = true
    sink?.abort()
  }
}
