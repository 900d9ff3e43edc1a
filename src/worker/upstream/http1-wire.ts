// HTTP/1 towards a backend: the head of a response as head-reader.ts finds it, then content in the framing that the head
// announces; requests as text, their content as it is or in chunks.

import { BodyDecoder } from '../http1/body-decoder.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { Transport } from '../transport/transport.ts'
import { HeadReader, REFUSED, UNFINISHED } from './head-reader.ts'
import { bodyFailure, headFailure } from './next.ts'
import type { Wire, WireEvents } from './wire.ts'

export class Http1Wire implements Wire {
  readonly #transport: Transport
  readonly #reader = new HeadReader()
  readonly #body = new BodyDecoder()
  #events: WireEvents | null = null
  #headOnly = false
  /** Request content goes in chunks. */
  #chunked = false
  /** The head that counts has been read. */
  #inContent = false

  constructor(transport: Transport) {
    this.#transport = transport
  }

  get begun(): boolean {
    return this.#reader.begun
  }

  get headLength(): number {
    return this.#reader.length
  }

  get done(): boolean {
    return this.#body.done
  }

  get mayHaveTrailers(): boolean {
    return this.#body.chunked
  }

  get untilClose(): boolean {
    return this.#body.untilClose
  }

  get reusable(): boolean {
    return this.#reader.head.keepAlive
  }

  get blocked(): boolean {
    return this.#transport.backlogged
  }

  readonly eager = false
  readonly pending = false

  begin(events: WireEvents, headOnly: boolean, chunked: boolean): void {
    this.#events = events
    this.#headOnly = headOnly
    this.#chunked = chunked
    this.#inContent = false
    this.#reader.reset()
  }

  release(): void {}

  // --- the request

  send(head: string, bytes: Buffer | null, start: number, end: number, last: boolean): number {
    let prefix = head
    let suffix = ''
    if (this.#chunked) {
      // A chunk of no bytes would be the last one.
      if (start === end) prefix += last ? '0\r\n\r\n' : ''
      else {
        prefix += `${(end - start).toString(16)}\r\n`
        suffix = last ? '\r\n0\r\n\r\n' : '\r\n'
      }
    }
    this.#transport.send(prefix, bytes, start, end, suffix)
    return prefix.length + (end - start) + suffix.length
  }

  drained(): boolean {
    return true
  }

  // --- the response

  read(bytes: Buffer, start: number, end: number): boolean {
    const at = this.#inContent ? start : this.#readHead(bytes, start, end)
    if (at < 0 || !this.#inContent) return false
    const events = this.#events!
    const stop = this.#body.decode(bytes, at, end, events)
    if (stop < 0) events.failed(bodyFailure(this.#body))
    return stop < end
  }

  /** Position of the first byte of content; -1 where there is nothing more to do with these bytes. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const events = this.#events!
    const reader = this.#reader
    const at = reader.read(bytes, start, end, events.headLimit)
    if (at === UNFINISHED) return -1
    if (at === REFUSED) {
      events.failed(headFailure(reader.refusal))
      return -1
    }
    const { head } = reader
    if (head.status >= 200) {
      this.#startBody(head)
      this.#inContent = events.finalHead(head, at < end)
      return at
    }
    if (head.status === 101 && events.mayUpgrade()) {
      events.switches(head, bytes, at, end)
      return -1
    }
    if (!events.interimHead(head)) return -1
    head.reset()
    return at < end ? this.#readHead(bytes, at, end) : -1
  }

  #startBody(head: ResponseHead): void {
    const body = this.#body
    if (this.#headOnly || head.status === 204 || head.status === 304) body.startLength(0)
    else if (head.chunked) body.startChunked(this.#events!.trailerLimit)
    else if (head.contentLength >= 0) body.startLength(head.contentLength)
    else body.startUntilClose()
  }

  /** A peer has nothing to say that nobody asked for. */
  readIdle(): boolean {
    return false
  }

  get surplus(): string {
    return this.#body.chunked
      ? 'upstream sent data after final chunk'
      : 'upstream sent more data than specified in "Content-Length" header'
  }
}
