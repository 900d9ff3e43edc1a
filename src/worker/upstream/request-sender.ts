// The request on its way to a peer when it has content: head and first content leave together, then the rest as it
// comes, framed by length or in chunks. Behind another peer that failed, first what that one was sent.

import type { BodySink, RequestContent } from '../http/body.ts'
import type { Request } from '../http/request.ts'
import type { Transport } from '../transport/transport.ts'
import type { KeptBody } from './kept-body.ts'

/** Told how far the request is. */
export interface SenderOwner {
  requestSent(bytes: number, complete: boolean): void
  requestAborted(): void
}

export class RequestSender implements BodySink {
  /** Content has been sent. */
  started = false
  /** All of it has. */
  complete = false
  readonly #transport: Transport
  readonly #chunked: boolean
  readonly #owner: SenderOwner
  /** null: what is sent cannot be sent again. */
  readonly #kept: KeptBody | null
  /** Where the content comes from; resumed when the peer has room again. */
  #source: RequestContent | null = null
  #head: string

  constructor(
    transport: Transport,
    head: string,
    chunked: boolean,
    kept: KeptBody | null,
    owner: SenderOwner,
  ) {
    this.#transport = transport
    this.#head = head
    this.#chunked = chunked
    this.#kept = kept
    this.#owner = owner
  }

  /** Sends what is kept, and from there on what the client of `r` sends. */
  start(r: Request): void {
    const kept = this.#kept
    if (kept !== null) {
      const { bytes } = kept
      if (bytes.length > 0 || kept.complete) this.#write(bytes, 0, bytes.length, kept.complete)
    }
    if (!this.complete) this.#source = r.stream.receiveBody(r, this)
  }

  /** Some of the content is gone for good. */
  get spent(): boolean {
    return this.started && (this.#kept === null || this.#kept.lost)
  }

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#kept !== null) {
      this.#kept.add(bytes, start, end)
      if (last) this.#kept.complete = true
    }
    return this.#write(bytes, start, end, last)
  }

  #write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (start === end) {
      // A chunk of no bytes would be the last one.
      if (last) this.#end()
      return true
    }
    this.started = true
    if (last) this.complete = true
    if (!this.#chunked) return this.#send('', bytes, start, end, '')
    const size = `${(end - start).toString(16)}\r\n`
    return this.#send(size, bytes, start, end, last ? '\r\n0\r\n\r\n' : '\r\n')
  }

  flush(): void {
    if (this.#head !== '') this.#send('', null, 0, 0, '')
  }

  /** Trailers of requests are not passed on, as in nginx. */
  end(): void {
    if (this.#kept !== null) this.#kept.complete = true
    this.#end()
  }

  #end(): void {
    if (this.complete) return
    this.complete = true
    this.#send(this.#chunked ? '0\r\n\r\n' : '', null, 0, 0, '')
  }

  abort(): void {
    this.#owner.requestAborted()
  }

  /** The request goes to another peer, and so does the rest of its content. */
  retire(): void {
    this.#source?.hold()
  }

  /** The peer has room again. */
  resume(): void {
    this.#source?.resume()
  }

  #send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    const text = this.#head + prefix
    this.#head = ''
    const more = this.#transport.send(text, bytes, start, end, suffix)
    this.#owner.requestSent(text.length + (end - start) + suffix.length, this.complete)
    return more
  }
}
