// What a connection needs of the worker it lives in.

import type { WorkerStats } from '../../shared/stats.ts'
import type { SocketServers } from '../http/servers.ts'
import type { Http1Connection } from './connection.ts'

export interface ConnectionHost {
  readonly stats: WorkerStats
  /** Changes with every Cycle: what was looked up under another one is out of date. */
  readonly generation: number
  /** Connections are closed as soon as they are idle. */
  readonly draining: boolean
  /** Servers behind the listening socket `key`; null once no Cycle listens there any more. */
  servers(key: string): SocketServers | null
  /** The connection is gone for good. */
  closed(connection: Http1Connection): void
}
