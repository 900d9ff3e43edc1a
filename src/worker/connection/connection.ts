// One HTTP/1 client connection: reads requests one after the other, runs each, keeps what comes ahead of its turn,
// and closes in a way that lets the client read its last response.

import { latin1 } from '../../shared/latin1.ts'
import type { BodySink, BodySource } from '../http/body.ts'
import { abandon, CLIENT_CLOSED_REQUEST, finalize } from '../http/finalize.ts'
import { enterLocation, runRequest } from '../http/phases.ts'
import { type ClientConnection, type ClientStream, Request, type RequestLine } from '../http/request.ts'
import type { AddressServers } from '../http/servers.ts'
import { RequestBody } from '../http1/request-body.ts'
import { normalizeHost, type Refusal, RequestHead } from '../http1/request-head.ts'
import { ResponseWriter, type WriterOwner } from '../http1/response-writer.ts'
import { type CoreHttpConf, coreHttp } from '../modules/core.ts'
import { atTickEnd } from '../tick.ts'
import { Timer } from '../timer.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import type { ConnectionHost } from './host.ts'

/** What the connection is doing with the bytes it reads. */
type Phase = 'idle' | 'head' | 'body' | 'busy' | 'flushing' | 'lingering' | 'closed'

/** nginx's large_client_header_buffers: one line, and all of a head. */
const LINE_LIMIT = 8192
const HEAD_LIMIT = 4 * LINE_LIMIT

const URI_TOO_LARGE: Refusal = { status: 414, reason: 'client sent too long URI' }
const HEADER_TOO_LARGE: Refusal = { status: 494, reason: 'client sent too long header line' }
const NO_REQUEST: Refusal = { status: 400, reason: 'client sent invalid method' }

/** nginx's lingering_timeout and lingering_time. */
const LINGER = 5000
const LINGER_IN_ALL = 30000
/** For what is left to send once no request says otherwise. */
const SEND_TIMEOUT = 60000
const ANY_METHOD = /^[A-Z_-]{1,64}( |$)/
const spareHeads: RequestHead[] = []

/** A connection without a request in flight answers for none. */
const NO_LINE: RequestLine = {
  line: '',
  method: '',
  target: '',
  protocol: '',
  minor: 0,
  contentLength: -1,
  hasBody: false,
}

export class Http1Connection implements TransportOwner, ClientConnection, ClientStream, WriterOwner {
  readonly id: number
  readonly opened = Date.now()
  readonly tls = false
  requests = 0
  readonly #transport: Transport
  readonly #host: ConnectionHost
  readonly #key: string
  #servers: AddressServers | null = null
  #generation = -1
  #phase: Phase = 'idle'
  #head: RequestHead | null = null
  #text = ''
  #request: Request | null = null
  #writer: ResponseWriter | null = null
  #body: RequestBody | null = null
  /** Bytes of later requests, or of a body nobody has asked for; the transport is paused meanwhile. */
  #ahead: Buffer | null = null
  #consuming = false
  /** Bytes behind the request being started: the client is still sending. */
  #unread = 0
  /** 100 Continue has been sent for the request in flight. */
  #continued = false
  #started = 0
  /** The last Host value and what it means: it hardly ever changes on a connection. */
  #hostValue = ''
  #hostName = ''
  #idleTimeout = 0
  #lingerUntil = 0
  /** When the connection last became idle; for `idleSince`. */
  #idleSince = 0
  readonly #readTimer = new Timer(() => this.#readTimedOut())
  #sendTimer: Timer | null = null

  constructor(open: (owner: TransportOwner) => Transport, host: ConnectionHost, key: string, id: number) {
    this.id = id
    this.#host = host
    this.#key = key
    this.#transport = open(this)
    host.stats.addWaiting(1)
    this.#readTimer.start(this.#conf().clientHeaderTimeout)
    this.#transport.resume()
  }

  get remoteAddress(): string {
    return this.#transport.remoteAddress
  }
  get remotePort(): number {
    return this.#transport.remotePort
  }
  get localAddress(): string {
    return this.#transport.localAddress
  }
  get localPort(): number {
    return this.#transport.localPort
  }

  /** Milliseconds since the epoch since when the connection is idle after a request; 0: it is not. */
  get idleSince(): number {
    return this.#phase === 'idle' && this.requests > 0 ? this.#idleSince : 0
  }

  /** Closes the connection if no request is in flight; one that is in flight will be its last. */
  retire(): void {
    if (this.#phase === 'idle') this.#close()
    else if (this.#request !== null) this.#request.keepalive = false
  }

  // --- bytes from the client

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#ahead !== null) return this.#keepAhead(bytes, start, end)
    this.#consume(bytes, start, end)
  }

  #consume(bytes: Buffer, start: number, end: number): void {
    this.#consuming = true
    let at = start
    while (at < end) {
      if (this.#phase === 'idle' || this.#phase === 'head') at = this.#readHead(bytes, at, end)
      else if (this.#phase === 'body' && this.#body!.ready) at = this.#readBody(bytes, at, end)
      else {
        if (this.#phase === 'lingering') this.#linger()
        else if (this.#phase !== 'closed') this.#keepAhead(bytes, at, end)
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
    if (this.#phase === 'body' && !this.#body!.ready) return
    this.#ahead = null
    this.#transport.resume()
    this.#consume(ahead, 0, ahead.length)
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    let from = start
    if (this.#phase === 'idle') {
      // RFC 9112 section 2.2: empty lines before a request line are skipped.
      while (from < end && (bytes[from] === 13 || bytes[from] === 10)) from++
      if (from === end) return end
      this.#begin()
    }
    const head = this.#head!
    const before = this.#text.length
    const text = before === 0 ? latin1(bytes, from, end) : this.#text + latin1(bytes, from, end)
    const stop = head.read(text)
    if (stop === 0) {
      this.#text = text
      const refusal = unfinishedRefusal(head, text)
      if (refusal !== null) this.#refuse(refusal)
      else if (before === 0) this.#readTimer.start(this.#conf().clientHeaderTimeout)
      return end
    }
    this.#text = ''
    if (stop < 0) {
      this.#refuse(head.refusal!)
      return end
    }
    const refusal = stop > LINE_LIMIT ? sizeRefusal(head, stop) : null
    if (refusal !== null) {
      this.#refuse(refusal)
      return end
    }
    const at = from + stop - before
    this.#unread = end - at
    this.#startRequest(head, stop)
    return at
  }

  /** The first byte of a request. */
  #begin(): void {
    this.#phase = 'head'
    this.#started = Date.now()
    const { stats } = this.#host
    stats.addWaiting(-1)
    stats.addReading(1)
    this.#head = spareHeads.pop() ?? new RequestHead()
  }

  #createRequest(line: RequestLine): Request {
    const { stats } = this.#host
    stats.countRequest()
    stats.addReading(-1)
    stats.addWriting(1)
    this.requests++
    this.#readTimer.stop()
    this.#writer = new ResponseWriter(this.#transport, this)
    const r = new Request(this, line, this.#head!.fields, this.#address().defaultServer, this.#started)
    this.#request = r
    return r
  }

  #startRequest(head: RequestHead, length: number): void {
    const hasBody = head.chunked || head.contentLength > 0
    this.#continued = false
    const r = this.#createRequest({
      line: head.line,
      method: head.method,
      target: head.target,
      protocol: head.minor === 1 ? 'HTTP/1.1' : `HTTP/1.${head.minor}`,
      minor: head.minor,
      contentLength: head.contentLength,
      hasBody,
    })
    r.length = length
    this.#phase = hasBody ? 'body' : 'busy'
    if (hasBody) {
      this.#body = new RequestBody(this.#transport, head.chunked ? -1 : head.contentLength)
      this.#readTimer.start(r.conf(coreHttp).clientBodyTimeout)
    }
    r.keepalive = head.keepAlive && !this.#host.draining
    this.#route(r, head.authority || head.host || null)
    runRequest(r)
  }

  /** Sets what the request line says, and chooses the server by `hostValue`; null: the client named no host. */
  #route(r: Request, hostValue: string | null): void {
    const { uri, args, quoted } = this.#head!.normalized
    r.uri = uri
    r.args = args
    r.quoted = quoted
    r.targetValid = !this.#head!.emptyPath
    if (hostValue !== null) {
      if (hostValue !== this.#hostValue) {
        this.#hostValue = hostValue
        this.#hostName = normalizeHost(hostValue) ?? ''
      }
      r.host = this.#hostName
    }
    // A Host that is none chooses no server.
    if (hostValue !== null && r.host === '') return
    r.server = this.#address().find(r, r.host)
    enterLocation(r, r.server.plan)
  }

  /** Answers a head that is no request; the connection ends with it. */
  #refuse({ status, reason }: Refusal): void {
    const head = this.#head!
    const r = this.#createRequest({
      ...NO_LINE,
      line: head.line,
      method: head.method,
      minor: head.minor,
      target: head.target,
    })
    r.length = head.position
    this.#unread = 1
    this.#phase = 'busy'
    this.#text = ''
    r.doing = head.inFields ? 'reading client request headers' : 'reading client request line'
    if (head.inFields) this.#route(r, head.authority || head.fields.get('host'))
    r.log('info', reason)
    r.keepalive = false
    finalize(r, status)
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const body = this.#body!
    const r = this.#request
    const stop = body.decode(bytes, start, end)
    if (stop < 0) {
      this.#brokenBody(r)
      return end
    }
    if (r !== null) r.length += stop - start
    if (body.finished) this.#bodyDone(r)
    else {
      body.flush()
      this.#readTimer.start(r?.conf(coreHttp).clientBodyTimeout ?? LINGER)
    }
    return stop
  }

  #bodyDone(r: Request | null): void {
    this.#readTimer.stop()
    this.#body = null
    if (r !== null) this.#phase = 'busy'
    else this.#next()
  }

  #brokenBody(r: Request | null): void {
    const body = this.#body!
    this.#body = null
    if (r === null) return this.#close()
    this.#phase = 'busy'
    r.keepalive = false
    r.log('info', 'client sent invalid chunked body')
    body.abort()
    if (!r.ended) finalize(r, 400)
  }

  // --- ClientStream: what a request asks of its connection

  get connection(): ClientConnection {
    return this
  }

  get out(): BodySink {
    return this.#writer!
  }

  get bytesSent(): number {
    return this.#writer?.bytesSent ?? 0
  }

  get bodyBytesSent(): number {
    return this.#writer?.bodyBytesSent ?? 0
  }

  sendHead(r: Request): void {
    this.#writer!.begin(r)
  }

  sendInterim(status: number, lines: string): void {
    this.#writer!.interim(status, lines)
  }

  receiveBody(r: Request, sink: BodySink): BodySource {
    const body = this.#body!
    this.#continue(body)
    body.start(sink)
    if (r === this.#request) this.#takeAhead()
    return body
  }

  discardBody(_r: Request): void {
    const body = this.#body
    if (body === null || body.discarding) return
    this.#continue(body)
    body.discard()
    this.#takeAhead()
  }

  /** The client waits for a word before it sends the body (RFC 9110 section 10.1.1). */
  #continue(body: RequestBody): void {
    if (!this.#head!.expectContinue || this.#continued || body.received > 0 || this.#ahead !== null) return
    this.#continued = true
    this.#transport.send('HTTP/1.1 100 Continue\r\n\r\n', null, 0, 0, '')
  }

  openTunnel(_r: Request): { transport: Transport; early: Buffer | null } {
    const early = this.#ahead
    this.#ahead = null
    this.#readTimer.stop()
    this.#transport.pause()
    return { transport: this.#transport, early }
  }

  closeTunnel(_r: Request, bytes: number): void {
    this.#writer!.count(bytes)
    this.#transport.owner = this
  }

  finish(r: Request): void {
    const unasked = this.#body !== null && this.#head!.expectContinue && !this.#continued
    this.#idleTimeout = r.conf(coreHttp).keepaliveTimeout.idle
    this.#release(r)
    // Whether a body comes that was never asked for is the client's choice: nothing behind it can be understood.
    if (!r.keepalive || unasked) return this.#closeGently()
    if (this.#body !== null) {
      // The rest of the body stands between here and the next request.
      this.#body.discard()
      this.#readTimer.start(LINGER)
      return this.#takeAhead()
    }
    this.#next()
  }

  terminate(r: Request): void {
    this.#release(r)
    const writer = this.#writer!
    writer.abort()
    this.#leave('closed')
    // A response without length or chunks would look complete if the connection ended as usual.
    atTickEnd(() => (writer.endsWithConnection ? this.#transport.destroy(true) : this.#transport.close()))
    this.#sending()
  }

  /** The request is over: what it held goes back. */
  #release(r: Request): void {
    this.#request = null
    this.#host.stats.addWriting(-1)
    const head = this.#head!
    head.reset()
    this.#head = null
    if (spareHeads.length < 1000) spareHeads.push(head)
  }

  #next(): void {
    if (this.#transport.backlogged) {
      // A client that asks on without reading its answers waits for itself.
      this.#phase = 'flushing'
      this.#transport.pause()
      return this.#sending()
    }
    this.#phase = 'idle'
    this.#idleSince = Date.now()
    this.#host.stats.addWaiting(1)
    if (this.#host.draining) return this.#close()
    this.#readTimer.start(this.#idleTimeout)
    if (this.#ahead !== null) this.#takeAhead()
  }

  // --- the end of the connection

  onEnd(): void {
    const r = this.#request
    if (r === null) {
      if (this.#phase === 'head') this.#prematureEnd()
      return this.#close()
    }
    if (this.#body !== null && !this.#body.finished && !this.#body.discarding) {
      this.#body.abort()
      if (r.ended) return
      r.log('info', 'client prematurely closed connection')
      return abandon(r, 400)
    }
    this.#clientGone(r)
  }

  /** Half a request: logged as nginx does, with 400 and nothing sent. */
  #prematureEnd(): void {
    const head = this.#head!
    const r = this.#createRequest({ ...NO_LINE, line: head.line })
    r.doing = head.inFields ? 'reading client request headers' : 'reading client request line'
    r.log('info', 'client prematurely closed connection')
    r.response.status = 400
    r.ended = true
    for (const log of r.location.log) log(r)
    this.#release(r)
    this.#phase = 'busy'
  }

  #clientGone(r: Request): void {
    if (r.source !== null) return r.source.clientGone()
    // Nothing to stop: the response is being made, and may still find a reader.
    if (r.headSent) r.keepalive = false
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    const r = this.#request
    this.#readTimer.dispose()
    this.#sendTimer?.dispose()
    if (r !== null) {
      if (error !== null) r.log('info', `client closed connection (${error.errno}: ${error.code})`)
      if (this.#body !== null) this.#body.abort()
      if (!r.ended) this.#clientGone(r)
      if (!r.ended) finalize(r, CLIENT_CLOSED_REQUEST)
    } else if (this.#phase === 'head') {
      this.#prematureEnd()
    }
    this.#leave('closed')
    this.#host.closed(this)
  }

  onDrain(): void {
    this.#sendTimer?.stop()
    if (this.#phase === 'flushing') {
      this.#transport.resume()
      return this.#next()
    }
    const r = this.#request
    r?.source?.resume()
  }

  sent(more: boolean): void {
    if (!more) this.#sending()
    else this.#sendTimer?.stop()
  }

  /** The client has to read within send_timeout. */
  #sending(): void {
    if (!this.#transport.backlogged) return
    this.#sendTimer ??= new Timer(() => this.#sendTimedOut())
    this.#sendTimer.start(this.#request?.conf(coreHttp).sendTimeout ?? SEND_TIMEOUT)
  }

  #sendTimedOut(): void {
    const r = this.#request
    if (r !== null) {
      r.doing = 'sending response to client'
      r.log('info', 'client timed out (110: Connection timed out)')
    }
    this.#transport.destroy()
  }

  #readTimedOut(): void {
    if (this.#phase === 'head') {
      // As nginx: a head that does not come is closed without an answer, and logged.
      const r = this.#createRequest({ ...NO_LINE, line: this.#head!.line })
      r.doing = 'reading client request headers'
      r.log('info', 'client timed out (110: Connection timed out)')
      r.response.status = 408
      r.keepalive = false
      r.ended = true
      for (const log of r.location.log) log(r)
      this.#release(r)
      this.#phase = 'busy'
      return this.#close()
    }
    const r = this.#request
    if (r === null || this.#body === null) return this.#close()
    // While the backend is the slow one the client is not to blame.
    if (this.#body.paused) return this.#readTimer.start(r.conf(coreHttp).clientBodyTimeout)
    this.#body.abort()
    if (r.ended) return
    r.doing = 'reading client request body'
    r.log('info', 'client timed out (110: Connection timed out)')
    r.keepalive = false
    finalize(r, 408)
  }

  /** Nothing more will be read or sent. */
  #close(): void {
    this.#leave('closed')
    this.#readTimer.stop()
    atTickEnd(() => this.#transport.close())
  }

  /**
   * Closes after a response. Where the client may still be sending, a close would answer its bytes with a reset that
   * can destroy the response on its way: our side ends first, and what comes is thrown away for a while.
   */
  #closeGently(): void {
    const unread = this.#ahead !== null || this.#body !== null || (this.#consuming && this.#unread > 0)
    this.#sending()
    if (!unread) return this.#close()
    this.#leave('lingering')
    this.#ahead = null
    this.#body = null
    this.#lingerUntil = Date.now() + LINGER_IN_ALL
    this.#linger()
    atTickEnd(() => {
      this.#transport.end()
      this.#transport.resume()
    })
  }

  #linger(): void {
    const left = this.#lingerUntil - Date.now()
    if (left > 0) this.#readTimer.start(Math.min(left, LINGER))
    else this.#close()
  }

  /** Leaves the states that the statistics count. */
  #leave(phase: 'lingering' | 'closed'): void {
    if (this.#phase === 'idle') this.#host.stats.addWaiting(-1)
    else if (this.#phase === 'head' && this.#request === null) this.#host.stats.addReading(-1)
    this.#phase = phase
  }

  // --- configuration

  /** The servers of the newest Cycle behind the socket this connection came on. */
  #address(): AddressServers {
    if (this.#generation === this.#host.generation) return this.#servers!
    const socket = this.#host.servers(this.#key)
    if (socket !== null) this.#servers = socket.several ? socket.find(this.localAddress) : socket.fallback
    this.#generation = this.#host.generation
    return this.#servers!
  }

  /** Settings that count before a request has chosen its server. */
  #conf(): CoreHttpConf {
    return this.#address().defaultServer.plan.confs[coreHttp.index] as CoreHttpConf
  }
}

/** What can be said of a head that is not complete. */
function unfinishedRefusal(head: RequestHead, text: string): Refusal | null {
  const rest = text.length - head.position
  if (!head.inFields) {
    if (rest > LINE_LIMIT) return URI_TOO_LARGE
    return ANY_METHOD.test(text) ? null : NO_REQUEST
  }
  return rest > LINE_LIMIT || text.length > HEAD_LIMIT ? HEADER_TOO_LARGE : null
}

/** Applies the limits to a complete head. */
function sizeRefusal(head: RequestHead, end: number): Refusal | null {
  if (head.line.length > LINE_LIMIT) return URI_TOO_LARGE
  if (end > HEAD_LIMIT) return HEADER_TOO_LARGE
  const { fields } = head
  for (let index = 0; index < fields.count; index++) {
    if (fields.end(index) - fields.start(index) > LINE_LIMIT) return HEADER_TOO_LARGE
  }
  return null
}
