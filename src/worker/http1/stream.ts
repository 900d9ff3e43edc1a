// One HTTP/1 request as its connection carries it: the head that came, the body coming in, the response going out.

import { requestBody } from '../body/body-conf.ts'
import type { BodySink, RequestContent } from '../http/body.ts'
import { hashName } from '../http/fields.ts'
import { RegexLimitError } from '../http/regex.ts'
import { type ClientConnection, type ClientStream, Request } from '../http/request.ts'
import type { AddressServers } from '../http/servers.ts'
import type { Transport } from '../transport/transport.ts'
import { hostName } from './host-name.ts'
import { RequestBody } from './request-body.ts'
import type { DroppedLine, RequestHead } from './request-head.ts'
import { ResponseWriter, type WriterOwner } from './response-writer.ts'

const HOST = hashName('host')
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\n'

/** The connection, as its request sees it. */
export interface StreamOwner extends WriterOwner {
  readonly client: ClientConnection
  readonly transport: Transport
  /** Bytes that have come and that are kept. */
  readonly waiting: number
  /** The body has somewhere to go now. */
  bodyWanted(): void
  /** The body is thrown away: at once, as far as it is there. */
  bodyUnwanted(): void
  /** Gives away the transport, paused, with what the client sent ahead. */
  releaseTransport(): { transport: Transport; early: Buffer | null }
  takeTransport(): void
  /** The request has ended and is logged, with its response complete or (`broken`) not. */
  requestEnded(stream: Http1Stream, broken: boolean): void
}

export class Http1Stream implements ClientStream {
  readonly head: RequestHead
  readonly request: Request
  readonly writer: ResponseWriter
  /** null: the request has none. */
  readonly body: RequestBody | null
  readonly #owner: StreamOwner
  /** Whether the client is to be asked for the body has been settled. */
  #askTested = false
  /** Nobody can say which server it is for: the connection is closed without an answer, as nginx does. */
  serverless = false

  /** A request whose head is complete and well formed. */
  static accept(
    owner: StreamOwner,
    head: RequestHead,
    servers: AddressServers,
    started: number,
  ): Http1Stream {
    const stream = new Http1Stream(owner, head, servers, started)
    stream.request.keepalive = head.keepAlive
    stream.#takeTarget()
    if (head.dropped === null) stream.#chooseServer(servers, head.hostName)
    else stream.#chooseWithDropped(servers, head.dropped)
    return stream
  }

  /** A request that is refused, or that will never be complete: as much of it as could be read. */
  static refuse(
    owner: StreamOwner,
    head: RequestHead,
    servers: AddressServers,
    started: number,
  ): Http1Stream {
    const stream = new Http1Stream(owner, head, servers, started)
    stream.request.doing = head.inFields ? 'reading client request headers' : 'reading client request line'
    stream.#takeTarget()
    if (!head.inFields) return stream
    if (head.dropped === null) stream.#chooseNamed(servers)
    else stream.#chooseWithDropped(servers, head.dropped)
    stream.request.doing = 'reading client request headers'
    return stream
  }

  private constructor(owner: StreamOwner, head: RequestHead, servers: AddressServers, started: number) {
    this.#owner = owner
    this.head = head
    this.writer = new ResponseWriter(owner.transport, owner)
    this.body = head.hasBody ? new RequestBody(owner.transport, head.chunked ? -1 : head.contentLength) : null
    this.request = new Request(this, head, head.fields, servers.defaultServer, started)
    this.request.length = head.received
  }

  /** Sets what the request line says. */
  #takeTarget(): void {
    const r = this.request
    const { uri, args, quoted } = this.head.normalized
    r.uri = uri
    r.args = args
    r.quoted = quoted
    r.targetValid = !this.head.emptyPath
  }

  /** Chooses the server by what is there of the head; a Host that is none chooses no server. */
  #chooseNamed(servers: AddressServers): void {
    const value = this.head.authority || this.head.fields.get('host')
    const host = value === null ? null : hostName(value)
    if (value === null || host !== null) this.#chooseServer(servers, host)
  }

  /** Chooses the server, and logs the header lines that were left out with what was known at each, as nginx does. */
  #chooseWithDropped(servers: AddressServers, dropped: readonly DroppedLine[]): void {
    const { authority, fields } = this.head
    const { count } = fields
    let named = authority !== ''
    if (named) this.#chooseNamed(servers)
    this.request.doing = 'reading client request headers'
    const host = fields.indexOf('host', HOST)
    for (const { line, before } of dropped) {
      fields.count = before
      if (!named && host >= 0 && host < before) {
        this.#chooseNamed(servers)
        named = true
      }
      this.request.log('info', `client sent invalid header line: "${line}"`)
    }
    fields.count = count
    this.request.doing = ''
    if (!named) this.#chooseNamed(servers)
  }

  /** Chooses the server by `host`; null: the client named none. */
  #chooseServer(servers: AddressServers, host: string | null): void {
    const r = this.request
    r.host = host ?? ''
    try {
      r.server = servers.find(r, r.host)
    } catch (error) {
      this.#cannotChoose(error)
      r.server = servers.defaultServer
    }
    r.location = r.server.plan
  }

  /** A regular expression of a `server_name` was given up. */
  #cannotChoose(error: unknown): void {
    if (!(error instanceof RegexLimitError)) throw error
    const r = this.request
    r.doing = 'reading client request headers'
    r.log('alert', error.message)
    this.serverless = true
  }

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

  /** Bytes given to the transport of a response that was broken off which it could not pass on any more. */
  get #lost(): number {
    const { ended, complete } = this.request
    return ended && !complete ? this.#owner.transport.queued : 0
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
    return this.#owner.transport.settling
  }

  get bodyWaiting(): number {
    return this.#owner.waiting
  }

  get room(): number {
    return Number.POSITIVE_INFINITY
  }

  /** The client waits to be asked for the body, and has not been. */
  get unasked(): boolean {
    return this.head.expectContinue && !this.#askTested && this.body !== null && this.body.received === 0
  }

  sendHead(r: Request): void {
    this.writer.begin(r)
  }

  /** RFC 9110 section 15.2: HTTP/1.0 has no interim responses. */
  sendEarlyHints(lines: string): void {
    if (this.head.minor >= 1) this.#sendInterim(`${EARLY_HINTS}${lines}\r\n`)
  }

  receiveBody(r: Request, sink: BodySink): RequestContent {
    const body = this.body!
    this.#askForBody()
    body.start(sink, r.conf(requestBody).clientMaxBodySize)
    // An attempt before this one may have seen the whole of an empty body.
    if (body.finished) sink.end(null)
    else this.#owner.bodyWanted()
    return body
  }

  leaveUnasked(): void {
    this.#askTested = true
  }

  discardBody(): boolean {
    const { body } = this
    if (body === null || body.finished || body.discarding) return true
    this.#askForBody()
    body.discard()
    this.#owner.bodyUnwanted()
    return !body.aborted
  }

  /** RFC 9110 section 10.1.1; as nginx, also where the client has not waited for it. */
  #askForBody(): void {
    if (!this.unasked) return
    this.#askTested = true
    this.#sendInterim(CONTINUE)
  }

  #sendInterim(head: string): void {
    this.#owner.transport.send(head, null, 0, 0, '')
    // As with nginx, `$body_bytes_sent` and `$bytes_sent` know of it.
    this.writer.count(head.length)
  }

  openTunnel(): { transport: Transport; early: Buffer | null } {
    return this.#owner.releaseTransport()
  }

  closeTunnel(_r: Request, bytes: number): void {
    this.writer.count(bytes)
    this.#owner.takeTransport()
  }

  finish(): void {
    this.#owner.requestEnded(this, false)
  }

  terminate(): void {
    this.writer.abort()
    this.#owner.requestEnded(this, true)
  }
}
