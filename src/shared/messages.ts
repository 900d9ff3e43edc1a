// Every message between the master and its worker threads, and what a worker is started with.

import type { Socket } from 'node:net'
import type { BuildOptions } from './conf/build.ts'
import type { Directive } from './conf/directive.ts'

/** One address weir listens on, from the `listen` directives that name it. */
export interface ListenAddress {
  /** nginx's text form, also the identity of the socket: `0.0.0.0:80`, `[::]:80`, `unix:/run/a.sock`. */
  key: string
  /** IP address to bind; null for a unix socket. */
  host: string | null
  /** 0 for a unix socket. */
  port: number
  /** Path of a unix socket, else null. */
  path: string | null
  /** Length of the queue of unaccepted connections; default 511. */
  backlog: number
  /** IPv6 sockets only: refuse IPv4-mapped peers; default true. */
  ipv6only: boolean
  /** Each worker binds its own socket. */
  reuseport: boolean
  /** TCP keepalive of accepted sockets: null leaves the system's setting; delay in milliseconds, 0 for the system's. */
  soKeepalive: { on: boolean; idle: number; interval: number; count: number } | null
}

/** What a worker needs to build a Cycle of its own. */
export interface CyclePlan {
  generation: number
  tree: Directive[]
  options: BuildOptions
  /** Descriptor of each open log file by absolute path. Descriptors are the process's: valid in every thread. */
  logFiles: Record<string, number>
  /** Named shared memory by zone name; see zone.ts. */
  zones: Record<string, SharedArrayBuffer>
}

/** `workerData` of a worker thread. */
export interface WorkerBoot {
  /** Slot in the statistics table, from 0. */
  slot: number
  stats: SharedArrayBuffer
  plan: CyclePlan
}

export type ToWorker =
  /** Build this Cycle beside the running one; answer `prepared` or `refused`. */
  | { type: 'prepare'; plan: CyclePlan }
  /** Serve new requests with the prepared Cycle. */
  | { type: 'activate'; generation: number }
  /** Forget the prepared Cycle. */
  | { type: 'discard'; generation: number }
  /** Adopt an accepted client connection. */
  | { type: 'socket'; key: string; socket: Socket }
  /** Open a listening socket of your own (reuseport, unix); `bound` is a transferred net.BoundSocket or null. */
  | { type: 'listen'; address: ListenAddress; bound: unknown }
  /** Close your own listening socket. */
  | { type: 'unlisten'; key: string }
  /** Write logs to these descriptors from now on; answer `reopened`: the master then closes the old ones. */
  | { type: 'reopen'; logFiles: Record<string, number> }
  /** Close up to `count` idle keepalive client connections, the longest idle first. */
  | { type: 'shed'; count: number }
  /** Finish what is in flight, close idle connections, then answer `drained`. */
  | { type: 'quit' }

export type FromWorker =
  /** The first Cycle is built and active. */
  | { type: 'ready' }
  | { type: 'prepared'; generation: number }
  | { type: 'refused'; generation: number; message: string }
  | { type: 'listening'; key: string }
  | { type: 'listen_failed'; key: string; code: string; message: string }
  | { type: 'reopened' }
  | { type: 'drained' }
