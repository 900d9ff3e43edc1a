// What a worker thread runs: the HTTP engine behind the messages of worker/main.ts.

import type { Socket } from 'node:net'
import type { Cycle } from '../shared/conf/build.ts'
import type { CyclePlan } from '../shared/messages.ts'
import type { WorkerStats } from '../shared/stats.ts'

export class Engine {
  constructor(_slot: number, _stats: WorkerStats) {}
  /** Builds a Cycle from `plan` without touching the running one. Throws ConfError. */
  prepare(_plan: CyclePlan): Cycle { throw new Error('not yet') }
  /** New requests use this Cycle from now on. */
  activate(_cycle: Cycle, _plan: CyclePlan): void {}
  /** Takes over an accepted client connection (paused) that arrived on the listening socket `key`. `active` was counted by the master already. */
  adopt(_socket: Socket, _key: string): void {}
  /** Writes logs to other descriptors from now on; everything gathered so far went to the old ones. */
  reopen(_logFiles: Record<string, number>): void {}
  /** Closes up to `count` idle keepalive client connections, the longest idle first; returns how many. */
  shed(_count: number): number { return 0 }
  /** Closes idle connections, lets the others finish, then calls `done`. */
  drain(_done: () => void): void {}
}
