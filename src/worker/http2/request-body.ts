// The body of one HTTP/2 request on its way in: what comes before anybody asks for it, and what a sink has no room for,
// is kept, which the stream's window bounds; what has been passed on gives the client as much of the window back.

import type { BodySink, RequestContent } from '../http/body.ts'

/** Windows are opened again when so much of them is used up. */
const GIVE_BACK = 2

/** What is wrong with a body: more or less than its Content-Length, or more than `client_max_body_size`. */
export type BodyFault = 'larger than declared' | 'too large' | 'incomplete'

/** The stream that a body comes by. */
export interface BodyOwner {
  /** The client may send so many bytes more. */
  openWindow(bytes: number): void
  /** A long body is being taken: by how many bytes its window may become larger. */
  lendWindow(): number
  /** Something is wrong with it, seen when it is passed on. */
  bodyBroken(fault: BodyFault): void
  /** Content has been passed on, or its sink has room again: the client is waited for, or no longer. */
  bodyMoved(): void
}

export class RequestBody implements RequestContent {
  readonly #owner: BodyOwner
  /** -1: not declared. */
  readonly #declared: number
  /** Bytes the window is given back to. */
  #window: number
  /** How many of them are lent. */
  #lent = 0
  /** Bytes that may come; counts padding, too. */
  #room: number
  /** Bytes that have been used up since the window was last opened. */
  #used = 0
  #sink: BodySink | null = null
  /** What nobody has taken yet, at the beginning of this memory. */
  #kept: Buffer | null = null
  #keptLength = 0
  /** Content bytes passed on or thrown away. */
  #received = 0
  /** Content bytes that have come. */
  #came = 0
  /** Bytes there may be of undeclared length; 0: any number. */
  #limit = 0
  #ended = false
  #finished = false
  #paused = false
  #discarding = false
  #taken = false
  #aborted = false
  #delivering = false

  /** `window`: what the stream begins with, in bytes. */
  constructor(owner: BodyOwner, declared: number, window: number) {
    this.#owner = owner
    this.#declared = declared
    this.#window = window
    this.#room = window
  }

  /** Bytes that the client may send. */
  get room(): number {
    return this.#room
  }

  /** Content bytes that have come. */
  get came(): number {
    return this.#came
  }

  /** Bytes that nobody has taken yet. */
  get kept(): number {
    return this.#keptLength
  }

  /** The last byte has come. */
  get ended(): boolean {
    return this.#ended
  }

  /** The last byte has been passed on, or thrown away. */
  get finished(): boolean {
    return this.#finished
  }

  get received(): number {
    return this.#received
  }

  /** Bytes of the window that are lent. */
  get lent(): number {
    return this.#lent
  }

  get declared(): number {
    return this.#declared
  }

  get taken(): boolean {
    return this.#taken
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get discarding(): boolean {
    return this.#discarding
  }

  /** The client has to send on: there is somebody with room for it. */
  get awaited(): boolean {
    return this.#sink !== null && !this.#paused && !this.#ended
  }

  /** A DATA frame of so many bytes, padding included, has begun. */
  frame(length: number): void {
    this.#room -= length
  }

  /** Bytes of a frame that are not content. */
  padding(length: number): void {
    this.#giveBack(length)
  }

  /** Takes `bytes[start, end)` of content; `last`: the stream ends here. A fault: nothing of it has been passed on. */
  receive(bytes: Buffer, start: number, end: number, last: boolean): BodyFault | null {
    const length = end - start
    this.#came += length
    if (last) this.#ended = true
    if (this.#declared >= 0 && this.#came > this.#declared) return 'larger than declared'
    if (last && this.#declared >= 0 && this.#came < this.#declared) return 'incomplete'
    if (this.#discarding) {
      this.#received += length
      if (last) this.#finished = true
    } else if (this.#sink !== null && !this.#paused && this.#keptLength === 0 && !this.#delivering) {
      if (this.#exceeds(length)) return 'too large'
      this.#deliver(bytes, start, end, last)
      if (!last) this.#sink?.flush()
    } else if (length > 0) {
      this.#keep(bytes, start, end)
    } else if (last && this.#sink !== null && !this.#paused && this.#keptLength === 0) this.#finish()
    return null
  }

  #exceeds(length: number): boolean {
    return this.#declared < 0 && this.#limit > 0 && this.#received + length > this.#limit
  }

  #deliver(bytes: Buffer, start: number, end: number, last: boolean): void {
    const sink = this.#sink!
    this.#received += end - start
    this.#taken = true
    if (last) {
      this.#finished = true
      this.#delivering = true
      sink.write(bytes, start, end, true)
      this.#delivering = false
      return
    }
    if (end === start) return
    this.#delivering = true
    const more = sink.write(bytes, start, end, false)
    this.#delivering = false
    if (this.#discarding) return
    if (!more) this.#paused = true
    this.#giveBack(end - start)
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#sink?.end(null)
  }

  /** In one piece, however small those are that it comes in. */
  #keep(bytes: Buffer, start: number, end: number): void {
    const needed = this.#keptLength + end - start
    if (this.#kept === null || this.#kept.length < needed) {
      const grown = Buffer.allocUnsafe(this.#kept === null ? needed : Math.max(needed, 2 * this.#kept.length))
      this.#kept?.copy(grown, 0, 0, this.#keptLength)
      this.#kept = grown
    }
    bytes.copy(this.#kept, this.#keptLength, start, end)
    this.#keptLength = needed
  }

  #dropKept(): number {
    const length = this.#keptLength
    this.#kept = null
    this.#keptLength = 0
    return length
  }

  /** Passes on what is kept, if there is room. */
  #deliverKept(): void {
    if (this.#delivering) return
    const bytes = this.#kept
    if (this.#sink !== null && !this.#paused && bytes !== null) {
      const length = this.#dropKept()
      if (this.#exceeds(length)) return this.#owner.bodyBroken('too large')
      this.#deliver(bytes, 0, length, this.#ended)
    }
    if (this.#sink === null || this.#paused || this.#finished || this.#discarding) return
    if (this.#ended) this.#finish()
    else this.#sink.flush()
  }

  #giveBack(length: number): void {
    this.#used += length
    if (this.#ended || this.#discarding || this.#used * GIVE_BACK < this.#window) return
    if (this.#lent === 0) this.#borrow()
    this.#owner.openWindow(this.#used)
    this.#room += this.#used
    this.#used = 0
  }

  /** The body is a long one, and somebody takes it. */
  #borrow(): void {
    this.#lent = this.#owner.lendWindow()
    this.#window += this.#lent
    this.#used += this.#lent
  }

  /** Passes the body to `sink` from now on; one of undeclared length may have `limit` bytes, 0: any number. */
  start(sink: BodySink, limit: number): void {
    this.#sink = sink
    this.#limit = limit
    // An attempt before this one may have seen the whole of an empty body.
    if (this.#finished) sink.end(null)
    else this.#deliverKept()
  }

  hold(): void {
    this.#sink = null
    this.#paused = false
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#deliverKept()
    this.#owner.bodyMoved()
  }

  /** Throws away the rest; as with nginx, the client is not asked for more of it. */
  discard(): void {
    this.#discarding = true
    this.#taken = true
    this.#sink = null
    this.#received += this.#dropKept()
    if (this.#ended) this.#finished = true
  }

  /** The client will send no more. */
  abort(): void {
    const sink = this.#sink
    this.#sink = null
    this.#discarding = this.#taken = this.#aborted = true
    this.#dropKept()
    sink?.abort()
  }
}
