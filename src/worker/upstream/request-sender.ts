// The request on its way to a peer when it has content: head and first content leave together. Content that has been
// read before is sent from where it is, memory or a file, as often as it takes; other content goes on as it comes.

import { errnoText } from '../../shared/errno.ts'
import type { TempFile } from '../body/temp-file.ts'
import type { BodySink, RequestContent } from '../http/body.ts'
import type { Request } from '../http/request.ts'
import { acquire, HEADROOM, READ_SIZE, release } from '../transport/read-buffer.ts'
import type { Wire } from './wire.ts'

/** Told how far the request is. */
export interface SenderOwner {
  requestSent(bytes: number, complete: boolean): void
  requestAborted(): void
  /** The file that content is in cannot be read. */
  contentFailed(message: string): void
}

export class RequestSender implements BodySink {
  /** Some of it is gone for good. */
  spent = false
  readonly #wire: Wire
  readonly #owner: SenderOwner
  /** Where content comes from that goes on as it comes; resumed when the peer has room again. */
  #source: RequestContent | null = null
  #r: Request | null = null
  #head: string
  /** Content in a file, and how much of it has been sent. */
  #file: TempFile | null = null
  #position = 0
  #length = 0
  #reading = false
  #stopped = false
  /** All content has been given to the wire. */
  #ended = false

  constructor(wire: Wire, head: string, owner: SenderOwner) {
    this.#wire = wire
    this.#head = head
    this.#owner = owner
  }

  /** All content has been sent. */
  get complete(): boolean {
    return this.#ended && !this.#wire.pending
  }

  /** Sends what there is of the body of `r`, and from there on what the client sends. */
  start(r: Request): void {
    const { body } = r
    this.#r = r
    if (body === null) return this.#stream(r)
    const { bytes, complete, file, length } = body
    if (file !== null) {
      this.#file = file
      this.#length = length
      return this.#read()
    }
    if (bytes !== null) this.#write(bytes, 0, length, complete)
    if (!complete) this.#stream(r)
  }

  #stream(r: Request): void {
    this.#source = r.stream.receiveBody(r, this)
    if (this.#wire.eager && !this.#stopped) this.flush()
  }

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    this.spent = true
    const { body } = this.#r!
    if (body !== null) body.spent = true
    return this.#write(bytes, start, end, last)
  }

  #write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (start === end) {
      if (last) this.end()
      return true
    }
    return this.#send(bytes, start, end, last)
  }

  flush(): void {
    if (this.#head !== '') this.#send(null, 0, 0, false)
  }

  /** Trailers of requests are not passed on, as in nginx. */
  end(): void {
    if (!this.#ended) this.#send(null, 0, 0, true)
  }

  abort(): void {
    this.#owner.requestAborted()
  }

  /** The request goes to another peer, and so does the rest of its content. */
  retire(): void {
    this.stop()
    this.#source?.hold()
  }

  /** Nothing more is to be sent. */
  stop(): void {
    this.#stopped = true
  }

  /** The peer has room again. */
  resume(): void {
    if (this.#ended) this.#owner.requestSent(0, this.complete)
    else if (this.#file !== null) this.#read()
    else this.#source?.resume()
  }

  /** Sends the next piece of the file, and so on as long as there is room. */
  #read(): void {
    if (this.#reading || this.#stopped || this.#ended) return
    this.#reading = true
    const buffer = acquire()
    const length = Math.min(READ_SIZE, this.#length - this.#position)
    this.#file!.read(buffer, HEADROOM, length, this.#position, (error, count) => {
      this.#reading = false
      const more = this.#stopped ? false : this.#sendPiece(buffer, count, error)
      // What the kernel has not taken stays in the buffer, whose writer gives it back.
      if (buffer.pins === 0) release(buffer)
      if (more) this.#read()
    })
  }

  #sendPiece(buffer: Buffer, count: number, error: NodeJS.ErrnoException | null): boolean {
    if (error !== null || count === 0) {
      this.stop()
      const what = error === null ? 'has fewer bytes than were written' : `failed (${errnoText(error)})`
      this.#owner.contentFailed(`pread() "${this.#file!.name}" ${what}`)
      return false
    }
    this.#position += count
    return this.#write(buffer, HEADROOM, HEADROOM + count, this.#position === this.#length)
  }

  #send(bytes: Buffer | null, start: number, end: number, last: boolean): boolean {
    const head = this.#head
    this.#head = ''
    if (last) this.#ended = true
    const sent = this.#wire.send(head, bytes, start, end, last)
    this.#owner.requestSent(sent, this.complete)
    return !this.#wire.blocked
  }
}
