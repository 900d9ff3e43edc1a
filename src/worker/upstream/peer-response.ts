// The response of a peer, from its first byte to its last: the head, interim ones before it, and the content on its way
// to the client, with backpressure. What becomes of the attempt is its owner's.

import { evaluateSize } from '../http/complex-size.ts'
import type { Fields } from '../http/fields.ts'
import { sendHead } from '../http/finalize.ts'
import { PartSink } from '../http/part-sink.ts'
import type { Request } from '../http/request.ts'
import { wantsEarlyHints } from '../modules/early-hints.ts'
import { isBuffered } from './buffering/conf.ts'
import { ReadPace } from './buffering/read-pace.ts'
import { ResponseBuffer } from './buffering/response-buffer.ts'
import type { PeerConnection } from './connect.ts'
import { type Failure, headFailure, PREMATURE_CLOSE } from './next.ts'
import type { UpstreamProtocol, UpstreamSettings } from './protocol.ts'
import type { PeerHead, WireEvents } from './wire.ts'

/** Interim responses before the final one; more is a backend gone wrong. */
const MAX_INTERIM = 32

/** Told what becomes of a response. */
export interface ResponseOwner {
  /** The final head is there. false: the response is not for the client. */
  headSeen(head: PeerHead): boolean
  /** The final head accepts the upgrade that the client asked for; `fromPeer` came behind it. */
  upgraded(fromPeer: Buffer | null): void
  /** `target`, a URI or a location, makes the response instead. */
  redirected(target: string): void
  /** All of the response is with the client; `spoiled`: the connection cannot be used again. */
  responseComplete(spoiled: boolean): void
  responseFailed(failure: Failure): void
  /** The client gets another response instead, which is under way or sent. */
  responseRefused(): void
}

export class PeerResponse implements WireEvents {
  readonly #r: Request
  readonly #protocol: UpstreamProtocol
  readonly #settings: UpstreamSettings
  readonly #owner: ResponseOwner
  #connection: PeerConnection | null = null
  /** The peer is asked for a head only. */
  #headOnly = false
  #interim = 0
  /** The head has gone to the client, and content follows. */
  #relaying = false
  /** The client has no room for more. */
  #paused = false
  /** Keeps what the client does not take; null: it has taken everything, or nothing is to be kept. */
  #buffer: ResponseBuffer | null = null
  /** `proxy_limit_rate`; null: none. */
  #pace: ReadPace | null = null
  /** Content that it has not been told of. */
  #unpaced = 0

  constructor(r: Request, protocol: UpstreamProtocol, settings: UpstreamSettings, owner: ResponseOwner) {
    this.#r = r
    this.#protocol = protocol
    this.#settings = settings
    this.#owner = owner
  }

  /** What `connection` reads from now on is the response; `chunked`: the request's content goes in chunks. */
  begin(connection: PeerConnection, headOnly: boolean, chunked: boolean): void {
    this.#connection = connection
    this.#headOnly = headOnly
    this.#interim = 0
    connection.wire.begin(this, headOnly, chunked)
  }

  /** The attempt is over, whatever has come of it. */
  release(): void {
    this.#connection?.wire.release()
    this.#connection = null
    this.#relaying = false
    this.#pace?.stop()
  }

  read(bytes: Buffer, start: number, end: number): void {
    const surplus = this.#connection!.wire.read(bytes, start, end)
    // Whoever takes the content may have ended the request.
    if (!this.#relaying) return
    const connection = this.#connection!
    if (connection.wire.done) {
      if (surplus) this.#warnOfSurplus()
      return this.#owner.responseComplete(surplus)
    }
    // A subrequest was about the head: as in nginx, nobody waits for the rest.
    if (this.#r.parent !== null) return this.#owner.responseComplete(true)
    // Whatever came is passed on now; more may be a long time coming.
    this.#r.out.flush()
    if (!this.#paused) connection.expectWithin(this.#settings.readTimeout)
    if (this.#pace !== null) this.#keepPace()
  }

  /** The peer will send no more. */
  end(): void {
    if (this.#relaying && this.#connection!.wire.untilClose) {
      this.#r.out.end(null)
      return this.#owner.responseComplete(true)
    }
    this.#owner.responseFailed(PREMATURE_CLOSE)
  }

  failed(failure: Failure): void {
    if (this.#connection !== null) this.#owner.responseFailed(failure)
  }

  // --- the head: as in nginx, the whole has to come within the time that ran when its first byte came

  get headLimit(): number {
    return this.#settings.bufferSize
  }

  get trailerLimit(): number | undefined {
    return this.#protocol.passesTrailers ? this.#settings.bufferSize : undefined
  }

  /** The client asked for it, and what it sends from here on is no more of its request (RFC 9110 section 7.8). */
  mayUpgrade(): boolean {
    const r = this.#r
    if (r.parent !== null) return false
    return this.#protocol.mayTunnel(r) && (!r.client.hasBody || r.stream.bodyLength >= 0)
  }

  switches(head: PeerHead, bytes: Buffer, start: number, end: number): void {
    if (!this.#owner.headSeen(head)) return
    const target = this.#keepFields(head)
    if (target !== null) this.#owner.redirected(target)
    else this.#owner.upgraded(start < end ? Buffer.from(bytes.subarray(start, end)) : null)
  }

  /** 1xx: not the answer yet (RFC 9110 section 15.2), but a sign of life. */
  interimHead(head: PeerHead): boolean {
    if (head.status === 101 || ++this.#interim > MAX_INTERIM) {
      const what = head.status === 101 ? 'unexpected 101 response' : 'too many interim responses'
      this.#owner.responseFailed(headFailure(`upstream sent ${what}`))
      return false
    }
    if (head.status === 103) this.#passHints(head)
    // What was sent may have told of a client that is gone.
    if (this.#connection === null) return false
    this.#connection.expectWithin(this.#settings.readTimeout)
    return true
  }

  /** As in nginx, the hints of one response are together not longer than a head may be. */
  #passHints(head: PeerHead): void {
    const r = this.#r
    if (this.#connection!.wire.headLength > this.#settings.bufferSize) {
      return r.log('info', 'upstream sent too big early hints')
    }
    const lines = this.#protocol.hintLines(head)
    if (lines !== '' && wantsEarlyHints(r)) r.stream.sendEarlyHints(lines)
  }

  /** What variables and the response are told by a final head. */
  #keepFields(head: PeerHead): string | null {
    const r = this.#r
    if (this.#protocol.kept.fields) r.upstream!.fields = head.fields.copy()
    return this.#protocol.processHead(r, head)
  }

  finalHead(head: PeerHead, followed: boolean): boolean {
    const r = this.#r
    if (!this.#owner.headSeen(head)) return false
    const { wire } = this.#connection!
    const target = this.#keepFields(head)
    if (target !== null) {
      this.#owner.redirected(target)
      return false
    }
    if (this.#protocol.passesTrailers && wire.mayHaveTrailers) r.response.passesTrailers = true
    if (this.#headOnly && r.client.method !== 'HEAD') r.response.contentLength = 0
    this.#relaying = true
    if (!sendHead(r)) {
      this.#owner.responseRefused()
      return false
    }
    const { parts } = r.response
    if (parts !== null) r.out = new PartSink(r.out, parts[0]!.start, parts[0]!.end)
    r.doing = 'reading upstream'
    if (this.#settings.limitRate !== 0) this.#startPace()
    if (!wire.done) {
      if (r.client.method !== 'HEAD') return true
      // The client wants none of what follows.
      r.out.end(null)
      this.#owner.responseComplete(true)
      return false
    }
    if (followed && !r.client.isHead) this.#warnOfSurplus()
    r.out.end(null)
    this.#owner.responseComplete(followed)
    return false
  }

  // --- the content

  #warnOfSurplus(): void {
    this.#r.log('warn', this.#connection!.wire.surplus)
  }

  content(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#pace !== null) this.#unpaced += end - start
    if (this.#r.out.write(bytes, start, end, last) || last || this.#paused) return
    const slow = !this.#r.stream.settling
    if (slow && this.#buffer === null && isBuffered(this.#r, this.#settings.buffering)) {
      this.#buffer = ResponseBuffer.install(this.#r, this.#settings.buffering)
      return
    }
    this.#paused = true
    // The request may have ended with what it was given.
    this.#connection?.transport.pause()
    this.#connection?.expectNothing()
  }

  complete(trailers: Fields | null): void {
    if (this.#protocol.kept.trailers) this.#r.upstream!.trailers = trailers
    if (trailers !== null && this.#protocol.passesTrailers) {
      this.#r.response.trailerLines = this.#protocol.trailerLines(trailers)
    }
    this.#r.out.end(trailers)
  }

  /** The client has room again. */
  resume(): void {
    if (!this.#paused || !this.#relaying) return
    this.#paused = false
    if (this.#pace?.waiting !== true) this.#readOn()
  }

  #readOn(): void {
    this.#connection!.transport.resume()
    this.#connection!.expectWithin(this.#settings.readTimeout)
  }

  /** Waits where what has come is all that may come for now. */
  #keepPace(): void {
    const bytes = this.#unpaced
    this.#unpaced = 0
    if (!this.#pace!.took(bytes)) return
    this.#connection!.transport.pause()
    this.#connection!.expectNothing()
  }

  /** `proxy_limit_rate` is for what is buffered, as in nginx. */
  #startPace(): void {
    const rate = evaluateSize(this.#r, this.#settings.limitRate)
    if (rate === 0 || !isBuffered(this.#r, this.#settings.buffering)) return
    this.#pace = new ReadPace(rate, () => {
      if (this.#relaying && !this.#paused) this.#readOn()
    })
  }

  /** The response has failed: the client gets what is kept of it, and no end. false: nothing is kept. */
  breakOff(status: number): boolean {
    return this.#buffer?.breakOff(status) === true
  }
}
