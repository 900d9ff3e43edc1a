// What a connection needs of the worker it lives in, and what the worker needs of its connections.

import type { WorkerStats } from '../../shared/stats.ts'
import type { SocketServers } from '../http/servers.ts'
import type { StapleStore } from '../tls/stapling.ts'
import type { Transport } from '../transport/transport.ts'
import type { Client } from './client.ts'
import type { ListenedAt } from './listened-at.ts'

/** A client connection, whatever it speaks. */
export interface HttpConnection {
  /** Milliseconds since the epoch since when it waits for a request and may be closed instead; 0: it does not. */
  readonly idleSince: number
  /** Closes the connection if no request is in flight; those that are in flight will be its last. */
  retire(): void
  /** Closes the connection at once. Requests in flight are logged as far as they have come. */
  shutDown(): void
}

export interface ConnectionHost {
  readonly stats: WorkerStats
  /** Number of the worker. */
  readonly slot: number
  /** OCSP responses for handshakes. */
  readonly staples: StapleStore
  /** Changes with every Cycle: what was looked up under another one is out of date. */
  readonly generation: number
  /** Connections are closed as soon as they are idle. */
  readonly draining: boolean
  /** Servers behind the listening socket `key`; null once no Cycle listens there any more. */
  servers(key: string): SocketServers | null
  /** Said by a connection as it begins, before it reads. */
  opened(connection: HttpConnection): void
  /** Another connection goes on with its client: said before that one opens. */
  handedOver(connection: HttpConnection): void
  /** The connection, which has opened and not been handed over, is gone for good. */
  closed(connection: HttpConnection): void
}

/** What the connection of either protocol begins with. */
export interface ConnectionStart {
  /** Paused; the connection makes itself its owner. */
  transport: Transport
  client: Client
  at: ListenedAt
  host: ConnectionHost
  /** What has come from the client already, to be used up first. */
  early: Buffer | null
}
