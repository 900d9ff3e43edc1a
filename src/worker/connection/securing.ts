// A client connection on an address with `listen ... ssl`, until its handshake is over: the ClientHello is read here, the
// server that it names is chosen, and the handshake goes on with that one's certificates and settings. What does not
// begin as TLS is a plain request, to be answered as one that came to the wrong port.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Level } from '../../shared/error-log.ts'
import { normalizeHost } from '../http1/host-name.ts'
import { handshakeRequest } from '../modules/ssl/handshake-request.ts'
import { sslConf } from '../modules/ssl/ssl.ts'
import { atTickEnd, now } from '../tick.ts'
import { Timer } from '../timer.ts'
import type { ClientChains } from '../tls/client-chains.ts'
import { beginsTls, type ClientHello, HelloReading } from '../tls/client-hello.ts'
import { CredentialsError } from '../tls/credentials.ts'
import { ALPN_HTTP1, ALPN_HTTP2, Handshake, type HandshakeOwner } from '../tls/handshake.ts'
import type { HandshakeEvents } from '../tls/handshake-events.ts'
import { SocketSession } from '../tls/socket-session.ts'
import { takeSocket } from '../transport/open.ts'
import { openTlsTransport } from '../transport/tls-transport.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import type { Client } from './client.ts'
import type { ConnectionHost, ConnectionStart, HttpConnection } from './host.ts'
import type { ListenedAt } from './listened-at.ts'
import { beginHttp1, beginHttp2 } from './protocols.ts'

const HANDSHAKING = 'SSL handshaking'
const TIMED_OUT = 'client timed out (110: Connection timed out)'
/** Fatal alerts of RFC 8446 section 6.2, as records. */
const UNRECOGNIZED_NAME = '\x15\x03\x03\0\x02\x02\x70'
const INTERNAL_ERROR = '\x15\x03\x03\0\x02\x02\x50'

/**
 * Nothing has come; some of a hello has; OpenSSL is at work; it is done, and the protocol begins at the end of this turn;
 * nothing any more.
 */
type Phase = 'waiting' | 'hello' | 'handshake' | 'secured' | 'over'

/** Ends as the connection of the protocol that ALPN agrees on, or closes. */
export class Securing implements TransportOwner, HttpConnection, HandshakeOwner {
  #transport: Transport
  readonly #client: Client
  readonly #at: ListenedAt
  readonly #host: ConnectionHost
  readonly #timer = new Timer(() => this.#timedOut())
  #phase: Phase = 'waiting'
  #reading: HelloReading | null = null
  #hello: ClientHello | null = null
  #handshake: Handshake | null = null
  /** Of the handshake: who judges the client's certificate, and what has happened. */
  #judges: { chains: ClientChains; events: HandshakeEvents | null } | null = null

  constructor({ transport, client, at, host, early }: ConnectionStart) {
    this.#transport = transport
    this.#client = client
    this.#at = at
    this.#host = host
    transport.owner = this
    host.opened(this)
    host.stats.addWaiting(1)
    // The time is for all that comes before the first request.
    const patience = sslConf(at.servers.defaultServer).sslHandshakeTimeout ?? at.settings.clientHeaderTimeout
    this.#timer.start(patience - (now() - client.opened))
    transport.resume()
    if (early !== null) this.onData(early, 0, early.length)
  }

  get idleSince(): number {
    return this.#phase === 'waiting' ? this.#client.opened : 0
  }

  retire(): void {
    if (this.#phase === 'waiting') this.#close()
  }

  shutDown(): void {
    if (this.#handshake !== null) this.#handshake.destroy()
    else if (this.#phase !== 'over') this.#close()
  }

  // --- before the handshake

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#phase !== 'waiting' && this.#phase !== 'hello') return
    if (this.#phase === 'waiting') {
      if (!beginsTls(bytes[start]!)) return this.#beginPlain(Buffer.from(bytes.subarray(start, end)))
      this.#host.stats.addWaiting(-1)
      this.#phase = 'hello'
    }
    const reading = (this.#reading ??= new HelloReading())
    const read = reading.read(bytes, start, end)
    if (read === null) return
    this.#reading = null
    this.#hello = read.hello
    this.#secure(reading.bytes)
  }

  /** nginx answers 400, by way of 497. */
  #beginPlain(early: Buffer): void {
    this.#client.misplaced = true
    this.#begin(beginHttp1, early)
  }

  /** The hello is there, or it is for OpenSSL to say what is wrong with it. */
  #secure(early: Buffer): void {
    const name = this.#hello?.serverName ?? ''
    if (name !== '') this.#at.choose(normalizeHost(name) ?? '')
    const { servers } = this.#at
    const conf = sslConf(servers.defaultServer)
    if (conf.sslRejectHandshake) {
      this.#log('info', 'handshake rejected')
      return this.#refuse(UNRECOGNIZED_NAME)
    }
    const tls = conf.tls ?? sslConf((servers.origin ?? servers).defaultServer).tls
    // The address was not one for TLS in an earlier Cycle.
    if (tls === null) return this.#refuse(INTERNAL_ERROR)
    try {
      const context = tls.context(() => handshakeRequest(servers.defaultServer, this.#client, this.#hello))
      const { requestCert, chains } = tls
      const events = tls.events(this.#host, this.#hello, context)
      this.#judges = { chains, events }
      const alpn = servers.http2 ? ALPN_HTTP2 : ALPN_HTTP1
      const beneath = takeSocket(this.#transport)
      this.#phase = 'handshake'
      const options = { context, alpn, requestCert, events, bufferSize: conf.sslBufferSize }
      this.#handshake = new Handshake(beneath, early, options, this)
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error
      this.#log('error', error.message)
      this.#log('crit', 'SSL_do_handshake() failed (SSL: error:0A000179:SSL routines::cert cb error)')
      this.#refuse(INTERNAL_ERROR)
    }
  }

  #refuse(alert: string): void {
    this.#transport.send(alert, null, 0, 0, '')
    this.#close()
  }

  onEnd(): void {
    const began = this.#phase === 'hello'
    if (began) this.#log('info', 'peer closed connection in SSL handshake')
    else if (this.#phase === 'waiting') this.#log('info', 'client closed connection')
    this.#close()
  }

  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | null): void {
    if (this.#phase === 'hello' && error !== null) {
      this.#log('info', 'peer closed connection in SSL handshake (104: Connection reset by peer)')
    }
    this.#gone()
  }

  // --- the handshake

  secured(socket: TLSSocket, beneath: Socket): void {
    this.#phase = 'secured'
    this.#handshake = null
    this.#timer.stop()
    const transport = openTlsTransport(socket, beneath, this)
    this.#transport = transport
    const { chains, events } = this.#judges!
    const session = new SocketSession(socket, this.#hello, this.#at, chains, events)
    this.#judges = null
    this.#hello = null
    this.#client.secured(transport, session)
    // OpenSSL is still in the middle of it.
    atTickEnd(() => {
      if (this.#phase === 'secured') this.#begin(session.alpn === 'h2' ? beginHttp2 : beginHttp1, null)
    })
  }

  failed(level: Level, message: string): void {
    this.#log(level, message)
  }

  closed(): void {
    this.#gone()
  }

  // --- what becomes of the connection

  #begin(begin: typeof beginHttp1, early: Buffer | null): void {
    this.#leave()
    this.#timer.dispose()
    this.#transport.pause()
    this.#host.handedOver(this)
    begin({ transport: this.#transport, client: this.#client, at: this.#at, host: this.#host, early })
  }

  #timedOut(): void {
    if (this.#phase === 'over') return
    this.#log('info', TIMED_OUT)
    if (this.#handshake !== null) this.#handshake.destroy()
    else this.#close()
  }

  #log(level: Level, message: string): void {
    this.#client.log(level, message, HANDSHAKING)
  }

  #close(): void {
    this.#leave()
    this.#timer.stop()
    atTickEnd(() => this.#transport.close())
  }

  #gone(): void {
    this.#leave()
    this.#timer.dispose()
    this.#host.closed(this)
  }

  #leave(): void {
    if (this.#phase === 'waiting') this.#host.stats.addWaiting(-1)
    this.#phase = 'over'
    this.#reading = null
  }
}
