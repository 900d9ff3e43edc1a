// A request at its backend: attempt after attempt until one answers. The request's content is sent by
// request-sender.ts, the response is read and passed on by peer-response.ts; which peer is asked, and whether there is
// another one to ask, is for attempts.ts to say.

import { errnoText } from '../../shared/errno.ts'
import { contentLength, isSpent } from '../body/read-body.ts'
import type { ContentSource } from '../http/body.ts'
import { CLIENT_CLOSED_REQUEST, finalize } from '../http/finalize.ts'
import { OK } from '../http/module.ts'
import type { Request } from '../http/request.ts'
import { hasErrorPage } from '../modules/error-page.ts'
import { redirectAsAsked } from './accelerated.ts'
import { Attempts } from './attempts.ts'
import { PeerConnection, type PeerUser } from './connect.ts'
import { explain } from './explanation.ts'
import type { LocalAddress } from './local-address.ts'
import {
  brokenFailure,
  connectFailure,
  EARLY_DATA,
  type Failure,
  failureOutcome,
  failureStatus,
  mayGoOutAgain,
  repeatable,
  statusFailure,
  timeoutFailure,
} from './next.ts'
import { PeerResponse, type ResponseOwner } from './peer-response.ts'
import type { Outcome, Peer, PeerGroup } from './peers.ts'
import type { UpstreamProtocol, UpstreamSettings } from './protocol.ts'
import type { Reason } from './reasons.ts'
import { RequestSender, type SenderOwner } from './request-sender.ts'
import type { TlsClient } from './tls/client.ts'
import type { Tunnel } from './tunnel.ts'
import { openTunnel } from './upgrade.ts'
import type { PeerHead } from './wire.ts'

/**
 * Where the present attempt is: no connection yet; one without TLS on it yet; a kept one that may turn out closed; the
 * request is on its way or its answer awaited; the response is being passed on; bytes both ways; all is over.
 */
type State = 'connecting' | 'handshaking' | 'waiting' | 'asking' | 'answering' | 'tunnel' | 'done'

export class Upstream implements PeerUser, ContentSource, SenderOwner, ResponseOwner {
  readonly r: Request
  readonly #protocol: UpstreamProtocol
  readonly #settings: UpstreamSettings
  readonly #group: PeerGroup
  readonly #attempts: Attempts
  readonly #response: PeerResponse
  #state: State = 'connecting'
  #connection: PeerConnection | null = null
  /** The connection was kept from another request. */
  #reused = false
  #requestHead = ''
  /** Content that is not the client's; null: there is none. */
  #content: Buffer | null = null
  /** The request has content of the client's that goes to the backend. */
  #hasBody = false
  /** The backend is asked for a head only. */
  #headOnly = false
  #local: LocalAddress | null = null
  /** null: connections are not encrypted. */
  #tls: TlsClient | null = null
  /** Of the present attempt: some of the request has been sent. */
  #requestSent = false
  #sender: RequestSender | null = null
  #tunnel: Tunnel | null = null

  /** `r.upstream` is there already. */
  constructor(r: Request, group: PeerGroup, protocol: UpstreamProtocol, settings: UpstreamSettings) {
    this.r = r
    this.#group = group
    this.#protocol = protocol
    this.#settings = settings
    this.#attempts = new Attempts(r, group, settings.next)
    this.#response = new PeerResponse(r, protocol, settings, this)
  }

  /** Begins; ends by finalising the request. */
  start(): void {
    const { r } = this
    const { bind } = this.#settings
    r.source = this
    const method = this.#protocol.method(r)
    if (method === null) return this.#end(500)
    this.#headOnly = method === 'HEAD' || (method.length === 4 && method.toUpperCase() === 'HEAD')
    const content = this.#protocol.ownContent(r)
    if (content !== null) this.#content = Buffer.from(content, 'latin1')
    this.#requestHead = this.#protocol.createRequest(r, method, content)
    if (bind !== null) this.#local = bind.find(r)
    if (r.client.hasBody && this.#protocol.passesBody) {
      if (isSpent(r)) return this.#bodyGone()
      this.#hasBody = contentLength(r) !== 0
    }
    this.#attempts.states.source = this
    this.#next()
  }

  /** An upstream of the location before this one has taken some of the body, which is not kept. */
  #bodyGone(): void {
    this.r.log('error', 'the request body has gone to another upstream, and cannot be sent again')
    this.#endFor('body_gone', 502)
  }

  url(): string {
    return this.#protocol.url(this.r, this.#attempts.peer?.name ?? this.#group.name)
  }

  // --- the connection

  #next(): void {
    this.r.doing = 'connecting to upstream'
    const peer = this.#attempts.next()
    if (peer === null) return this.#endFor('no_live_upstreams', 502)
    if (this.#protocol.secure && (this.#tls ??= this.#protocol.tls(this.r)) === null) {
      this.#attempts.leave()
      return this.#end(500)
    }
    this.#requestSent = false
    const idle = this.#group.idle.take(peer, this.#local?.name ?? '', this.#protocol.wire, this.#tls)
    this.#reused = idle !== null
    if (idle === null) return this.#connect(peer)
    idle.use(this)
    this.#connection = idle
    this.#attempts.current!.connectTime = 0
    const kept = !this.#hasBody || this.r.body?.complete === true
    if (kept && repeatable(this.r, this.#settings.next)) this.#send(idle)
    else this.#sendOnceSure(idle)
  }

  #connect(peer: Peer): void {
    const { host } = this.#group
    const { stats, connectionLimit } = host
    if (stats.connections >= connectionLimit && !host.makeRoom()) {
      this.r.log('alert', `${connectionLimit} worker_connections are not enough`)
      this.#attempts.leave()
      return this.#endFor('too_many_connections', 500)
    }
    this.#state = 'connecting'
    const { socketKeepalive } = this.#settings
    const log = this.#tls?.keyLog ?? null
    this.#connection = new PeerConnection(this.#group, peer, this, {
      local: this.#local,
      socketKeepalive,
      wire: this.#protocol.wire,
      tls: this.#tls,
      secret: log === null ? null : (line) => log.add(line, this.r),
    })
    this.#connection.expectWithin(this.#settings.connectTimeout)
  }

  /**
   * For a request that may go out once only, on a connection that was kept: it waits for whatever the kernel knows of
   * the connection to be known here too (a round of the event loop that begins now). A peer that has closed it by then
   * has seen nothing, and the request goes out on a fresh one.
   */
  #sendOnceSure(connection: PeerConnection): void {
    this.#state = 'waiting'
    setImmediate(() =>
      setImmediate(() => {
        if (this.#connection === connection && this.#state === 'waiting') this.#send(connection)
      }),
    )
  }

  #send(connection: PeerConnection): void {
    const { r } = this
    this.#state = 'asking'
    connection.requests++
    const chunked = this.#hasBody && this.#protocol.chunkedRequest(r)
    this.#response.begin(connection, this.#headOnly, chunked)
    if (!this.#hasBody) {
      this.#requestSent = true
      r.doing = 'reading response header from upstream'
      const length = this.#content?.length ?? 0
      this.#attempts.current!.bytesSent = connection.wire.send(
        this.#requestHead,
        this.#content,
        0,
        length,
        true,
      )
      return connection.expectWithin(this.#settings.readTimeout)
    }
    r.doing = 'sending request to upstream'
    this.#sender = new RequestSender(connection.wire, this.#requestHead, this)
    connection.expectNothing()
    this.#sender.start(r)
  }

  onPeerHandshake(): void {
    this.#state = 'handshaking'
    this.r.doing = 'SSL handshaking to upstream'
  }

  onPeerConnected(): void {
    this.#attempts.connected()
    this.#send(this.#connection!)
  }

  onPeerData(bytes: Buffer, start: number, end: number): void {
    this.#attempts.current!.bytesReceived += end - start
    // Nobody waits for an answer to a request that has not been sent.
    if (!this.#reused || this.#requestSent) this.#response.read(bytes, start, end)
    else if (!this.#connection!.wire.readIdle(bytes, start, end)) this.#fail(EARLY_DATA)
  }

  onPeerDrain(): void {
    if (this.#state === 'asking' && this.#sender?.complete === false) this.#connection!.expectNothing()
    this.#sender?.resume()
  }

  onPeerTook(bytes: number): void {
    this.#attempts.current!.bytesSent += bytes
    if (this.#state === 'asking') this.#connection!.expectWithin(this.#settings.sendTimeout)
  }

  onPeerEnd(): void {
    this.#response.end()
  }

  onPeerError(error: NodeJS.ErrnoException): void {
    if (error.syscall === 'bind') return this.#bindFailed(error)
    const connecting = this.#state === 'connecting' || this.#state === 'handshaking'
    this.#fail(connecting ? connectFailure(error, this.#attempts.peer!) : brokenFailure(error))
  }

  /** No other peer will do better: the local address cannot be had. */
  #bindFailed(error: NodeJS.ErrnoException): void {
    this.r.log('crit', `bind(${this.#local?.name}) failed (${errnoText(error)})`)
    const connection = this.#connection!
    this.#finishAttempt('ok')
    connection.destroy()
    this.#endFor('bind_failed', 500)
  }

  onPeerTimeout(): void {
    if (this.#state === 'connecting') return this.#fail(timeoutFailure('connect_timeout'))
    if (this.#state === 'handshaking') return this.#fail(timeoutFailure('tls_timeout'))
    const sending = this.#state === 'asking' && this.#sender?.complete === false
    this.#fail(timeoutFailure(sending ? 'send_timeout' : 'read_timeout'))
  }

  // --- the request's content

  /** A part of the request has been sent; `complete`: the last. */
  requestSent(bytes: number, complete: boolean): void {
    this.#requestSent = true
    this.#attempts.current!.bytesSent += bytes
    if (this.#state !== 'asking') return
    const connection = this.#connection!
    if (complete) {
      this.r.doing = 'reading response header from upstream'
      connection.expectWithin(this.#settings.readTimeout)
    } else if (connection.wire.blocked) {
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

  /** The request's content, which is in a file, cannot be read: no other backend gets it either. */
  contentFailed(message: string): void {
    const connection = this.#connection!
    this.r.log('crit', message)
    this.#finishAttempt('ok')
    connection.destroy()
    this.#end(500)
  }

  // --- the response

  headSeen(head: PeerHead): boolean {
    this.#attempts.headSeen(head)
    if (head.status >= 403 && this.#passedOver(head.status)) return false
    if (head.status >= 300 && this.#settings.interceptErrors && hasErrorPage(this.r, head.status)) {
      this.#intercept(head)
      return false
    }
    this.#state = 'answering'
    return true
  }

  /** Another peer may do better, as `proxy_next_upstream` has it. */
  #passedOver(status: number): boolean {
    const failure = statusFailure(status, this.#settings.next.conditions)
    if (failure === null || !this.#attempts.left(false) || !this.#mayFollow(failure)) return false
    this.#fail(failure)
    return true
  }

  /** `error_page` answers in place of the backend. */
  #intercept({ status, fields }: PeerHead): void {
    const { response, upstream } = this.r
    if (this.#protocol.kept.fields) upstream!.fields = fields.copy()
    // The challenges are the client's to answer.
    for (let index = 0; status === 401 && index < fields.count; index++) {
      if (fields.is(index, 'www-authenticate')) response.add(fields.name(index), fields.value(index))
    }
    this.#leave()
    this.#end(status)
  }

  redirected(target: string): void {
    this.#leave()
    redirectAsAsked(this.r, target)
  }

  /** Nothing of the content that follows is for anybody. */
  #leave(): void {
    const connection = this.#connection!
    this.#state = 'asking'
    this.#finishAttempt('ok')
    this.#retireSender()
    connection.destroy()
    this.#connection = null
  }

  /** From here on only bytes pass. */
  upgraded(fromPeer: Buffer | null): void {
    const connection = this.#connection!
    this.#state = 'tunnel'
    // Counted with the head they came behind.
    const counted = fromPeer?.length ?? 0
    this.#tunnel = openTunnel(this.r, connection, this.#settings, fromPeer, ({ peerBytes, clientBytes }) => {
      const attempt = this.#attempts.current!
      attempt.bytesReceived += peerBytes - counted
      attempt.bytesSent += clientBytes
      this.#finishAttempt('ok')
      connection.destroy()
      finalize(this.r, OK)
    })
  }

  /** The client has room again. */
  resume(): void {
    this.#response.resume()
  }

  responseComplete(spoiled: boolean): void {
    const connection = this.#connection!
    const requestComplete = this.#sender === null || this.#sender.complete
    this.#sender?.stop()
    this.#finishAttempt('ok')
    if (spoiled || !connection.wire.reusable || !requestComplete) connection.destroy()
    else this.#group.idle.offer(connection)
    this.r.doing = 'sending to client'
    finalize(this.r, OK)
  }

  responseFailed(failure: Failure): void {
    this.#fail(failure)
  }

  responseRefused(): void {
    this.stop()
  }

  // --- ends

  #fail(failure: Failure): void {
    const { r } = this
    const connection = this.#connection!
    const stale = this.#isStale(connection, failure)
    if (stale && mayGoOutAgain(r, this.#progress(failure), this.#settings.next)) {
      return this.#goOutAgain(connection)
    }
    const again = this.#mayFollow(failure)
    const answering = this.#state === 'answering'
    const status = failureStatus(failure)
    this.#attempts.failed(failure, answering ? 0 : status)
    // As in nginx, where a timeout is told after what it does to the peer.
    const last = failure.kind === 'timeout' && !answering
    if (failure.message !== '' && !last) r.log(failure.level ?? 'error', failure.message)
    // What is wrong with a connection that was kept says nothing against the peer, nor, as in nginx, does a response
    // that breaks off.
    this.#finishAttempt(stale || answering ? 'next' : failureOutcome(failure))
    if (last) r.log('error', failure.message)
    connection.destroy()
    if (!again || !this.#attempts.left(true)) return this.#endFor(failure.reason, status)
    this.#retireSender()
    this.#next()
  }

  /** The peer closed a connection while nobody used it, or while the request was on its way. */
  #isStale({ wire }: PeerConnection, { kind }: Failure): boolean {
    const unanswered = this.#state === 'waiting' || this.#state === 'asking'
    return this.#reused && unanswered && kind === 'error' && !wire.begun
  }

  /** To the same peer: nothing is wrong with it. */
  #goOutAgain(connection: PeerConnection): void {
    connection.destroy()
    this.#retireSender()
    this.#response.release()
    this.#attempts.again()
    this.#reused = false
    this.#requestSent = false
    this.r.doing = 'connecting to upstream'
    this.#connect(connection.peer)
  }

  #progress({ unseen }: Failure): { requestSent: boolean; bodySpent: boolean } {
    return { requestSent: this.#requestSent && unseen !== true, bodySpent: this.#sender?.spent ?? false }
  }

  #mayFollow(failure: Failure): boolean {
    return this.#attempts.mayFollow(failure, this.#progress(failure))
  }

  #retireSender(): void {
    this.#sender?.retire()
    this.#sender = null
  }

  #finishAttempt(outcome: Outcome): void {
    const connection = this.#connection!
    // As in nginx, content that is not for the client does not count, nor is what passes a tunnel content.
    const content = this.#state === 'answering' && !this.r.response.headerOnly
    this.#attempts.finish(connection, outcome, content)
    this.#response.release()
    if (outcome === 'ok') this.#state = 'done'
    else this.#connection = null
  }

  /** Ends the request with a response of weir's own, which the log explains. */
  #endFor(reason: Reason, status: number): void {
    this.#attempts.states.reason = reason
    this.#retireSender()
    if (!this.r.headSent && status >= 500) explain(this.r, reason)
    this.#end(status)
  }

  #end(status: number): void {
    this.#state = 'done'
    this.r.doing = 'sending to client'
    this.#connection = null
    if (this.r.headSent) {
      if (this.#response.breakOff(status)) return
      this.r.out.abort()
    }
    finalize(this.r, status)
  }

  get outlivesClient(): boolean {
    return this.#settings.ignoreClientAbort && this.#state !== 'done' && this.#state !== 'tunnel'
  }

  clientGone(): void {
    const { r } = this
    if (this.#state === 'done') {
      // The backend is done, the client is not.
      r.log('info', 'client prematurely closed connection')
      return finalize(r, CLIENT_CLOSED_REQUEST)
    }
    if (this.outlivesClient) {
      r.keepalive = false
      return
    }
    r.log('info', 'client prematurely closed connection, so upstream connection is closed too')
    this.stop()
    finalize(r, CLIENT_CLOSED_REQUEST)
  }

  stop(): void {
    if (this.#state === 'done') return
    if (this.#tunnel !== null) return this.#tunnel.end({ kind: 'stopped' })
    this.#sender?.stop()
    const connection = this.#connection
    if (connection !== null) {
      this.#finishAttempt('ok')
      connection.destroy()
    }
    this.#state = 'done'
  }
}
