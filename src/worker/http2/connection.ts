// One HTTP/2 client connection (RFC 9113): opens a stream for each request, sees to it that what they send leaves
// together, and closes when it is idle for too long, when it is to, or when the client breaks the rules. What the client
// sends is taken apart in incoming.ts; what one request needs is in stream.ts.

import { errnoText } from '../../shared/errno.ts'
import type { Client } from '../connection/client.ts'
import { LingeringClose } from '../connection/closing.ts'
import type { ConnectionHost, ConnectionStart, HttpConnection } from '../connection/host.ts'
import type { ListenedAt } from '../connection/listened-at.ts'
import { SendWatch } from '../connection/send-watch.ts'
import type { HeadRules } from '../http1/head-rules.ts'
import type { ConnectionConf } from '../modules/connection.ts'
import { type Http2SwitchConf, http2Switch } from '../modules/http2.ts'
import { atTickEnd, now } from '../tick.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import { Admission } from './admission.ts'
import type { ClosedStreams } from './closed-streams.ts'
import {
  ENHANCE_YOUR_CALM,
  goAwayFrame,
  INTERNAL_ERROR,
  NO_ERROR,
  PREFACE,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  resetFrame,
  windowUpdateFrame,
} from './frames.ts'
import { Guard } from './guard.ts'
import { Incoming, type IncomingOwner } from './incoming.ts'
import { OpenStreams } from './open-streams.ts'
import { Output, type OutputOwner } from './output.ts'
import { ReadTimes, type ReadTimesOwner } from './read-times.ts'
import { type Http2Head, releaseHead } from './request-head.ts'
import { type ConnectionError, firstFrames } from './settings.ts'
import { Http2Stream, type StreamOwner } from './stream.ts'

/** Words of nginx for what it is doing. */
const DOING = 'processing HTTP/2 connection'
const TIMED_OUT = 'client timed out (110: Connection timed out)'
/** Bytes that wait for a client before it is not read from any more. */
const MOST_QUEUED = 1048576

const FLOOD: ConnectionError = { code: ENHANCE_YOUR_CALM, reason: 'http2 flood detected' }
const TOO_MANY_REFUSED: ConnectionError = {
  code: ENHANCE_YOUR_CALM,
  reason: 'client sent too many refused streams',
}
const TOO_MANY_RESETS: ConnectionError = { code: ENHANCE_YOUR_CALM, reason: 'client reset too many streams' }
const LARGEST_STREAM_ID = 0x7fffffff
const NO_PREFACE: ConnectionError = { code: PROTOCOL_ERROR, reason: 'invalid connection preface' }

export class Http2Connection
  implements HttpConnection, TransportOwner, StreamOwner, OutputOwner, IncomingOwner, ReadTimesOwner
{
  readonly client: Client
  readonly #streams = new OpenStreams()
  readonly guard = new Guard()
  readonly output: Output
  /** Bytes of content that may come on a stream before it is asked for. */
  readonly streamWindow: number
  readonly #transport: Transport
  readonly #host: ConnectionHost
  readonly #at: ListenedAt
  readonly #incoming: Incoming
  readonly #admission: Admission
  /** Characters of the preface that have come. */
  #preface = 0
  /** `leaving`: the client has been told to open no more streams. */
  #phase: 'open' | 'leaving' | 'closed' = 'open'
  /** The last stream that a GOAWAY has named. */
  #lastTold = LARGEST_STREAM_ID
  /** No stream is open: the connection counts as waiting. */
  #idle = true
  /** It is not read from until the client has taken what it was sent. */
  #paused = false
  #watching = false
  readonly #times = new ReadTimes(this)
  #sendWatch: SendWatch | null = null

  constructor({ transport, client, at, host, early }: ConnectionStart) {
    this.#transport = transport
    this.#host = host
    this.#at = at
    this.client = client
    this.output = new Output(transport, this, this.guard)
    this.#incoming = new Incoming(this)
    const conf = this.#conf
    this.streamWindow = conf.http2BodyPrereadSize
    this.#admission = new Admission(conf)
    transport.owner = this
    host.opened(this)
    host.stats.addWaiting(1)
    this.#times.awaitRest()
    this.output.control(firstFrames(conf.http2MaxConcurrentStreams, this.streamWindow))
    if (early !== null) this.onData(early, 0, early.length)
    if (this.#phase !== 'closed' && !this.#paused) transport.resume()
  }

  get #conf(): Http2SwitchConf {
    return this.#at.servers.defaultServer.plan.confs[http2Switch.index] as Http2SwitchConf
  }

  get settings(): ConnectionConf {
    return this.#at.settings
  }

  get draining(): boolean {
    return this.#host.draining
  }

  get streams(): ReadonlyMap<number, Http2Stream> {
    return this.#streams.byId
  }

  get closedStreams(): ClosedStreams {
    return this.#streams.closed
  }

  get headRules(): HeadRules {
    return this.#at.servers.headRules
  }

  get idleSince(): number {
    return this.#idle && this.#phase !== 'closed' ? this.#times.since : 0
  }

  retire(): void {
    if (this.#phase === 'closed') return
    if (!this.#idle) this.#leave()
    else if (this.idleSince > 0) this.#closeIdle(false)
  }

  shutDown(): void {
    if (this.#phase === 'closed') return
    this.#abandonStreams()
    this.#leave()
    this.#becomeClosed()
    atTickEnd(() => this.#transport.destroy())
  }

  #log(reason: string): void {
    this.client.log('info', reason, DOING)
  }

  // --- bytes from the client

  onData(bytes: Buffer, start: number, end: number): void {
    this.guard.transferred(end - start)
    this.#admission.readBegins()
    const at = this.#preface < PREFACE.length ? this.#readPreface(bytes, start, end) : start
    if (at < end) this.#incoming.read(bytes, at, end)
    if (this.#phase === 'closed') return
    if (this.guard.flooded) return this.fail(FLOOD)
    this.#setTimer()
    if (this.output.queued > MOST_QUEUED && this.#transport.backlogged) {
      this.#paused = true
      this.#transport.pause()
    }
  }

  #readPreface(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && this.#preface < PREFACE.length) {
      if (bytes[at] !== PREFACE.charCodeAt(this.#preface)) {
        this.fail(NO_PREFACE)
        return end
      }
      at++
      this.#preface++
    }
    return at
  }

  /** The time for what is waited for: the rest of a frame, or the next request. */
  #setTimer(): void {
    const incomplete = this.#incoming.incomplete || this.#preface < PREFACE.length
    if (incomplete && (this.#idle || this.#incoming.inBlock)) this.#times.awaitRest()
    else if (this.#idle) this.#times.awaitRequest()
    else this.#times.stop()
  }

  restLate(): void {
    this.#log(TIMED_OUT)
    this.#end(NO_ERROR)
  }

  waitOver(): void {
    this.#closeIdle(false)
  }

  // --- streams

  streamBegins(id: number, ended: boolean): boolean {
    if (this.#phase !== 'open') {
      // The client has been told that nobody looks at it, nor at what follows on it.
      this.closedStreams.add(id, 'reset by us')
      return false
    }
    const most = this.#conf.http2MaxConcurrentStreams
    const unaware = !ended && !this.#incoming.acknowledged
    const reason = this.#admission.refusal(this.#streams.count, most, unaware)
    if (reason === '') return true
    this.#log(reason)
    if (!this.#admission.refused(most)) this.fail(TOO_MANY_REFUSED)
    else this.resetStream(id, REFUSED_STREAM, '')
    return false
  }

  requestComes(id: number, head: Http2Head, length: number, ended: boolean): void {
    const { servers } = this.#at
    const { stats } = this.#host
    this.#busy()
    this.client.requests++
    stats.countRequest()
    stats.addWriting(1)
    this.guard.request()
    const stream = new Http2Stream(this, id, head, servers, now(), ended, this.#incoming.sendWindow)
    stream.request.length = length
    this.#streams.byId.set(id, stream)
    const { keepaliveTimeout, keepaliveRequests, keepaliveTime } = this.settings
    if (
      keepaliveTimeout.idle === 0 ||
      this.client.requests >= keepaliveRequests ||
      now() - this.client.opened > keepaliveTime
    ) {
      this.#leave()
    }
    stream.run(servers)
  }

  #busy(): void {
    if (!this.#idle) return
    this.#idle = false
    this.#host.stats.addWaiting(-1)
  }

  openWindow(id: number, bytes: number): void {
    this.output.control(windowUpdateFrame(id, bytes))
  }

  lendWindow(): number {
    return this.#streams.lendWindow()
  }

  resetStream(id: number, code: number, reason: string): void {
    const stream = this.streams.get(id)
    const unfinished = stream?.request.ended === false
    if (reason !== '') this.#log(reason)
    if (stream === undefined) this.closedStreams.add(id, 'reset by us')
    else {
      this.#streams.remove(stream, 'reset by us')
      stream.cancel()
    }
    this.output.control(resetFrame(id, code))
    // It is the client that has had it reset.
    if (!unfinished || this.mayGoOn()) this.#goOnIdle()
  }

  mayGoOn(): boolean {
    if (this.guard.reset()) return true
    this.fail(TOO_MANY_RESETS)
    return false
  }

  streamCancelled(stream: Http2Stream, reason: string): void {
    const { request: r } = stream
    const unfinished = !r.ended
    if (unfinished) r.log('info', reason)
    this.#streams.remove(stream, 'reset by client')
    stream.cancel()
    if (!unfinished || this.mayGoOn()) this.#goOnIdle()
  }

  requestEnded(stream: Http2Stream): void {
    this.#host.stats.addWriting(-1)
    releaseHead(stream.head)
  }

  streamOver(stream: Http2Stream, how: 'complete' | 'broken' | 'timed out'): void {
    if (!this.#streams.has(stream)) return
    if (how === 'complete') {
      this.guard.answered()
      // What the client sends in this turn may end its side, too.
      if (!stream.inClosed) return this.#streams.answered(stream)
    } else this.output.control(resetFrame(stream.id, how === 'broken' ? INTERNAL_ERROR : PROTOCOL_ERROR))
    this.#streams.remove(stream, how === 'complete' ? 'complete' : 'reset by us')
    this.#goOnIdle()
  }

  /** Waits for the next request, or closes, if none is left. */
  #goOnIdle(): void {
    if (this.#phase === 'closed' || this.#idle || this.#streams.count > 0) return
    this.#idle = true
    this.#host.stats.addWaiting(1)
    if (this.#phase === 'leaving' || this.draining) this.#closeIdle(true)
    else this.#setTimer()
  }

  // --- room for what is sent

  streamBlocked(stream: Http2Stream): void {
    this.#streams.block(stream)
  }

  windowOpened(stream: Http2Stream | null): void {
    this.#streams.goOn(stream)
  }

  beforeSending(): void {
    const answered = this.#streams.takeAnswered()
    if (answered.length === 0) return
    for (const stream of answered) {
      if (!stream.inClosed) this.output.control(resetFrame(stream.id, NO_ERROR))
      this.#streams.remove(stream, stream.inClosed ? 'complete' : 'reset by us')
    }
    this.#goOnIdle()
  }

  sent(): void {
    if (!this.#transport.backlogged || this.#watching) return
    this.#watching = true
    this.#sendWatch ??= new SendWatch(this.#transport, () => this.#sendTimedOut())
    this.#sendWatch.start(this.settings.sendTimeout)
  }

  tooMuchWaiting(): void {
    this.fail(FLOOD)
  }

  onSlow(): void {
    this.#streams.slow()
  }

  onDrain(): void {
    this.#watching = false
    this.#sendWatch?.stop()
    this.output.drained()
    if (this.#phase === 'closed') return
    if (this.#paused) {
      this.#paused = false
      this.#transport.resume()
    }
    this.#streams.goOn(null)
  }

  #sendTimedOut(): void {
    this.#log(TIMED_OUT)
    this.#abandonStreams()
    this.#becomeClosed()
    this.#transport.destroy(this.settings.resetTimedoutConnection)
  }

  // --- its end

  onEnd(): void {
    if (this.#phase === 'closed') return
    if (this.#streams.count > 0 || this.#incoming.incomplete)
      this.#log('client prematurely closed connection')
    this.#abandonStreams()
    this.#becomeClosed()
    atTickEnd(() => this.#transport.close())
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    if (this.#phase !== 'closed') {
      if (error !== null && this.#streams.count > 0) {
        this.#log(`client closed connection (${errnoText(error)})`)
      }
      this.#abandonStreams()
      this.#becomeClosed()
    }
    this.#times.dispose()
    this.#sendWatch?.dispose()
    this.#host.closed(this)
  }

  fail(error: ConnectionError): void {
    if (this.#phase === 'closed') return
    this.#log(error.reason)
    this.#end(error.code)
  }

  /** Tells the client to open no more streams; those that are open are finished. */
  #leave(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'leaving'
    this.#sayGoodbye(NO_ERROR)
  }

  /** `lingering`: the client may be sending, and have responses to read. */
  #closeIdle(lingering: boolean): void {
    this.#leave()
    this.#close(lingering)
  }

  /** Ends the connection and whatever is open on it. */
  #end(code: number): void {
    this.#abandonStreams()
    this.#sayGoodbye(code)
    this.#close(true)
  }

  /** RFC 9113 section 6.8: the last stream that a client is told of never becomes a later one. */
  #sayGoodbye(code: number): void {
    this.#lastTold = Math.min(this.#lastTold, this.#incoming.lastId)
    this.output.control(goAwayFrame(this.#lastTold, code))
  }

  #abandonStreams(): void {
    for (const stream of [...this.streams.values()]) {
      this.#streams.remove(stream, 'reset by us')
      stream.cancel()
    }
  }

  /** Sends what is gathered, then ends our side; what the client still sends is thrown away for a while, if `lingering`. */
  #close(lingering: boolean): void {
    const settings = this.settings
    this.#becomeClosed()
    if (!lingering || settings.lingeringClose === 'off') atTickEnd(() => this.#transport.close())
    else new LingeringClose(this.#transport, this, settings)
  }

  #becomeClosed(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#incoming.stop()
    this.output.stop()
    this.#times.stop()
    if (this.#idle) this.#host.stats.addWaiting(-1)
    this.#idle = false
  }
}
