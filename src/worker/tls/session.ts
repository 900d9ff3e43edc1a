// What TLS has agreed on with one client: what `$scheme`, `$https` and the `$ssl_*` variables are read from. Made by
// connection/opening.ts when the handshake is over; nothing in it is worked out before somebody asks.

import type { X509Certificate } from 'node:crypto'
import type { ServerPlan } from '../http/plan.ts'

/** The TLS side of a client connection, after its handshake. */
export interface TlsSession {
  /** `TLSv1.3`, `TLSv1.2`... */
  readonly protocol: string
  /** The cipher by OpenSSL's name: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /** What the client asked for by SNI, as it came; '' where it named nobody. */
  readonly serverName: string
  /** The protocol that ALPN agreed on: `h2`, `http/1.1`; '' for none. */
  readonly alpn: string
  /** The session is one that began on an earlier connection. */
  readonly reused: boolean
  /** The session's id; empty where it has none. */
  readonly sessionId: Buffer
  /** The group of the key exchange by OpenSSL's name; '' where there was none, or where it is not known. */
  readonly curve: string
  /** What the client offered. */
  readonly offer: TlsOffer
  /** The client's certificate, or null; read out of the connection when it is asked for. */
  readonly clientCertificate: X509Certificate | null
  /** OpenSSL's X509_V_... of the client's certificate; 0: it is trusted, or there is none. */
  readonly verifyResult: number
  /** The name in SNI that chose a server, normalised; '' where none did. */
  readonly serverHost: string
  /** The server the handshake was with, by the newest Cycle. */
  readonly server: ServerPlan
  /** The session is not to be resumed. */
  forget(): void
}

/** The part of a ClientHello that outlives it: numbers as in IANA's registries, in the client's order, without GREASE. */
export interface TlsOffer {
  readonly ciphers: readonly number[]
  readonly groups: readonly number[]
}
