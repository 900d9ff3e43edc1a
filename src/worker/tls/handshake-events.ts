// What Node asks while it shakes hands with a client: for the session of an id, whether a new one is to be kept, and for
// an OCSP response to staple. It asks the server that a TLSSocket belongs to; here each handshake has one of its own,
// which never listens, so that it is known who asks.

import { Server } from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { ClientHello } from './client-hello.ts'
import { readSession } from './session-data.ts'
import type { SessionStore } from './session-store.ts'

const TLS13 = 0x0304

/** What a server's handshakes do about sessions and OCSP responses. */
export interface HandshakePolicy {
  /** null: sessions are not kept. */
  readonly sessions: SessionStore | null
  /** Clients that can keep their sessions in tickets do. */
  readonly tickets: boolean
  /** The newest protocol the server speaks, as in records. */
  readonly newest: number
  /** The response to staple for a client that said `hello`; null: there is none. */
  readonly staple: ((hello: ClientHello) => Buffer | null) | null
  /** Whether a session that was just begun may be resumed, as far as the client's certificate is concerned. */
  keeps(socket: TLSSocket, verifyResult: number): boolean
}

/** Calls without which Node does not go on. */
type Done = () => void
type Found = (error: Error | null, session: Buffer | null) => void
type Stapled = (error: Error | null, response: Buffer | null) => void

/** Those of one handshake; keeps nothing open. */
export class HandshakeEvents extends Server {
  /** A private name of Node's: without it clients are told of no response. */
  readonly _sharedCreds: SecureContext
  readonly #policy: HandshakePolicy
  readonly #hello: ClientHello
  #socket: TLSSocket | null = null
  /** Ids of the sessions that were kept. */
  readonly #kept: Buffer[] = []

  /** `wanted`: what Node is to ask for. */
  constructor(
    policy: HandshakePolicy,
    wanted: { readonly keeps: boolean; readonly staples: boolean },
    hello: ClientHello,
    context: SecureContext,
  ) {
    super()
    this._sharedCreds = context
    this.#policy = policy
    this.#hello = hello
    if (wanted.keeps) {
      this.on('newSession', (id: Buffer, data: Buffer, done: Done) => this.#keep(id, data, done))
      this.on('resumeSession', (_id: Buffer, found: Found) => found(null, this.#find()))
    }
    if (wanted.staples) {
      this.on('OCSPRequest', (_own: Buffer, _issuer: Buffer, stapled: Stapled) =>
        stapled(null, policy.staple!(hello)),
      )
    }
  }

  /** The handshake is `socket`'s. */
  belongsTo(socket: TLSSocket): void {
    this.#socket = socket
  }

  /** The sessions of this connection are not to be resumed. */
  forget(id: Buffer): void {
    const { sessions } = this.#policy
    if (sessions === null) return
    for (const kept of this.#kept) sessions.remove(kept)
    if (id.length > 0) sessions.remove(id)
  }

  #keep(id: Buffer, data: Buffer, done: Done): void {
    const { sessions, tickets } = this.#policy
    const { version, verifyResult } = readSession(data)
    // OpenSSL tells of sessions in tickets of TLS 1.3 too.
    const inTicket = tickets && version >= TLS13
    if (!inTicket && this.#socket !== null && this.#policy.keeps(this.#socket, verifyResult)) {
      this.#kept.push(Buffer.from(id))
      sessions!.store(id, data)
    }
    done()
  }

  /** From TLS 1.3 on the id is that of a key from before (RFC 8446 section 4.2.11), of which Node tells nothing. */
  #find(): Buffer | null {
    const { sessions, tickets, newest } = this.#policy
    const { version, sessionId, identities } = this.#hello
    if (version < TLS13 || newest < TLS13) return sessions!.find(sessionId)
    if (tickets) return null
    for (const identity of identities) {
      const session = sessions!.find(identity)
      if (session !== null) return session
    }
    return null
  }
}
