// How one `server` speaks TLS: the context its handshakes are made with, which is settled when the configuration is
// built, unless the names of its certificates have variables in them.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import type { ConnectionHost } from '../connection/host.ts'
import { type ClientChains, DepthLimit, NO_CHAINS } from './client-chains.ts'
import type { ClientHello } from './client-hello.ts'
import {
  type Credentials,
  CredentialsError,
  credentialsFailure,
  loadCredentials,
  type ReadFile,
  readNow,
} from './credentials.ts'
import type { CredentialsCache } from './credentials-cache.ts'
import { HandshakeEvents, type HandshakePolicy } from './handshake-events.ts'
import { SessionStore, type SessionStoreSettings } from './session-store.ts'
import type { ServerStaples } from './stapling.ts'
import { takeOlderTickets } from './ticket-keys.ts'
import { type ClientTrust, trustIdentity, trustingContext } from './trust.ts'

/** The names of one certificate and its key, for the connection that is being made. */
export interface CertificateNames {
  readonly cert: string
  readonly key: string
}

/** A pair of `ssl_certificate` and `ssl_certificate_key` with variables in it, for a handshake's fields. */
export type NamesReader<H> = (handshake: H) => CertificateNames

/** What a `server`'s directives come to. */
export interface ServerTlsSettings<H> {
  /** Everything of a context but the certificates. */
  readonly options: SecureContextOptions
  /** All keys of tickets, the one for new ones first. */
  readonly ticketKeys: readonly Buffer[]
  /** Certificates of the configuration; [] where `names` gives them, or there are none. */
  readonly credentials: readonly Credentials[]
  /** Names of certificates that each handshake works out; null: there are none. */
  readonly names: readonly NamesReader<H>[] | null
  readonly passwords: readonly string[]
  /** Relative names start from here; ends with a slash. */
  readonly confPrefix: string
  readonly cache: CredentialsCache | null
  /** Whose certificates clients may have. */
  readonly trust: ClientTrust
  /** null: sessions are not kept. */
  readonly sessions: SessionStoreSettings | null
  /** Clients keep their sessions in tickets. */
  readonly tickets: boolean
  /** The newest protocol it speaks, as in records. */
  readonly newest: number
  /** null: nothing is stapled. */
  readonly staples: ServerStaples | null
}

const TLS13 = 0x0304
/** Contexts for certificates that handshakes have named, kept at a time. */
const MOST_CONTEXTS = 128

/** `H`: what the names of certificates are worked out with, where they have variables in them. */
export class ServerTls<H> {
  /** Certificates of clients are asked for. */
  readonly requestCert: boolean
  readonly chains: ClientChains
  #policy: HandshakePolicy | null = null
  readonly #settings: ServerTlsSettings<H>
  readonly #fixed: SecureContext | null
  /** By the certificates in them, least recently used first. */
  readonly #contexts = new Map<string, SecureContext>()

  /** Throws a CredentialsError where certificates and keys do not go together. */
  constructor(settings: ServerTlsSettings<H>) {
    this.#settings = settings
    const { verify, depth, named, unnamed } = settings.trust
    this.requestCert = verify !== 'off'
    this.chains = this.requestCert ? new DepthLimit(depth, [...named, ...unnamed]) : NO_CHAINS
    this.#fixed = settings.names === null ? makeContext(settings, settings.credentials) : null
  }

  /** The context for one handshake. Throws a CredentialsError. */
  context(handshake: H): SecureContext {
    return this.#fixed ?? this.#contextOf(this.#settings.names!.map((read) => this.#load(read(handshake))))
  }

  /** What is to be done while `context` shakes hands with a client that said `hello`; null: nothing. */
  events(host: ConnectionHost, hello: ClientHello | null, context: SecureContext): HandshakeEvents | null {
    if (hello === null) return null
    const { sessions, staples, tickets, newest } = this.#settings
    // Whoever has a ticket needs nothing that is kept here.
    const byTicket = tickets && (hello.takesTickets || Math.min(hello.version, newest) >= TLS13)
    const keeps = sessions !== null && !byTicket
    const asked = staples !== null && hello.asksStatus
    if (!keeps && !asked) return null
    this.#policy ??= this.#makePolicy(host)
    return new HandshakeEvents(this.#policy, { keeps, staples: asked }, hello, context)
  }

  #makePolicy({ slot, staples: store }: ConnectionHost): HandshakePolicy {
    const { sessions, staples, tickets, newest } = this.#settings
    return {
      sessions: sessions === null ? null : new SessionStore(sessions, slot),
      tickets,
      newest,
      staple: staples === null ? null : (hello) => staples.find(hello, store),
      keeps: (socket, result) => !this.requestCert || this.chains.judge(socket, result) === 0,
    }
  }

  #load({ cert, key }: CertificateNames): Credentials {
    const { cache, passwords } = this.#settings
    const load = (read: ReadFile) =>
      loadCredentials(cert, key, passwords, (path) => read(this.#absolute(path)))
    return cache === null ? load(readNow) : cache.get(this.#absolute(cert), this.#absolute(key), load)
  }

  #absolute(name: string): string {
    return name.startsWith('/') || name.startsWith('data:') ? name : this.#settings.confPrefix + name
  }

  /** The same certificates have the same context, so that sessions go on. */
  #contextOf(credentials: readonly Credentials[]): SecureContext {
    const hash = createHash('sha256')
    for (const { cert, key } of credentials) hash.update(`${cert.length} ${cert}${key.length} ${key}`)
    const id = hash.digest('base64')
    const context = this.#contexts.get(id) ?? makeContext(this.#settings, credentials)
    this.#contexts.delete(id)
    this.#contexts.set(id, context)
    if (this.#contexts.size > MOST_CONTEXTS) this.#contexts.delete(this.#contexts.keys().next().value!)
    return context
  }
}

function makeContext<H>(
  { options, ticketKeys, trust }: ServerTlsSettings<H>,
  credentials: readonly Credentials[],
): SecureContext {
  const make = (list: readonly Credentials[]): SecureContext =>
    trustingContext(
      {
        ...options,
        sessionIdContext: sessionIdContext(list, trust),
        cert: list.map(({ cert }) => cert),
        key: list.map(({ key, passphrase }) =>
          passphrase === undefined ? { pem: key } : { pem: key, passphrase },
        ),
      },
      trust,
    )
  try {
    const context = make(credentials)
    for (const one of credentials) checkPair(one)
    if (ticketKeys.length > 1) takeOlderTickets(context, ticketKeys)
    return context
  } catch (error) {
    if (error instanceof CredentialsError) throw error
    throw blame(credentials, error, (one) => void make([one]))
  }
}

/** OpenSSL takes a key of another type than the certificate's, and has no use for it: every handshake would fail. */
function checkPair({ cert, key, passphrase, keyName }: Credentials): void {
  const certificate = new X509Certificate(cert)
  const own = createPrivateKey({ key, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
  if (certificate.checkPrivateKey(own)) return
  const sameType = certificate.publicKey.asymmetricKeyType === own.asymmetricKeyType
  const reason = sameType
    ? '05800074:x509 certificate routines::key values'
    : '05800073:x509 certificate routines::key type'
  throw new CredentialsError(`SSL_CTX_use_PrivateKey("${keyName}") failed (SSL: error:${reason} mismatch)`)
}

/** Finds the pair that is at fault; where each will do by itself, it is the last one. */
function blame(
  credentials: readonly Credentials[],
  error: unknown,
  attempt: (one: Credentials) => void,
): unknown {
  for (const one of credentials) {
    try {
      attempt(one)
    } catch (failure) {
      return credentialsFailure(one, failure)
    }
  }
  const last = credentials.at(-1)
  return last === undefined ? error : credentialsFailure(last, error)
}

/** Sessions go on where certificates and trust are the same ones only. OpenSSL takes 32 bytes. */
function sessionIdContext(credentials: readonly Credentials[], trust: ClientTrust): string {
  const hash = createHash('sha256').update('HTTP').update(trustIdentity(trust))
  for (const { cert } of credentials) hash.update(`${cert.length} ${cert}`)
  return hash.digest('base64').slice(0, 32)
}
