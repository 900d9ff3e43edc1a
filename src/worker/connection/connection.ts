// One HTTP/1 client connection: reads requests one after the other, runs each, keeps what comes ahead of its turn,
// and closes in a way that lets the client read its last response. What one request needs is in http1/stream.ts.

import { errnoText } from '../../shared/errno.ts'
import {
  abandon,
  CLIENT_CLOSED_REQUEST,
  CLOSE,
  finalize,
  goOnAlone,
  logUnanswered,
} from '../http/finalize.ts'
import { runRequest } from '../http/phases.ts'
import type { Request } from '../http/request.ts'
import { Http1Stream, type StreamOwner } from '../http1/stream.ts'
import { type ConnectionConf, clientConnection } from '../modules/connection.ts'
import { atTickEnd, now } from '../tick.ts'
import { Timer } from '../timer.ts'
import { TlsError } from '../tls/tls-error.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import { type BodyOwner, BodyReading } from './body-reading.ts'
import type { Client } from './client.ts'
import { LingeringClose } from './closing.ts'
import { HeadReading, INCOMPLETE, releaseHead, skipEmptyLines } from './head-reading.ts'
import type { ConnectionHost, ConnectionStart, HttpConnection } from './host.ts'
import { KeepaliveWait } from './keepalive-wait.ts'
import type { ListenedAt } from './listened-at.ts'
import { SendWatch } from './send-watch.ts'

/**
 * What the connection is doing with the bytes it reads: between requests; in a head; in a body; nothing, a request being
 * at work or (flushing) the last response not with the kernel yet; nothing any more.
 */
type Phase = 'idle' | 'head' | 'body' | 'busy' | 'flushing' | 'closed'

const TIMED_OUT = 'client timed out (110: Connection timed out)'
const PREMATURE_END = 'client prematurely closed connection'

export class Http1Connection implements HttpConnection, TransportOwner, StreamOwner, BodyOwner {
  readonly client: Client
  readonly #transport: Transport
  readonly #host: ConnectionHost
  readonly #at: ListenedAt
  #phase: Phase = 'idle'
  readonly #heads = new HeadReading()
  /** When the first byte of the last head came. */
  #started = 0
  /** The request in flight. */
  #stream: Http1Stream | null = null
  /** The body being read, which may outlive its request. */
  #body: BodyReading | null = null
  /** Bytes of later requests, or of a body nobody has asked for; the transport is paused meanwhile. */
  #ahead: Buffer | null = null
  /** The first of them came in one piece with the request before. */
  #aheadBehind = false
  #consuming = false
  /** Bytes behind the request being started: the client is still sending. */
  #unread = 0
  /** Those of the last request, for the time behind it. */
  #settings: ConnectionConf
  /** The client was too slow with its request or its response. */
  #timedOut = false
  /** A client whose body was too large is still sending it. */
  #goesOn = false
  /** The connection ends behind the rest of a body that is read for nobody. */
  #last = false
  readonly #readTimer = new Timer(() => this.#readTimedOut())
  readonly #wait = new KeepaliveWait(this.#readTimer)
  #sendWatch: SendWatch | null = null

  constructor({ transport, client, at, host, early }: ConnectionStart) {
    this.#host = host
    this.#transport = transport
    this.#at = at
    this.client = client
    transport.owner = this
    host.opened(this)
    host.stats.addWaiting(1)
    this.#settings = at.settings
    // The time is for all that comes before the first request.
    this.#readTimer.start(this.#settings.clientHeaderTimeout - (now() - client.opened))
    transport.resume()
    if (early !== null) this.#consume(early, 0, early.length, false)
  }

  /** Milliseconds since the epoch since when it waits for a request and may be closed instead; 0: it does not. */
  get idleSince(): number {
    return this.#phase === 'idle' ? this.#wait.since : 0
  }

  /** Closes the connection if no request is in flight; one that is in flight will be its last. */
  retire(): void {
    if (this.#stream !== null) this.#stream.request.keepalive = false
    else if (this.idleSince > 0) this.#close()
  }

  shutDown(): void {
    const r = this.#stream?.request
    if (r !== undefined && !r.ended) abandon(r, 0)
    this.#leave()
    atTickEnd(() => this.#transport.destroy())
  }

  // --- bytes from the client

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#ahead !== null) return this.#keepAhead(bytes, start, end)
    this.#consume(bytes, start, end, false)
  }

  /** `behind`: the bytes came behind others, in one piece. */
  #consume(bytes: Buffer, start: number, end: number, behind: boolean): void {
    this.#consuming = true
    let at = start
    while (at < end) {
      if (this.#phase === 'idle') this.client.pipelined = behind || at > start
      if (this.#phase === 'idle' || this.#phase === 'head') at = this.#readHead(bytes, at, end)
      else if (this.#phase === 'body' && this.#body!.body.ready)
        at = this.#body!.readOn(bytes, at, end, at === start)
      else {
        if (this.#phase !== 'closed') {
          this.#aheadBehind = behind || at > start
          this.#keepAhead(bytes, at, end)
        }
        break
      }
    }
    this.#consuming = false
  }

  #keepAhead(bytes: Buffer, start: number, end: number): void {
    const copy = Buffer.from(bytes.subarray(start, end))
    this.#ahead = this.#ahead === null ? copy : Buffer.concat([this.#ahead, copy])
    this.#transport.pause()
  }

  /** Takes up what was kept, if anybody can use it now. */
  #takeAhead(): void {
    const ahead = this.#ahead
    if (ahead === null || this.#consuming) return
    if (this.#phase === 'busy' || this.#phase === 'flushing') return
    if (this.#phase === 'body' && !this.#body!.body.ready) return
    this.#ahead = null
    this.#transport.resume()
    this.#consume(ahead, 0, ahead.length, this.#aheadBehind)
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    let from = start
    const first = this.#phase === 'idle'
    if (first) {
      from = skipEmptyLines(bytes, start, end)
      if (from === end) return end
      this.#begin(from - start)
    }
    const stop = this.#heads.read(bytes, from, end)
    if (stop >= 0) {
      this.#unread = end - stop
      this.client.requests++
      const stream = Http1Stream.accept(this, this.#heads.take(), this.#at.servers, this.#started)
      const body =
        stream.body === null ? null : new BodyReading(stream.body, this, this.#readTimer, bytes, stop, end)
      this.#start(stream, body)
      return body === null ? stop : body.started()
    }
    // The time is for the whole head, however many pieces it comes in; that of the first began with the connection.
    if (stop !== INCOMPLETE) this.#refuse()
    else if (first && this.client.requests > 0) this.#readTimer.start(this.#at.settings.clientHeaderTimeout)
    return end
  }

  /** The first byte of a request, behind so many of empty lines. */
  #begin(skipped: number): void {
    this.#phase = 'head'
    this.#started = now()
    const { stats } = this.#host
    stats.addWaiting(-1)
    stats.addReading(1)
    this.#heads.begin(this.#at.servers.headRules, skipped)
  }

  /** A request is made of the head; `body`: what is to be read of it. */
  #adopt(stream: Http1Stream, body: BodyReading | null): Request {
    const { stats } = this.#host
    stats.countRequest()
    stats.addReading(-1)
    stats.addWriting(1)
    this.#readTimer.stop()
    this.#stream = stream
    this.#body = body
    this.#phase = body === null ? 'busy' : 'body'
    return stream.request
  }

  #start(stream: Http1Stream, body: BodyReading | null): void {
    const r = this.#adopt(stream, body)
    if (this.#host.draining) r.keepalive = false
    if (stream.serverless) abandon(r, 500)
    else if (this.client.misplaced) this.#refusePlain(r)
    else runRequest(r)
  }

  /** A plain request to a port for TLS. */
  #refusePlain(r: Request): void {
    r.doing = 'reading client request headers'
    r.log('info', 'client sent plain HTTP request to HTTPS port')
    r.doing = ''
    finalize(r, 497)
  }

  /** Answers a head that is no request; the connection ends with it. */
  #refuse(): void {
    this.#unread = 1
    const r = this.#adoptUnfinished()
    const { status, reason } = this.#stream!.head.refusal!
    r.log('info', reason)
    finalize(r, status)
  }

  /** Ends a head that will never be complete; logged as nginx does, with nothing sent. */
  #giveUpHead(status: number, reason: string): void {
    const r = this.#adoptUnfinished()
    r.log('info', reason)
    logUnanswered(r, status)
    this.#settings = r.conf(clientConnection)
    this.#release(this.#stream!)
    this.#breakOff(status === 408 && this.#settings.resetTimedoutConnection)
  }

  #adoptUnfinished(): Request {
    this.client.requests++
    const head = this.#heads.takeUnfinished()
    return this.#adopt(Http1Stream.refuse(this, head, this.#at.servers, this.#started), null)
  }

  // --- what becomes of a body

  get request(): Request | null {
    return this.#stream?.request ?? null
  }

  get closed(): boolean {
    return this.#phase === 'closed'
  }

  bodyComplete(left: number): void {
    this.#unread = left
    this.#readTimer.stop()
    this.#body = null
    if (this.#stream !== null) this.#phase = 'busy'
    else if (this.#last) this.#closeGently(false)
    else this.#next()
  }

  bodyBroken(goesOn: boolean): void {
    this.#body = null
    if (this.#stream === null) return this.#close()
    this.#phase = 'busy'
    this.#goesOn = goesOn
  }

  bodyLate(): void {
    this.#close()
  }

  // --- what a request asks of its connection

  get transport(): Transport {
    return this.#transport
  }

  get waiting(): number {
    const came = this.#body?.waiting ?? -1
    return came >= 0 ? came : (this.#ahead?.length ?? 0)
  }

  bodyWanted(): void {
    this.#body!.expect(this.#stream!.request)
    this.#takeAhead()
  }

  bodyUnwanted(): void {
    this.#body!.discardNow(() => this.#takeAhead())
  }

  releaseTransport(): { transport: Transport; early: Buffer | null } {
    const early = this.#ahead
    this.#ahead = null
    this.#readTimer.stop()
    this.#transport.pause()
    return { transport: this.#transport, early }
  }

  takeTransport(): void {
    this.#transport.owner = this
  }

  requestEnded(stream: Http1Stream, broken: boolean): void {
    const r = stream.request
    // Whether a body comes that was never asked for is the client's choice: nothing behind it can be understood.
    const settings = r.conf(clientConnection)
    const last = !r.keepalive || settings.keepaliveTimeout.idle === 0 || stream.unasked
    this.#settings = settings
    this.#release(stream)
    // It has outlived the connection.
    if (this.#phase === 'closed') return
    if (broken) {
      const reset = settings.resetTimedoutConnection && (this.#timedOut || r.response.status === CLOSE)
      return this.#breakOff(reset || stream.writer.endsWithConnection)
    }
    if (this.#body !== null && (!last || this.#body.body.discarding)) return this.#discardRest(last)
    if (last) return this.#closeGently(stream.body !== null && (!stream.body.discarding || this.#goesOn))
    if (settings.tcpNodelay) this.client.keptWithoutDelay()
    this.#next()
  }

  /** The rest of a body stands between a response and the next request, or the end. */
  #discardRest(last: boolean): void {
    this.#body!.discardRest(this.#settings)
    this.#last = last
    this.#takeAhead()
  }

  /** The request is over: what it held goes back. */
  #release({ head }: Http1Stream): void {
    this.#stream = null
    this.#host.stats.addWriting(-1)
    releaseHead(head)
  }

  #next(): void {
    if (this.#transport.backlogged) {
      // A client that asks on without reading its answers waits for itself.
      this.#phase = 'flushing'
      this.#transport.pause()
      return this.#sending()
    }
    this.#phase = 'idle'
    this.#host.stats.addWaiting(1)
    if (this.#host.draining) return this.#close()
    this.#wait.begin(this.#settings)
    // A body that was complete before its backend had room for it left the transport paused.
    this.#transport.resume()
    this.#takeAhead()
  }

  // --- what becomes of the connection

  onEnd(): void {
    const r = this.#stream?.request
    if (this.#phase === 'head') return this.#giveUpHead(400, PREMATURE_END)
    if (r === undefined) {
      if (this.#phase === 'idle') this.client.logEnd()
      return this.#close()
    }
    const body = this.#body?.body ?? null
    if (body === null || body.finished || body.discarding) return this.#clientGone(r)
    body.abort()
    if (r.ended) return
    r.log('info', PREMATURE_END)
    abandon(r, 400)
  }

  #clientGone(r: Request): void {
    if (r.source !== null) r.source.clientGone()
    // Nothing to stop: the response is being made, and may still find a reader.
    else if (r.headSent) r.keepalive = false
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    const r = this.#stream?.request
    if (this.#phase === 'head') this.#giveUpHead(400, PREMATURE_END)
    if (r !== undefined) {
      const body = this.#body?.body
      const reading = body?.ready === true && !body.finished && !body.discarding
      const what = reading ? 'recv() failed' : 'client closed connection'
      if (error instanceof TlsError) r.log(error.level, `SSL_read() failed (${error.message})`)
      else if (error !== null) r.log('info', `${what} (${errnoText(error)})`)
      body?.abort()
      if (!r.ended && reading) abandon(r, 400)
      if (!r.ended) this.#clientGone(r)
      if (!r.ended && r.source?.outlivesClient !== true) finalize(r, CLIENT_CLOSED_REQUEST)
    }
    if (this.#phase === 'idle' && error instanceof TlsError) {
      const doing = this.client.requests === 0 ? 'waiting for request' : 'keepalive'
      this.client.log(error.level, `SSL_read() failed (${error.message})`, doing)
    }
    this.#leave()
    this.#readTimer.dispose()
    this.#sendWatch?.dispose()
    this.#host.closed(this)
    if (r !== undefined && !r.ended) goOnAlone(r)
  }

  /** The backend may have been made to wait for a client that seemed to keep up. */
  onSlow(): void {
    this.#stream?.request.source?.resume()
  }

  onDrain(): void {
    this.#sendWatch?.stop()
    if (this.#phase !== 'flushing') {
      const r = this.#stream?.request
      return (r?.holding ?? r?.source)?.resume()
    }
    this.#transport.resume()
    this.#next()
  }

  sent(more: boolean): void {
    if (!more) this.#sending()
    else this.#sendWatch?.stop()
  }

  /** The client has to read within send_timeout. */
  #sending(): void {
    if (!this.#transport.backlogged) return
    this.#sendWatch ??= new SendWatch(this.#transport, () => this.#sendTimedOut())
    const { sendTimeout } = this.#stream?.request.conf(clientConnection) ?? this.#settings
    this.#sendWatch.start(sendTimeout)
  }

  #sendTimedOut(): void {
    const r = this.#stream?.request
    this.#timedOut = true
    if (r !== undefined) {
      r.doing = 'sending response to client'
      r.log('info', TIMED_OUT)
      abandon(r, 408)
    }
    this.#transport.destroy(this.#settings.resetTimedoutConnection)
  }

  #readTimedOut(): void {
    if (this.#phase === 'head') return this.#giveUpHead(408, TIMED_OUT)
    const r = this.#stream?.request
    if (r === undefined || this.#body === null) return this.#waitedEnough()
    const { body } = this.#body
    // While the backend is the slow one the client is not to blame.
    if (body.paused || !body.ready) return this.#body.expect(r)
    body.abort()
    if (r.ended) return
    r.doing = 'reading client request body'
    r.log('info', TIMED_OUT)
    this.#timedOut = true
    finalize(r, 408)
  }

  /** No request has come, or not the rest of a body that nobody wants. */
  #waitedEnough(): void {
    if (this.#phase === 'idle' && !this.#host.draining && this.#wait.goesOn(this.#settings)) return
    if (this.#phase === 'idle' && this.client.requests === 0) {
      this.client.log('info', TIMED_OUT, 'waiting for request')
    }
    if (this.#phase === 'idle') this.#close()
    else this.#breakOff(this.#settings.resetTimedoutConnection)
  }

  /** Nothing more will be read or sent. */
  #close(): void {
    this.#leave()
    this.#readTimer.stop()
    atTickEnd(() => this.#transport.close())
  }

  /** Closes in the middle of a response; `reset` where its end would be taken for a complete one otherwise. */
  #breakOff(reset: boolean): void {
    this.#leave()
    this.#readTimer.stop()
    this.#sending()
    atTickEnd(() => (reset ? this.#transport.destroy(true) : this.#transport.close()))
  }

  /** Closes after a complete response: at once, or when the client has had the time to read it. */
  #closeGently(hadBody: boolean): void {
    this.#sending()
    if (!this.#lingers(hadBody)) return this.#close()
    this.#leave()
    this.#ahead = null
    this.#body = null
    this.#readTimer.stop()
    new LingeringClose(this.#transport, this, this.#settings)
  }

  /** `hadBody`: old clients send an empty line behind one. */
  #lingers(hadBody: boolean): boolean {
    const { lingeringClose } = this.#settings
    if (lingeringClose !== 'on') return lingeringClose === 'always'
    return hadBody || this.#ahead !== null || this.#body !== null || (this.#consuming && this.#unread > 0)
  }

  /** Leaves the states that the statistics count. */
  #leave(): void {
    if (this.#phase === 'idle') this.#host.stats.addWaiting(-1)
    else if (this.#phase === 'head') this.#host.stats.addReading(-1)
    this.#phase = 'closed'
  }
}
