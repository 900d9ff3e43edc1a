// The TlsSession of a connection whose handshake is over. What nobody asks for is never worked out.

import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ListenedAt } from '../connection/listened-at.ts'
import type { ServerPlan } from '../http/plan.ts'
import type { ClientHello } from './client-hello.ts'
import { groupName } from './names/groups.ts'
import type { TlsOffer, TlsSession } from './session.ts'
import { readSession, type SessionData } from './session-data.ts'

const NO_OFFER: TlsOffer = { ciphers: [], groups: [] }

export class SocketSession implements TlsSession {
  readonly serverName: string
  readonly alpn: string
  readonly offer: TlsOffer
  readonly #socket: TLSSocket
  #data: SessionData | null = null
  #certificate: X509Certificate | null | undefined

  readonly #at: ListenedAt

  /** `hello`: what the client began with; null: it was not understood. */
  constructor(socket: TLSSocket, hello: ClientHello | null, at: ListenedAt) {
    this.#socket = socket
    this.#at = at
    this.serverName = hello?.serverName ?? ''
    this.alpn = socket.alpnProtocol || ''
    this.offer = hello === null ? NO_OFFER : { ciphers: hello.ciphers, groups: hello.groups }
  }

  get protocol(): string {
    return this.#socket.getProtocol() ?? ''
  }

  get cipher(): string {
    return this.#socket.getCipher()?.name ?? ''
  }

  get reused(): boolean {
    return this.#socket.isSessionReused()
  }

  get sessionId(): Buffer {
    return this.#session.id
  }

  get curve(): string {
    const { group } = this.#session
    return group === 0 ? '' : groupName(group)
  }

  get clientCertificate(): X509Certificate | null {
    if (this.#certificate === undefined) this.#certificate = this.#socket.getPeerX509Certificate() ?? null
    return this.#certificate
  }

  get verifyResult(): number {
    return this.#session.verifyResult
  }

  get serverHost(): string {
    return this.#at.serverName
  }

  get server(): ServerPlan {
    return this.#at.servers.defaultServer
  }

  forget(): void {}

  get #session(): SessionData {
    this.#data ??= readSession(this.#socket.getSession())
    return this.#data
  }
}
