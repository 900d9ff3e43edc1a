// One HTTP/1 request as its connection carries it: the head that came, the body coming in, the response going out.

import type { BodySink, RequestContent } from '../http/body.ts'
import { enterLocation } from '../http/phases.ts'
import { type ClientConnection, type ClientStream, Request } from '../http/request.ts'
import type { AddressServers } from '../http/servers.ts'
import type { Transport } from '../transport/transport.ts'
import { RequestBody } from './request-body.ts'
import { hostName, type RequestHead } from './request-head.ts'
import { ResponseWriter, type WriterOwner } from './response-writer.ts'

/** The connection, as its request sees it. */
export interface StreamOwner extends WriterOwner {
  readonly client: ClientConnection
  readonly transport: Transport
  /** Something of the request body has come that nobody has asked for yet. */
  readonly hasAhead: boolean
  /** The body has somewhere to go now. */
  bodyWanted(): void
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
  #continued = false

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
    stream.#chooseServer(servers, head.hostName)
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
    if (!head.inFields) return stream
    stream.#takeTarget()
    const value = head.authority || head.fields.get('host')
    const host = value === null ? null : hostName(value)
    // A Host that is none chooses no server.
    if (value === null || host !== null) stream.#chooseServer(servers, host)
    return stream
  }

  private constructor(owner: StreamOwner, head: RequestHead, servers: AddressServers, started: number) {
    this.#owner = owner
    this.head = head
    this.writer = new ResponseWriter(owner.transport, owner)
    this.body = head.hasBody ? new RequestBody(owner.transport, head.chunked ? -1 : head.contentLength) : null
    this.request = new Request(this, head, head.fields, servers.defaultServer, started)
    this.request.length = head.position
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

  /** Chooses the server by `host`; null: the client named none. */
  #chooseServer(servers: AddressServers, host: string | null): void {
    const r = this.request
    r.host = host ?? ''
    r.server = servers.find(r, r.host)
    enterLocation(r, r.server.plan)
  }

  get connection(): ClientConnection {
    return this.#owner.client
  }

  get out(): BodySink {
    return this.writer
  }

  get bytesSent(): number {
    return this.writer.bytesSent
  }

  get bodyBytesSent(): number {
    return this.writer.bodyBytesSent
  }

  get bodyLength(): number {
    const { body } = this
    if (body === null || !body.finished) return -1
    return body.discarding ? 0 : body.received
  }

  /** The client waits to be asked for the body, and has not been. */
  get unasked(): boolean {
    return this.head.expectContinue && !this.#continued && this.body !== null && this.body.received === 0
  }

  sendHead(r: Request): void {
    this.writer.begin(r)
  }

  receiveBody(_r: Request, sink: BodySink): RequestContent {
    const body = this.body!
    this.#askForBody()
    body.start(sink)
    // An attempt before this one may have seen the whole of an empty body.
    if (body.finished) sink.end(null)
    else this.#owner.bodyWanted()
    return body
  }

  discardBody(): void {
    const { body } = this
    if (body === null || body.finished || body.discarding) return
    this.#askForBody()
    body.discard()
    this.#owner.bodyWanted()
  }

  /** RFC 9110 section 10.1.1 */
  #askForBody(): void {
    if (!this.unasked || this.#owner.hasAhead) return
    this.#continued = true
    this.#owner.transport.send('HTTP/1.1 100 Continue\r\n\r\n', null, 0, 0, '')
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
