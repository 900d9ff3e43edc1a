// The servers behind a `proxy_pass`: an upstream{} block, or the addresses of a host named directly. What is
// configured stands here; live state that workers share is in the group's zone (layout at the end of this file).

import type { WorkerStats } from '../../shared/stats.ts'
import type { Balancer } from './balance/balancer.ts'
import { IdleConnections } from './keepalive.ts'

/** One address requests can go to. */
export interface Peer {
  /** As in logs and `$upstream_addr`: `127.0.0.1:3000`, `unix:/run/app.sock`. */
  readonly name: string
  /** null for a unix socket. */
  readonly host: string | null
  readonly port: number
  readonly path: string | null
  /** Default 1. */
  readonly weight: number
}

/** `keepalive*` of an upstream. */
export interface KeepaliveSettings {
  /** Idle connections kept by each worker; 0: none. Default 32. */
  connections: number
  /** Requests through one connection; default 1000. */
  requests: number
  /** Age from which a connection is not kept any more, milliseconds; default 1 hour. */
  time: number
  /** Milliseconds an idle connection is kept; default 60 seconds. */
  timeout: number
}

export const DEFAULT_KEEPALIVE: KeepaliveSettings = {
  connections: 32,
  requests: 1000,
  time: 3_600_000,
  timeout: 60_000,
}

/** What upstream connections need of the worker they live in. */
export interface UpstreamHost {
  readonly stats: WorkerStats
  /** `worker_connections`. */
  readonly connectionLimit: number
  /** Closes a connection nobody uses, at the limit; false: all are in use. */
  makeRoom(): boolean
}

export class PeerGroup {
  /** The upstream's name, or host and port as written. */
  readonly name: string
  readonly peers: readonly Peer[]
  readonly balancer: Balancer
  readonly keepalive: KeepaliveSettings
  readonly idle: IdleConnections
  #host: UpstreamHost | null = null

  /** `idle`: connections kept together with those of other groups; default: for this group alone. */
  constructor(
    name: string,
    peers: readonly Peer[],
    balancer: Balancer,
    keepalive: KeepaliveSettings,
    idle = new IdleConnections(keepalive),
  ) {
    this.name = name
    this.peers = peers
    this.balancer = balancer
    this.keepalive = keepalive
    this.idle = idle
  }

  /** Called once before the first request. */
  bind(host: UpstreamHost): void {
    this.#host = host
  }

  get host(): UpstreamHost {
    return this.#host!
  }
}

// Zone `upstream NAME`, 64 bytes:
//   int32 0: requests balanced so far, modulo 2^32; every worker adds with Atomics.
//   the rest is free.

/** Bytes of a group's zone. */
export const GROUP_ZONE_BYTES = 64
