// How long a client connection waits for its next request: keepalive_timeout, of which keepalive_min_timeout is the
// part in which it is not closed to make room.

import type { ConnectionConf } from '../modules/connection.ts'
import { now } from '../tick.ts'
import type { Timer } from '../timer.ts'

export class KeepaliveWait {
  readonly #timer: Timer
  #since = now()
  #protected = false

  /** `timer` runs out when the wait is over, or with `goesOn` when its protected part is. */
  constructor(timer: Timer) {
    this.#timer = timer
  }

  /** Milliseconds since the epoch since when it may be closed instead; 0: not yet. */
  get since(): number {
    return this.#protected ? 0 : this.#since
  }

  begin({ keepaliveTimeout, keepaliveMinTimeout }: ConnectionConf): void {
    const { idle } = keepaliveTimeout
    this.#since = now()
    this.#protected = keepaliveMinTimeout > 0
    this.#timer.start(this.#protected ? Math.min(idle, keepaliveMinTimeout) : idle)
  }

  /** The timer has run out: whether the wait goes on, without protection. */
  goesOn({ keepaliveTimeout, keepaliveMinTimeout }: ConnectionConf): boolean {
    const more = this.#protected ? keepaliveTimeout.idle - keepaliveMinTimeout : 0
    this.#protected = false
    if (more > 0) this.#timer.start(more)
    return more > 0
  }
}
