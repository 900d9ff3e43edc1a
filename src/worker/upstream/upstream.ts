// A request at its backend: attempt after attempt until one answers, then the response on its way to the client. The
// relay of bodies in both directions, with backpressure, is here and nowhere else.

import { errnoText } from '../../shared/errno.ts'
import type { ContentSource } from '../http/body.ts'
import type { Fields } from '../http/fields.ts'
import { CLIENT_CLOSED_REQUEST, finalize, sendHead } from '../http/finalize.ts'
import { OK } from '../http/module.ts'
import type { Request } from '../http/request.ts'
import type { BodyEvents } from '../http1/body-decoder.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { Attempts } from './attempts.ts'
import { PeerConnection, type PeerUser } from './connect.ts'
import { REFUSED, UNFINISHED } from './head-reader.ts'
import type { LocalAddress } from './local-address.ts'
import { connectFailure, type Failure, failureOutcome, failureStatus, statusFailure } from './next.ts'
import type { Outcome, Peer, PeerGroup } from './peers.ts'
import type { UpstreamProtocol, UpstreamSettings } from './protocol.ts'
import { RequestSender } from './request-sender.ts'
import { openTunnel } from './upgrade.ts'

type State = 'connecting' | 'header' | 'body' | 'tunnel' | 'done'

/** Interim responses before the final one; more is a backend gone wrong. */
const MAX_INTERIM = 32

export class Upstream implements PeerUser, ContentSource, BodyEvents {
  readonly r: Request
  readonly #protocol: UpstreamProtocol
  readonly #settings: UpstreamSettings
  readonly #group: PeerGroup
  readonly #attempts: Attempts
  #state: State = 'connecting'
  #connection: PeerConnection | null = null
  #reused = false
  #requestHead = ''
  /** The request has content of the client's that goes to the backend. */
  #hasBody = false
  /** The backend is asked for a head only. */
  #headOnly = false
  #local: LocalAddress | null = null
  #requestSent = false
  #sender: RequestSender | null = null
  #interim = 0
  #paused = false

  /** `r.upstream` is there already. */
  constructor(r: Request, group: PeerGroup, protocol: UpstreamProtocol, settings: UpstreamSettings) {
    this.r = r
    this.#group = group
    this.#protocol = protocol
    this.#settings = settings
    this.#attempts = new Attempts(r, group, settings.next)
  }

  /** Begins; ends by finalising the request. */
  start(): void {
    const { r } = this
    const { bind } = this.#settings
    r.source = this
    const method = this.#protocol.method(r)
    if (method === null) return this.#end(500)
    this.#headOnly = method === 'HEAD' || (method.length === 4 && method.toUpperCase() === 'HEAD')
    this.#requestHead = this.#protocol.createRequest(r, method)
    if (bind !== null) this.#local = bind.find(r)
    if (r.client.hasBody) {
      this.#hasBody = this.#protocol.passesBody
      if (!this.#hasBody && !r.stream.discardBody(r)) return this.#end(400)
      if (this.#hasBody && r.stream.bodyTaken) return this.#bodyGone()
    }
    this.#attempts.states.source = this
    this.#next()
  }

  /** An upstream of the location before this one has taken some of the body, which is not kept. */
  #bodyGone(): void {
    this.r.log('error', 'the request body has gone to another upstream, and cannot be sent again')
    this.#end(502)
  }

  url(): string {
    return this.#protocol.url(this.r, this.#attempts.peer?.name ?? this.#group.name)
  }

  #next(): void {
    this.r.doing = 'connecting to upstream'
    const peer = this.#attempts.next()
    if (peer === null) return this.#end(502)
    this.#requestSent = false
    const idle = this.#group.idle.take(peer, this.#local?.name ?? '')
    this.#reused = idle !== null
    if (idle !== null) {
      idle.use(this)
      this.#connection = idle
      this.#attempts.current!.connectTime = 0
      return this.#send(idle)
    }
    this.#connect(peer)
  }

  #connect(peer: Peer): void {
    const { host } = this.#group
    const { stats, connectionLimit } = host
    if (stats.connections >= connectionLimit && !host.makeRoom()) {
      this.r.log('alert', `${connectionLimit} worker_connections are not enough`)
      return this.#end(500)
    }
    this.#state = 'connecting'
    const { socketKeepalive } = this.#settings
    this.#connection = new PeerConnection(this.#group, peer, this, { local: this.#local, socketKeepalive })
    this.#connection.expectWithin(this.#settings.connectTimeout)
  }

  #send(connection: PeerConnection): void {
    const { r } = this
    this.#state = 'header'
    connection.requests++
    connection.reader.reset()
    if (!this.#hasBody) {
      this.#requestSent = true
      r.doing = 'reading response header from upstream'
      this.#attempts.current!.bytesSent = this.#requestHead.length
      connection.transport.send(this.#requestHead, null, 0, 0, '')
      return connection.expectWithin(this.#settings.readTimeout)
    }
    r.doing = 'sending request to upstream'
    const sender = new RequestSender(
      connection.transport,
      this.#requestHead,
      this.#protocol.chunkedRequest(r),
      this,
    )
    this.#sender = sender
    connection.expectNothing()
    sender.source = r.stream.receiveBody(r, sender)
  }

  // --- the request body

  /** A part of the request has been sent; `complete`: the last. */
  requestSent(bytes: number, complete: boolean): void {
    this.#requestSent = true
    this.#attempts.current!.bytesSent += bytes
    if (this.#state !== 'header') return
    const connection = this.#connection!
    if (complete) {
      this.r.doing = 'reading response header from upstream'
      connection.expectWithin(this.#settings.readTimeout)
    } else if (connection.transport.backlogged) {
      connection.expectWithin(this.#settings.sendTimeout)
    } else {
      // The client's turn: what it takes is not the backend's fault.
      connection.expectNothing()
    }
  }

  /** The client has not sent what it announced: the backend must not take it for the whole. */
  requestAborted(): void {
    this.stop()
  }

  // --- the connection

  onPeerConnected(): void {
    this.#attempts.connected()
    this.#send(this.#connection!)
  }

  onPeerData(bytes: Buffer, start: number, end: number): void {
    this.#attempts.current!.bytesReceived += end - start
    // Whatever it answers, it is not this request: that waits for its body.
    if (this.#reused && !this.#requestSent) {
      return this.#fail({ kind: 'error', message: 'upstream sent data before the request' })
    }
    let at = start
    if (this.#state === 'header') {
      at = this.#readHead(bytes, start, end)
      if (at < 0) return
    }
    if (this.#state === 'body') this.#readBody(bytes, at, end)
    else if (this.#state === 'header') this.#connection!.expectWithin(this.#settings.readTimeout)
  }

  /** Position of the first byte of content; -1 where there is nothing more to do with these bytes. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const reader = this.#connection!.reader
    const at = reader.read(bytes, start, end)
    if (at === UNFINISHED) return end
    if (at === REFUSED) {
      this.#fail({ kind: 'invalid_header', message: reader.refusal })
      return -1
    }
    const { head } = reader
    if (head.status >= 200) return this.#headComplete(head, at < end) ? at : -1
    if (head.status === 101 && this.#mayUpgrade()) {
      this.#switchProtocols(head, at < end ? Buffer.from(bytes.subarray(at, end)) : null)
      return -1
    }
    if (!this.#interimHead(head)) return -1
    return at < end ? this.#readHead(bytes, at, end) : at
  }

  /** The client asked for it, and what it sends from here on is no more of its request (RFC 9110 section 7.8). */
  #mayUpgrade(): boolean {
    const { r } = this
    if (r.parent !== null) return false
    return r.fields.get('upgrade') !== null && (!r.client.hasBody || r.stream.bodyLength >= 0)
  }

  /** 1xx: not the answer yet (RFC 9110 section 15.2). */
  #interimHead(head: ResponseHead): boolean {
    if (head.status === 101 || ++this.#interim > MAX_INTERIM) {
      const what = head.status === 101 ? 'unexpected 101 response' : 'too many interim responses'
      this.#fail({ kind: 'invalid_header', message: `upstream sent ${what}` })
      return false
    }
    head.reset()
    return true
  }

  /** What variables and the response are told by a final head. */
  #headSeen(head: ResponseHead): void {
    if (this.#protocol.kept.fields) this.#attempts.states.fields = head.fields.copy()
    this.#protocol.processHead(this.r, head)
  }

  /** `followed`: there are bytes behind the head. */
  #headComplete(head: ResponseHead, followed: boolean): boolean {
    const { r } = this
    this.#attempts.headSeen(head)
    if (head.status >= 403 && this.#passedOver(head.status)) return false
    this.#state = 'body'
    const body = this.#connection!.body
    if (this.#headOnly || head.status === 204 || head.status === 304) body.startLength(0)
    else if (head.chunked) body.startChunked()
    else if (head.contentLength >= 0) body.startLength(head.contentLength)
    else body.startUntilClose()
    this.#headSeen(head)
    if (this.#headOnly && r.client.method !== 'HEAD') r.response.contentLength = 0
    sendHead(r)
    r.doing = 'reading upstream'
    if (!body.done) {
      if (r.client.method !== 'HEAD') return true
      // The client wants none of what follows.
      r.out.end(null)
      this.#complete(true)
      return false
    }
    if (followed && !r.client.isHead) this.#warnOfSurplus()
    r.out.end(null)
    this.#complete(followed)
    return false
  }

  /** Another peer may do better, as `proxy_next_upstream` has it. */
  #passedOver(status: number): boolean {
    const failure = statusFailure(status, this.#settings.next.conditions)
    if (failure === null || !this.#attempts.left(false) || !this.#mayFollow(failure)) return false
    this.#fail(failure)
    return true
  }

  /** The backend accepts the upgrade that the client asked for: from here on only bytes pass. */
  #switchProtocols(head: ResponseHead, fromPeer: Buffer | null): void {
    const connection = this.#connection!
    this.#state = 'tunnel'
    this.#attempts.headSeen(head)
    this.#headSeen(head)
    openTunnel(this.r, connection, this.#settings, fromPeer, ({ peerBytes, clientBytes }) => {
      const attempt = this.#attempts.current!
      attempt.bytesReceived += peerBytes
      attempt.bytesSent += clientBytes
      this.#finishAttempt('ok')
      connection.destroy()
      finalize(this.r, OK)
    })
  }

  #readBody(bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection!
    const body = connection.body
    const stop = body.decode(bytes, start, end, this)
    if (this.#state !== 'body') return
    if (stop < 0) return this.#fail({ kind: 'error', message: 'upstream sent invalid chunked response' })
    if (body.done) {
      if (stop < end) this.#warnOfSurplus()
      return this.#complete(stop < end)
    }
    // A subrequest was about the head: as in nginx, nobody waits for the rest.
    if (this.r.parent !== null) return this.#complete(true)
    // Whatever came is passed on now; more may be a long time coming.
    this.r.out.flush()
    if (!this.#paused) connection.expectWithin(this.#settings.readTimeout)
  }

  #warnOfSurplus(): void {
    const chunked = this.#connection!.body.chunked
    const message = chunked
      ? 'upstream sent data after final chunk'
      : 'upstream sent more data than specified in "Content-Length" header'
    this.r.log('warn', message)
  }

  content(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.r.out.write(bytes, start, end, last) || last || this.#paused) return
    this.#paused = true
    this.#connection!.transport.pause()
    this.#connection!.expectNothing()
  }

  complete(trailers: Fields | null): void {
    if (this.#protocol.kept.trailers) this.#attempts.states.trailers = trailers
    this.r.out.end(trailers)
  }

  /** The client has room again. */
  resume(): void {
    if (!this.#paused || this.#state !== 'body') return
    this.#paused = false
    this.#connection!.transport.resume()
    this.#connection!.expectWithin(this.#settings.readTimeout)
  }

  onPeerDrain(): void {
    if (this.#state === 'header' && this.#sender?.complete === false) this.#connection!.expectNothing()
    this.#sender?.resume()
  }

  onPeerEnd(): void {
    if (this.#state === 'body' && this.#connection!.body.untilClose) {
      this.r.out.end(null)
      return this.#complete(true)
    }
    this.#fail({ kind: 'error', message: 'upstream prematurely closed connection' })
  }

  onPeerError(error: NodeJS.ErrnoException): void {
    if (error.syscall === 'bind') return this.#bindFailed(error)
    if (this.#state === 'connecting') return this.#fail(connectFailure(error, this.#attempts.peer!))
    const call = error.code === 'EPIPE' ? 'send' : 'recv'
    this.#fail({ kind: 'error', message: `${call}() failed (${errnoText(error)})` })
  }

  /** No other peer will do better: the local address cannot be had. */
  #bindFailed(error: NodeJS.ErrnoException): void {
    this.r.log('crit', `bind(${this.#local?.name}) failed (${errnoText(error)})`)
    const connection = this.#connection!
    this.#finishAttempt('ok')
    connection.destroy()
    this.#end(500)
  }

  onPeerTimeout(): void {
    this.#fail({ kind: 'timeout', message: 'upstream timed out (110: Connection timed out)' })
  }

  // --- ends

  /** The response is complete; `spoiled`: the connection cannot be used again. */
  #complete(spoiled: boolean): void {
    const connection = this.#connection!
    const requestComplete = this.#sender === null || this.#sender.complete
    this.#finishAttempt('ok')
    if (spoiled || !connection.reader.head.keepAlive || !requestComplete) connection.destroy()
    else this.#group.idle.offer(connection)
    this.r.doing = 'sending to client'
    finalize(this.r, OK)
  }

  #fail(failure: Failure): void {
    const { r } = this
    const connection = this.#connection!
    const stale =
      this.#reused && !connection.reader.begun && this.#state === 'header' && failure.kind === 'error'
    const again = this.#mayFollow(failure)
    if (stale && again) {
      // The peer closed an idle connection while the request was on its way: nothing is wrong with the peer.
      connection.destroy()
      this.#retireSender()
      return this.#retryFresh(connection.peer)
    }
    if (failure.message !== '') r.log(failure.level ?? 'error', failure.message)
    const status = failureStatus(failure)
    if (this.#state !== 'body') this.#attempts.current!.status = status
    this.#finishAttempt(failureOutcome(failure))
    connection.destroy()
    if (!again || !this.#attempts.left(true)) return this.#end(status)
    this.#retireSender()
    this.#next()
  }

  #mayFollow(failure: Failure): boolean {
    return this.#attempts.mayFollow(failure, {
      requestSent: this.#requestSent,
      bodySent: this.#sender?.started ?? false,
    })
  }

  #retireSender(): void {
    this.#sender?.retire()
    this.#sender = null
  }

  #retryFresh(peer: Peer): void {
    this.#attempts.again()
    this.#reused = false
    this.#requestSent = false
    this.r.doing = 'connecting to upstream'
    this.#connect(peer)
  }

  #finishAttempt(outcome: Outcome): void {
    this.#attempts.finish(this.#connection!, outcome)
    if (outcome === 'ok') this.#state = 'done'
    else this.#connection = null
  }

  #end(status: number): void {
    this.#state = 'done'
    this.r.doing = 'sending to client'
    this.#connection = null
    if (this.r.headSent) this.r.out.abort()
    finalize(this.r, status)
  }

  clientGone(): void {
    const { r } = this
    if (this.#state === 'done') return
    r.log('info', 'client prematurely closed connection, so upstream connection is closed too')
    this.stop()
    finalize(r, CLIENT_CLOSED_REQUEST)
  }

  stop(): void {
    if (this.#state === 'done') return
    const connection = this.#connection
    if (connection !== null) {
      this.#finishAttempt('ok')
      connection.destroy()
    }
    this.#state = 'done'
  }
}
