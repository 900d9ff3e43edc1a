// How one `server` speaks TLS: the context its handshakes are made with, which is settled when the configuration is
// built, unless the names of its certificates have variables in them.

import { createHash } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import {
  type Credentials,
  credentialsFailure,
  loadCredentials,
  type ReadFile,
  readNow,
} from '../upstream/tls/credentials.ts'
import type { CredentialsCache } from '../upstream/tls/credentials-cache.ts'
import { takeOlderTickets } from './ticket-keys.ts'

/** The names of one certificate and its key, for the connection that is being made. */
export interface CertificateNames {
  readonly cert: string
  readonly key: string
}

/** A pair of `ssl_certificate` and `ssl_certificate_key` with variables in it, for a handshake's fields. */
export type NamesReader<H> = (handshake: H) => CertificateNames

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
  /** Bytes of a record at most. */
  readonly bufferSize: number
  /** Certificates of clients are asked for. */
  readonly requestCert: boolean
}

/** Contexts for certificates that handshakes have named, kept at a time. */
const MOST_CONTEXTS = 128

export class ServerTls<H> {
  readonly bufferSize: number
  readonly requestCert: boolean
  readonly #settings: ServerTlsSettings<H>
  readonly #fixed: SecureContext | null
  /** By the certificates in them, least recently used first. */
  readonly #contexts = new Map<string, SecureContext>()

  /** Throws a CredentialsError where certificates and keys do not go together. */
  constructor(settings: ServerTlsSettings<H>) {
    this.#settings = settings
    this.bufferSize = settings.bufferSize
    this.requestCert = settings.requestCert
    this.#fixed = settings.names === null ? makeContext(settings, settings.credentials) : null
  }

  /** The context for one handshake. Throws a CredentialsError. */
  context(handshake: H): SecureContext {
    return this.#fixed ?? this.#contextOf(this.#settings.names!.map((read) => this.#load(read(handshake))))
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
  { options, ticketKeys }: ServerTlsSettings<H>,
  credentials: readonly Credentials[],
): SecureContext {
  const make = (list: readonly Credentials[]): SecureContext =>
    createSecureContext({
      ...options,
      sessionIdContext: sessionIdContext(list),
      cert: list.map(({ cert }) => cert),
      key: list.map(({ key, passphrase }) =>
        passphrase === undefined ? { pem: key } : { pem: key, passphrase },
      ),
    })
  try {
    const context = make(credentials)
    if (ticketKeys.length > 1) takeOlderTickets(context, ticketKeys)
    return context
  } catch (error) {
    throw blame(credentials, error, (one) => void make([one]))
  }
}

/** Finds the pair that is at fault. */
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
  return error
}

/** Sessions go on where the certificates are the same ones only. OpenSSL takes 32 bytes. */
function sessionIdContext(credentials: readonly Credentials[]): string {
  const hash = createHash('sha256').update('HTTP')
  for (const { cert } of credentials) hash.update(`${cert.length} ${cert}`)
  return hash.digest('base64').slice(0, 32)
}
