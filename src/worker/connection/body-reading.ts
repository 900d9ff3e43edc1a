// The body of a connection's request on its way in, and what is left of it behind the response: what came with its
// head first, then what the transport brings, within the times that the client has for it.

import { finalize } from '../http/finalize.ts'
import type { Request } from '../http/request.ts'
import { TOO_LARGE } from '../http1/body-decoder.ts'
import type { RequestBody } from '../http1/request-body.ts'
import { type ConnectionConf, clientConnection } from '../modules/connection.ts'
import type { Timer } from '../timer.ts'
import { LingeringTime } from './closing.ts'

/** The connection that a body comes by. */
export interface BodyOwner {
  /** The request whose body it is; null once that is over. */
  readonly request: Request | null
  /** Nothing is read any more. */
  readonly closed: boolean
  /** The last byte has been read; `left` bytes stand behind it. */
  bodyComplete(left: number): void
  /** Its end will not be found; `goesOn`: the client is still sending it. */
  bodyBroken(goesOn: boolean): void
  /** The client has had its time for what nobody wants. */
  bodyLate(): void
}

export class BodyReading {
  readonly body: RequestBody
  readonly #owner: BodyOwner
  /** Runs while the client has to send on. */
  readonly #timer: Timer
  /** What came with the head, while the request is being started. */
  #came: Buffer | null
  #cameStart: number
  readonly #cameEnd: number
  /** What is being read did not come with the head. */
  #apart = false
  /** What is there is being thrown away, for somebody who waits to know whether it is sound. */
  #discardingNow = false
  /** How long the rest is waited for once the request is over. */
  #lingering: LingeringTime | null = null

  /** `bytes[start, end)` came with the head. */
  constructor(
    body: RequestBody,
    owner: BodyOwner,
    timer: Timer,
    bytes: Buffer | null,
    start: number,
    end: number,
  ) {
    this.body = body
    this.#owner = owner
    this.#timer = timer
    this.#came = bytes
    this.#cameStart = start
    this.#cameEnd = end
  }

  /** Bytes that came with the head and are not read; -1 once the request has been started. */
  get waiting(): number {
    return this.#came === null ? -1 : this.#cameEnd - this.#cameStart
  }

  /** The request has been started: the end of what has been read of that which came with its head. */
  started(): number {
    this.#came = null
    return this.#cameStart
  }

  /** Reads on in `bytes[start, end)`, which the transport has brought; `apart`: not behind the head. */
  readOn(bytes: Buffer, start: number, end: number, apart: boolean): number {
    this.#apart = apart
    return this.#read(bytes, start, end)
  }

  /** Reads and throws away what came with the head, or has `takeAhead` do so with what came later. */
  discardNow(takeAhead: () => void): void {
    this.#timer.stop()
    this.#discardingNow = true
    if (this.#came === null) takeAhead()
    else if (this.#cameStart < this.#cameEnd) {
      this.#cameStart = this.#read(this.#came, this.#cameStart, this.#cameEnd)
    }
    this.#discardingNow = false
  }

  /** Throws away the rest, which stands between a response and the next request, or the end. */
  discardRest(settings: ConnectionConf): void {
    this.body.discard()
    this.#lingering = new LingeringTime(settings)
    this.#timer.start(settings.lingeringTimeout)
  }

  /** The client has to send on within client_body_timeout, unless nobody waits for it. */
  expect(r: Request): void {
    if (this.body.discarding) this.#timer.stop()
    else this.#timer.start(r.conf(clientConnection).clientBodyTimeout)
  }

  #read(bytes: Buffer, start: number, end: number): number {
    const body = this.body
    const owner = this.#owner
    const stop = body.decode(bytes, start, end)
    // What takes the body may have ended the request, and the connection with it.
    if (owner.closed) return end
    const r = owner.request
    if (stop < 0) {
      if (r !== null && this.#apart) r.length += end - start
      this.#broken(r, stop === TOO_LARGE)
      return end
    }
    // As with nginx, `$request_length` knows nothing of what nobody asked for.
    if (r !== null && !body.discarding) r.length += stop - start
    if (body.finished) owner.bodyComplete(end - stop)
    else {
      body.flush()
      if (r === null) this.#goOnDiscarding()
      else this.expect(r)
    }
    return stop
  }

  #goOnDiscarding(): void {
    const { next } = this.#lingering!
    if (next > 0) this.#timer.start(next)
    else this.#owner.bodyLate()
  }

  /** Framing that is broken, or more content than there may be. */
  #broken(r: Request | null, tooLarge: boolean): void {
    const body = this.body
    this.#owner.bodyBroken(tooLarge)
    if (r === null) return
    r.keepalive = false
    const what = tooLarge
      ? `intended to send too large chunked body: ${body.excess} bytes`
      : 'sent invalid chunked body'
    r.log('error', `client ${what}`)
    body.abort()
    // Whoever is about to throw it away has the request, and learns of it.
    if (!r.ended && !this.#discardingNow) finalize(r, tooLarge ? 413 : 400)
  }
}
