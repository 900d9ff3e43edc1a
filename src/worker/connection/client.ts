// A client connection as its requests and the logs see it, apart from the bytes it carries.

import type { Level } from '../../shared/error-log.ts'
import type { ClientConnection } from '../http/request.ts'
import { now } from '../tick.ts'
import type { TlsSession } from '../tls/session.ts'
import type { Transport } from '../transport/transport.ts'
import type { ListenedAt } from './listened-at.ts'
import { NoDelay } from './no-delay.ts'
import type { ProxyProtocol } from './proxy-protocol.ts'

export class Client implements ClientConnection {
  readonly id: number
  readonly opened = now()
  tls: TlsSession | null = null
  proxyProtocol: ProxyProtocol | null = null
  requests = 0
  pipelined = false
  /** It speaks HTTP where it should speak TLS. */
  misplaced = false
  #transport: Transport
  readonly #at: ListenedAt
  readonly #noDelay = new NoDelay()

  constructor(transport: Transport, at: ListenedAt, id: number) {
    this.#transport = transport
    this.#at = at
    this.id = id
  }

  /** The connection goes on inside of TLS. */
  secured(transport: Transport, tls: TlsSession): void {
    this.#transport = transport
    this.tls = tls
  }

  get remoteAddress(): string {
    return this.#at.remoteAddress
  }

  get remotePort(): number {
    return this.#at.remotePort
  }

  get localAddress(): string {
    return this.#at.localAddress
  }

  get localPort(): number {
    return this.#at.localPort
  }

  delaySegments(): void {
    this.#noDelay.turnOff(this.#transport)
  }

  /** The connection is kept where `tcp_nodelay` is on. */
  keptWithoutDelay(): void {
    this.#noDelay.settle(this.#transport)
  }

  /** Logs that it has ended between requests. */
  logEnd(): void {
    if (this.requests === 0) this.log('info', 'client closed connection', 'waiting for request')
    else this.#at.logEndOfKept(this.id)
  }

  /** Logs what happens outside of requests while something else is `doing`. */
  log(level: Level, message: string, doing: string): void {
    this.#at.log(level, message, doing, this.id)
  }
}
