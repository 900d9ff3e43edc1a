// One HTTP/2 stream as its connection carries it: the request that came, its body coming in, the response going out.

import { requestBody } from '../body/body-conf.ts'
import type { BodySink, RequestContent } from '../http/body.ts'
import { abandon, CLIENT_CLOSED_REQUEST, CLOSE, finalize, goOnAlone } from '../http/finalize.ts'
import { runRequest } from '../http/phases.ts'
import { RegexLimitError } from '../http/regex.ts'
import { type ClientConnection, type ClientStream, Request } from '../http/request.ts'
import type { AddressServers } from '../http/servers.ts'
import { clientConnection } from '../modules/connection.ts'
import { Timer } from '../timer.ts'
import type { Transport } from '../transport/transport.ts'
import type { Output } from './output.ts'
import { type BodyFault, type BodyOwner, RequestBody } from './request-body.ts'
import type { Http2Head } from './request-head.ts'
import { ResponseWriter, type WriterOwner } from './response-writer.ts'

const TIMED_OUT = 'client timed out (110: Connection timed out)'

/** The connection, as its streams see it. */
export interface StreamOwner {
  readonly client: ClientConnection
  readonly output: Output
  /** Bytes of content that may come on a new stream. */
  readonly streamWindow: number
  openWindow(id: number, bytes: number): void
  /** Lends bytes of window to a stream, until it is over; 0: there are none left. */
  lendWindow(): number
  /** A request has turned out to be none when it was under way. false: it was one too many, and has ended the connection. */
  mayGoOn(): boolean
  /** Content of the response waits for room. */
  streamBlocked(stream: Http2Stream): void
  /** The request has ended and is logged. */
  requestEnded(stream: Http2Stream): void
  /** Nothing is left to be done for the stream, but to reset it (`reset`) where either side is open still. */
  streamOver(stream: Http2Stream, reset: 'complete' | 'broken' | 'timed out'): void
}

/** Begins with `run`; over once its owner is told so by `streamOver`, or has cancelled it. */
export class Http2Stream implements ClientStream, BodyOwner, WriterOwner {
  readonly id: number
  readonly head: Http2Head
  readonly request: Request
  readonly writer: ResponseWriter
  /** null: the request has none. */
  readonly body: RequestBody | null
  readonly #owner: StreamOwner
  /** The client has ended its side. */
  inClosed: boolean
  /** Whether the client is to be asked for the body has been settled. */
  #askTested = false
  /** Runs while the client has to send on, or to take what it has been sent. */
  #timer: Timer | null = null
  #timedOut = false
  /** The request has ended: the stream is there for the rest of its response. */
  #over = false

  /** A request whose head is complete; what is wrong with it is in its `refusal`. */
  constructor(
    owner: StreamOwner,
    id: number,
    head: Http2Head,
    servers: AddressServers,
    started: number,
    inClosed: boolean,
    window: number,
  ) {
    this.#owner = owner
    this.id = id
    this.head = head
    this.inClosed = inClosed
    this.writer = new ResponseWriter(id, window, owner.output, this)
    this.body = head.hasBody ? new RequestBody(this, head.contentLength, owner.streamWindow) : null
    const r = new Request(this, head, head.fields, servers.defaultServer, started)
    this.request = r
    const { uri, args, quoted } = head.normalized
    r.uri = uri
    r.args = args
    r.quoted = quoted
  }

  /** Chooses the server, and runs the request or refuses it. */
  run(servers: AddressServers): void {
    const r = this.request
    const { head } = this
    r.host = head.hostName ?? ''
    if (!this.#chooseServer(servers)) return abandon(r, 500)
    r.location = r.server.plan
    if (head.dropped !== null || head.refusal !== null) r.doing = 'reading client request headers'
    for (const name of head.dropped ?? []) r.log('info', `client sent invalid header: "${name}"`)
    if (head.refusal === null) {
      r.doing = ''
      if (r.server.http2 || servers.protocols.http2) return runRequest(r)
      r.log(
        'info',
        'client attempted to request the server name for which the negotiated protocol is disabled',
      )
      return finalize(r, 421)
    }
    r.log('info', head.refusal.reason)
    finalize(r, head.refusal.status)
  }

  /** false: a regular expression of a `server_name` was given up. */
  #chooseServer(servers: AddressServers): boolean {
    const r = this.request
    if (this.head.hostName === null) return true
    try {
      r.server = servers.find(r, r.host)
      return true
    } catch (error) {
      if (!(error instanceof RegexLimitError)) throw error
      r.doing = 'reading client request headers'
      r.log('alert', error.message)
      return false
    }
  }

  // --- the request's content

  /** Takes `bytes[start, end)` of content; `last`: the client has ended its side. */
  receive(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (last) this.inClosed = true
    const { body, request: r } = this
    if (this.#over) return
    if (body === null) {
      if (start < end && this.head.refusal === null && !r.ended) this.#unexpected()
      return
    }
    if (!body.discarding) r.length += end - start
    const fault = body.receive(bytes, start, end, last)
    if (fault !== null) this.bodyBroken(fault)
    else this.bodyMoved()
  }

  /** Content of a request that has said it has none. */
  #unexpected(): void {
    const r = this.request
    r.log('info', 'client intended to send body data larger than declared')
    finalize(r, 400)
  }

  openWindow(bytes: number): void {
    if (!this.inClosed) this.#owner.openWindow(this.id, bytes)
  }

  lendWindow(): number {
    return this.#owner.lendWindow()
  }

  bodyBroken(fault: BodyFault): void {
    const r = this.request
    const body = this.body!
    if (r.ended) return
    this.#timer?.stop()
    if (fault === 'too large') {
      r.log('error', `client intended to send too large chunked body: ${body.came} bytes`)
    } else if (fault === 'larger than declared') {
      r.log('info', 'client intended to send body data larger than declared')
    } else {
      const count = `only ${body.came} out of ${body.declared} bytes of request body received`
      r.log('info', `client prematurely closed stream: ${count}`)
    }
    body.abort()
    if (fault !== 'too large' && !this.#owner.mayGoOn()) return
    if (!r.ended) finalize(r, fault === 'too large' ? 413 : 400)
  }

  bodyMoved(): void {
    const { body, request: r } = this
    if (body?.awaited !== true || r.ended) this.#timer?.stop()
    else this.#wait(r.conf(clientConnection).clientBodyTimeout)
  }

  #wait(milliseconds: number): void {
    this.#timer ??= new Timer(() => this.#waitedEnough())
    this.#timer.start(milliseconds)
  }

  #waitedEnough(): void {
    const r = this.request
    if (this.writer.waiting > 0) return this.#sendTimedOut()
    if (this.body?.awaited !== true || r.ended) return
    this.body.abort()
    if (r.ended) return
    r.doing = 'reading client request body'
    r.log('info', TIMED_OUT)
    this.#timedOut = true
    finalize(r, 408)
  }

  #sendTimedOut(): void {
    const r = this.request
    this.#timedOut = true
    this.writer.stop()
    if (r.ended) return this.#owner.streamOver(this, 'timed out')
    r.doing = 'sending response to client'
    r.log('info', TIMED_OUT)
    abandon(r, 408)
  }

  // --- the response

  writerBlocked(): void {
    this.#owner.streamBlocked(this)
    if (this.writer.waiting > 0) this.#wait(this.request.conf(clientConnection).sendTimeout)
  }

  /** There is room for more of the response, or may be. true: none of it waits any longer. */
  goOn(): boolean {
    const { writer, request: r } = this
    const before = writer.waiting
    const room = writer.goOn()
    if (writer.waiting === 0) {
      this.#timer?.stop()
      this.bodyMoved()
    } else if (writer.waiting < before) this.#wait(r.conf(clientConnection).sendTimeout)
    if (!room) return false
    if (!r.ended) (r.holding ?? r.source)?.resume()
    return true
  }

  writerDone(): void {
    if (this.#over) this.#owner.streamOver(this, 'complete')
  }

  // --- what ends it

  /** The client, or its connection, is gone; nothing more is sent. */
  cancel(): void {
    const { body, request: r } = this
    this.inClosed = true
    this.writer.stop()
    this.#timer?.stop()
    body?.abort()
    if (!r.ended) r.source?.clientGone()
    if (r.ended) return
    if (r.source?.outlivesClient !== true) return finalize(r, CLIENT_CLOSED_REQUEST)
    goOnAlone(r)
  }

  dispose(): void {
    this.#timer?.dispose()
  }

  // --- what the request asks of its stream

  get connection(): ClientConnection {
    return this.#owner.client
  }

  get out(): BodySink {
    return this.writer
  }

  get bytesSent(): number {
    return this.writer.bytesSent - this.#lost
  }

  get bodyBytesSent(): number {
    return Math.max(0, this.writer.bodyBytesSent - this.#lost)
  }

  /** Of a response that was broken off: what was still waiting. */
  get #lost(): number {
    const { ended, complete } = this.request
    return ended && !complete ? this.writer.waiting : 0
  }

  get bodyLength(): number {
    const { body } = this
    if (body === null || !body.finished) return -1
    return body.discarding ? 0 : body.received
  }

  get bodyTaken(): boolean {
    return this.body?.taken ?? false
  }

  get bodyDiscarded(): boolean {
    return this.body?.discarding ?? false
  }

  get settling(): boolean {
    return this.room > 0 && this.#owner.output.settling
  }

  get bodyWaiting(): number {
    return this.body?.kept ?? 0
  }

  get room(): number {
    return Math.min(this.writer.window, this.#owner.output.window)
  }

  sendHead(r: Request): void {
    this.writer.begin(r)
  }

  sendEarlyHints(lines: string): void {
    this.writer.interim(103, lines)
  }

  receiveBody(r: Request, sink: BodySink): RequestContent {
    const body = this.body!
    this.#askForBody()
    body.start(sink, r.conf(requestBody).clientMaxBodySize)
    this.bodyMoved()
    return body
  }

  leaveUnasked(): void {
    this.#askTested = true
  }

  discardBody(): boolean {
    const { body } = this
    if (body === null || body.finished || body.discarding) return true
    this.#timer?.stop()
    body.discard()
    return true
  }

  /** RFC 9110 section 10.1.1: unless the client has not waited for it. */
  #askForBody(): void {
    if (this.#askTested) return
    this.#askTested = true
    if (this.head.expectContinue && this.body !== null && this.body.came === 0) this.writer.interim(100, '')
  }

  openTunnel(): { transport: Transport; early: Buffer | null } {
    throw new Error('a stream of HTTP/2 has no transport of its own')
  }

  closeTunnel(_r: Request, bytes: number): void {
    this.writer.count(bytes)
  }

  finish(): void {
    this.#end()
    if (this.writer.done) this.#owner.streamOver(this, 'complete')
  }

  terminate(): void {
    this.writer.abort()
    // As nginx, a `return 444` is told like a time that has run out.
    const late = this.#timedOut || this.request.response.status === CLOSE
    this.#end()
    this.#owner.streamOver(this, late ? 'timed out' : 'broken')
  }

  #end(): void {
    this.#over = true
    if (this.writer.waiting === 0) this.#timer?.stop()
    this.#owner.requestEnded(this)
  }
}
