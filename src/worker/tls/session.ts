// What TLS has agreed on with one client: what `$scheme`, `$https` and the `$ssl_*` variables are read from. Made by
// connection/opening.ts when the handshake is over; nothing in it is worked out before somebody asks.

import type { ServerPlan } from '../http/plan.ts'
import type { ClientCertificate } from './client-certificate.ts'

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
  /** Number of the group of the key exchange; 0: there was none. */
  readonly group: number
  /** What the server has signed its part of the handshake with, by OpenSSL's name; '' where it signed nothing. */
  readonly signature: string
  /** What the client offered. */
  readonly offer: TlsOffer
  /** The client's certificate, or null; read out of the connection when it is asked for. */
  readonly clientCertificate: ClientCertificate | null
  /** OpenSSL's X509_V_... of the client's certificate; 0: it is trusted, or there is none. */
  readonly verifyResult: number
  /** The name in SNI that chose a server, normalised; '' where none did. */
  readonly serverHost: string
  /** The server the handshake was with, by the newest Cycle. */
  readonly server: ServerPlan
  /** The session is not to be resumed. */
  forget(): void
}

/** The part of a ClientHello that outlives it: numbers as in IANA's registries, in the client's order. */
export interface TlsOffer {
  readonly ciphers: readonly number[]
  readonly groups: readonly number[]
  /** Algorithms that it takes signatures of. */
  readonly signatures: readonly number[]
}
