// One way to speak TLS to backends: settings, certificate and name, all settled. Connections made with the same object
// may stand in for each other, and resume each other's sessions; those made with another one never do, or a request
// could go out with a certificate, or to a name, that it was not meant for.

import type { SecureContext } from 'node:tls'
import type { LogSink } from '../../modules/log/log-file.ts'
import type { Chains } from '../../tls/chains.ts'
import { SessionCache } from './sessions.ts'

/** How a backend's certificate is checked. */
export interface Verification {
  /** Finds the way to one of the roots that are trusted. */
  readonly chains: Chains
  /** Certificates between the backend's and a root, at most. */
  readonly depth: number
}

/** What a TlsClient is made of. */
export interface TlsClientOptions {
  readonly context: SecureContext
  /** What the certificate has to be for, without a port. */
  readonly name: string
  /** What the backend is told by SNI; '' for nothing. */
  readonly serverName: string
  /** null: any certificate will do. */
  readonly verification: Verification | null
  /** Protocols offered by ALPN; [] for none. */
  readonly alpn: readonly string[]
  readonly sessionReuse: boolean
  /** Gets a line for each secret; null: nobody does. */
  readonly keyLog: LogSink | null
}

/** Two of them never share connections or sessions, whatever they are made of. */
export class TlsClient {
  readonly context: SecureContext
  readonly name: string
  readonly serverName: string
  readonly verification: Verification | null
  readonly alpn: readonly string[]
  /** By name of the peer; null: every handshake is a whole one. */
  readonly sessions: SessionCache | null
  readonly keyLog: LogSink | null

  constructor(options: TlsClientOptions) {
    this.context = options.context
    this.name = options.name
    this.serverName = options.serverName
    this.verification = options.verification
    this.alpn = options.alpn
    this.sessions = options.sessionReuse ? new SessionCache() : null
    this.keyLog = options.keyLog
  }
}
