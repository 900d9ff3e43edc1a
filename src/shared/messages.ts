// Every message between the master and its worker threads, and what a worker is started with.

import type { Socket } from 'node:net'
import type { BuildOptions } from './conf/build.ts'
import type { Directive } from './conf/directive.ts'
import type { LiveAnswers } from './names/live.ts'
import type { Staples } from './staples.ts'

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
  /** Counts the configurations of this process, from 1. */
  generation: number
  tree: Directive[]
  /** With the addresses of host names and the shared memory that the master provides. */
  options: BuildOptions
  /** Descriptor of each open log file by absolute path. Descriptors are the process's: valid in every thread. */
  logFiles: Record<string, number>
}

/** `workerData` of a worker thread. */
export interface WorkerBoot {
  /** Slot in the statistics table, from 0. */
  slot: number
  stats: SharedArrayBuffer
  plan: CyclePlan
}

/** An accepted connection on its way to a worker: Node's handle without a socket around it, or the public net.Socket. */
export type AcceptedConnection = { handle: object } | { socket: Socket }

export type ToWorker =
  /** Build this Cycle beside the running one; answer `prepared` or `refused`. */
  | { type: 'prepare'; plan: CyclePlan }
  /** Serve new requests with the prepared Cycle. */
  | { type: 'activate'; generation: number }
  /** Forget the prepared Cycle. */
  | { type: 'discard'; generation: number }
  /** Adopt a client connection that the master accepted on the listening socket `key`. */
  | ({ type: 'connection'; key: string } & AcceptedConnection)
  /**
   * Open a listening socket of your own; answer `listening` or `listen_failed`. `bound` is a transferred
   * net.BoundSocket (reuseport) or null (unix). Connections wait until `serve`.
   */
  | { type: 'listen'; address: ListenAddress; bound: object | null }
  /** Close your own listening socket; answer `unlistened`. */
  | { type: 'unlisten'; key: string }
  /** Privileges are dropped: adopt connections of your own listening sockets from now on. */
  | { type: 'serve' }
  /** Write logs to these descriptors from now on; answer `reopened`: the master then closes the old ones. */
  | { type: 'reopen'; logFiles: Record<string, number> }
  /** Addresses of live names have changed; answer `addresses_used`. */
  | { type: 'addresses'; key: string; answers: LiveAnswers }
  /** The master has fetched OCSP responses. */
  | { type: 'staples'; staples: Staples }
  /** Close up to `count` idle keepalive client connections, the longest idle first; answer `shed`. */
  | { type: 'shed'; count: number }
  /** Close your listening sockets and idle connections, finish what is in flight, then answer `drained`. */
  | { type: 'quit' }
  /** End at once. */
  | { type: 'stop' }

export type FromWorker =
  /** The first Cycle is built and active. */
  | { type: 'ready' }
  /** The first Cycle cannot be built; the worker ends. */
  | { type: 'unfit'; message: string }
  | { type: 'prepared'; generation: number }
  | { type: 'refused'; generation: number; message: string }
  /** Nothing uses a Cycle before this generation any more: log files may have been theirs since the first of them. */
  | { type: 'released'; before: number }
  | { type: 'listening'; key: string }
  /** `reason` in nginx's form: `98: Address already in use`. */
  | { type: 'listen_failed'; key: string; reason: string; inUse: boolean }
  | { type: 'unlistened'; key: string }
  /** accept() on an own listening socket failed; `reason` in nginx's form. */
  | { type: 'accept_failed'; reason: string }
  /** A connection of an own listening socket was closed for want of `worker_connections`. */
  | { type: 'full' }
  | { type: 'reopened' }
  /** No request goes to another address of these names any more; the zones have no room for `leftOut` of them. */
  | { type: 'addresses_used'; key: string; leftOut: number }
  | { type: 'shed'; closed: number }
  | { type: 'drained' }
  /** An exception that nobody caught, with its stack on one line: `stop` is expected, and what comes before it is returned. */
  | { type: 'crashed'; reason: string }
  /** A connection that came after the crash: another worker may have it. */
  | ({ type: 'returned'; key: string } & AcceptedConnection)
