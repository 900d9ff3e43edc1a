// The TlsSession of a connection whose handshake is over. What logs tell of most connections is kept, as a socket that is
// closed tells nothing any more; everything else is worked out when somebody asks.

import type { TLSSocket } from 'node:tls'
import type { ListenedAt } from '../connection/listened-at.ts'
import type { ServerPlan } from '../http/plan.ts'
import { ClientCertificate } from './client-certificate.ts'
import { type ClientChains, NO_CHAINS } from './client-chains.ts'
import type { ClientHello } from './client-hello.ts'
import type { HandshakeEvents } from './handshake-events.ts'
import { signatureOf } from './names/signatures.ts'
import type { TlsOffer, TlsSession } from './session.ts'
import { readSession, type SessionData } from './session-data.ts'

const NO_OFFER: TlsOffer = { ciphers: [], groups: [], signatures: [] }

export class SocketSession implements TlsSession {
  readonly protocol: string
  readonly cipher: string
  readonly serverName: string
  readonly alpn: string
  readonly reused: boolean
  readonly offer: TlsOffer
  /** Whatever a newer Cycle makes of the name: the client was judged by the server of then. */
  readonly serverHost: string
  readonly #socket: TLSSocket
  readonly #at: ListenedAt
  readonly #chains: ClientChains
  readonly #events: HandshakeEvents | null
  #data: SessionData | null = null
  #certificate: ClientCertificate | null | undefined
  #verifyResult = -1

  /**
   * `hello`: what the client began with; null: it was not understood. `chains` judges its certificate; `events`: what has
   * happened in the handshake, null where nobody looked.
   */
  constructor(
    socket: TLSSocket,
    hello: ClientHello | null,
    at: ListenedAt,
    chains: ClientChains = NO_CHAINS,
    events: HandshakeEvents | null = null,
  ) {
    this.#socket = socket
    this.#at = at
    this.#chains = chains
    this.#events = events
    this.protocol = socket.getProtocol() ?? ''
    this.cipher = socket.getCipher()?.name ?? ''
    this.reused = socket.isSessionReused()
    this.serverName = hello?.serverName ?? ''
    this.serverHost = at.serverName
    this.alpn = socket.alpnProtocol || ''
    this.offer =
      hello === null
        ? NO_OFFER
        : { ciphers: hello.ciphers, groups: hello.groups, signatures: hello.signatures }
  }

  get sessionId(): Buffer {
    return this.#session.id
  }

  get group(): number {
    return this.#session.group
  }

  get signature(): string {
    const certificate = this.reused ? undefined : this.#socket.getX509Certificate()
    return certificate === undefined
      ? ''
      : signatureOf(certificate, this.#socket.getSharedSigalgs(), this.protocol)
  }

  get clientCertificate(): ClientCertificate | null {
    if (this.#certificate === undefined) {
      const certificate = this.#socket.getPeerX509Certificate()
      this.#certificate = certificate === undefined ? null : new ClientCertificate(certificate)
    }
    return this.#certificate
  }

  get verifyResult(): number {
    if (this.#verifyResult < 0) {
      this.#verifyResult = this.#chains.judge(this.#socket, this.#session.verifyResult)
    }
    return this.#verifyResult
  }

  get server(): ServerPlan {
    return this.#at.servers.defaultServer
  }

  forget(): void {
    this.#events?.forget(this.sessionId)
  }

  /** The id is there some moments after the handshake only. */
  get #session(): SessionData {
    if (this.#data === null || this.#data.id.length === 0) this.#data = readSession(this.#socket.getSession())
    return this.#data
  }
}
