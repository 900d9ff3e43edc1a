// One connection to a peer: opened, used by one request at a time, idle in between.

import { connect as connectSocket, type NetConnectOpts } from 'node:net'
import { utf8 } from '../../shared/latin1.ts'
import { now } from '../tick.ts'
import { Timer } from '../timer.ts'
import { crashed } from '../transport/crash.ts'
import { openTransport } from '../transport/open.ts'
import { openTlsTransport } from '../transport/tls-transport.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import { Http1Wire } from './http1-wire.ts'
import { Http2Wire } from './http2/http2-wire.ts'
import { noPlace } from './keepalive.ts'
import type { LocalAddress } from './local-address.ts'
import type { Peer, PeerGroup } from './peers.ts'
import type { TlsClient } from './tls/client.ts'
import { connectSecurely } from './tls/handshake.ts'
import type { Wire, WireProtocol } from './wire.ts'

/** The request that uses a connection. */
export interface PeerUser {
  /** There is a connection, and the TLS handshake on it begins; only where there is one. */
  onPeerHandshake(): void
  /** It can be used, TLS and all. */
  onPeerConnected(): void
  onPeerData(bytes: Buffer, start: number, end: number): void
  /** The peer will send no more. */
  onPeerEnd(): void
  /** There is room for more of the request. */
  onPeerDrain(): void
  /** So many bytes of it that waited have been sent. */
  onPeerTook(bytes: number): void
  /** The connection failed or is gone; it is not to be used again. */
  onPeerError(error: NodeJS.ErrnoException): void
  /** The time given to `PeerConnection.expectWithin` is over. */
  onPeerTimeout(): void
}

/** How a connection is opened. */
export interface ConnectOptions {
  /** null: the system chooses the address it comes from. */
  local: LocalAddress | null
  /** SO_KEEPALIVE */
  socketKeepalive: boolean
  wire: WireProtocol
  /** null: without TLS. */
  tls: TlsClient | null
  /** Gets the secrets of TLS, a line each; null: nobody does. */
  secret: ((line: string) => void) | null
}

export class PeerConnection implements TransportOwner {
  readonly peer: Peer
  readonly group: PeerGroup
  readonly opened = now()
  /** Name of the local address asked for; '' for none. */
  readonly local: string
  readonly protocol: WireProtocol
  /** How it is encrypted: requests that ask for anything else have no use for it. null: not at all. */
  readonly tls: TlsClient | null
  /** Requests sent so far, the current one included. */
  requests = 0
  readonly idle = noPlace()
  #transport: Transport | null = null
  #wire: Wire | null = null
  #abandon: (() => void) | null = null
  #user: PeerUser | null
  #closed = false
  readonly #timer = new Timer(() => this.#timedOut())

  /** Starts connecting; `user` hears how it went. Counts as one of `worker_connections` until it is closed. */
  constructor(group: PeerGroup, peer: Peer, user: PeerUser, options: ConnectOptions) {
    this.group = group
    this.peer = peer
    this.#user = user
    this.local = options.local?.name ?? ''
    this.protocol = options.wire
    this.tls = options.tls
    group.host.stats.addUpstream(1)
    this.#connect(options)
  }

  /** Valid once connected. */
  get transport(): Transport {
    return this.#transport!
  }

  /** Valid once connected. */
  get wire(): Wire {
    return this.#wire!
  }

  /** A request takes the connection over from its idle state. */
  use(user: PeerUser): void {
    this.#user = user
    this.#timer.stop()
  }

  /** The user is told when it has heard nothing for so long; the next call replaces this one. */
  expectWithin(milliseconds: number): void {
    this.#timer.start(milliseconds)
  }

  expectNothing(): void {
    this.#timer.stop()
  }

  /** Idle from now on, for at most so long. */
  rest(timeout: number): void {
    this.#user = null
    this.#timer.start(timeout)
    this.#transport!.resume()
  }

  /** Gives the transport away for a tunnel; `destroy` closes it all the same. */
  release(): Transport {
    this.#timer.stop()
    this.#transport!.pause()
    return this.#transport!
  }

  /** Closes at once. The user hears no more. */
  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#user = null
    this.#timer.dispose()
    this.group.host.stats.addUpstream(-1)
    if (this.#transport !== null) {
      // close_notify, which a peer takes for the proper end (RFC 8446 section 6.1).
      if (this.tls !== null) this.#transport.end()
      this.#transport.destroy()
    } else this.#abandon?.()
  }

  #connect({ local, socketKeepalive, tls, secret }: ConnectOptions): void {
    const { host, port, path } = this.peer
    const where: NetConnectOpts =
      path !== null
        ? { path: utf8(path) }
        : {
            host: host!,
            port,
            noDelay: true,
            keepAlive: socketKeepalive,
            ...(local === null ? {} : { localAddress: local.ip, localPort: local.port }),
          }
    if (tls !== null) return this.#connectSecurely(where, tls, secret)
    const socket = connectSocket(where)
    const failed = (error: NodeJS.ErrnoException) => this.#failed(error)
    this.#abandon = () => socket.destroy()
    socket.once('error', failed)
    socket.once('connect', () => {
      socket.off('error', failed)
      if (this.#closed) return void socket.destroy()
      this.#opened(openTransport(socket, this))
    })
  }

  #connectSecurely(where: NetConnectOpts, tls: TlsClient, secret: ConnectOptions['secret']): void {
    this.#abandon = connectSecurely(where, this.peer.name, tls, {
      connected: () => this.#user?.onPeerHandshake(),
      secured: (socket, beneath) => this.#opened(openTlsTransport(socket, beneath, this)),
      failed: (error) => this.#failed(error),
      ...(secret === null ? {} : { secret }),
    })
  }

  #opened(transport: Transport): void {
    this.#abandon = null
    this.#transport = transport
    this.#wire = this.protocol === 'HTTP/1' ? new Http1Wire(transport) : new Http2Wire(transport, this)
    transport.resume()
    try {
      this.#user?.onPeerConnected()
    } catch (error) {
      crashed(transport, error)
    }
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#user !== null) this.#user.onPeerData(bytes, start, end)
    else if (!this.#wire!.readIdle(bytes, start, end)) this.#retire()
  }

  onEnd(): void {
    if (this.#user === null) this.#retire()
    else this.#user.onPeerEnd()
  }

  onDrain(): void {
    if (this.#wire!.drained()) this.#user?.onPeerDrain()
  }

  /** The wire has sent so many bytes of the request that waited; `room`: there is room for more. */
  sentOn(bytes: number, room: boolean): void {
    if (bytes > 0) this.#user?.onPeerTook(bytes)
    if (room) this.#user?.onPeerDrain()
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    if (error !== null) this.#failed(error)
    else if (this.#user === null) this.#retire()
    // Neither side closed it: what its bytes were given to has thrown. The request must not wait for more.
    else this.#failed(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
  }

  #failed(error: NodeJS.ErrnoException): void {
    const user = this.#user
    this.#retire()
    user?.onPeerError(error)
  }

  #timedOut(): void {
    if (this.#user === null) this.#retire()
    else this.#user.onPeerTimeout()
  }

  #retire(): void {
    if (this.#closed) return
    this.group.idle.forget(this)
    this.destroy()
  }
}
