// How long a connection of HTTP/2 waits for its client: for the rest of a frame or a header block, that has to come
// within client_header_timeout, and for the next request.

import { KeepaliveWait } from '../connection/keepalive-wait.ts'
import type { ConnectionConf } from '../modules/connection.ts'
import { Timer } from '../timer.ts'

/** Told that the client has had its time. */
export interface ReadTimesOwner {
  /** The settings in force. */
  readonly settings: ConnectionConf
  /** Connections are closed as soon as they are idle. */
  readonly draining: boolean
  /** What has begun is not complete. */
  restLate(): void
  /** No request has come. */
  waitOver(): void
}

export class ReadTimes {
  readonly #owner: ReadTimesOwner
  readonly #timer = new Timer(() => this.#timedOut())
  readonly #wait = new KeepaliveWait(this.#timer)
  #awaitsRest = false

  constructor(owner: ReadTimesOwner) {
    this.#owner = owner
  }

  /** Milliseconds since the epoch since when an idle connection may be closed instead; 0: not yet. */
  get since(): number {
    return this.#wait.since
  }

  /** The rest of what has begun is waited for, from when it began. */
  awaitRest(): void {
    if (!this.#awaitsRest) this.#timer.start(this.#owner.settings.clientHeaderTimeout)
    this.#awaitsRest = true
  }

  /** Another request is waited for, from now on. */
  awaitRequest(): void {
    this.#awaitsRest = false
    this.#wait.begin(this.#owner.settings)
  }

  stop(): void {
    this.#awaitsRest = false
    this.#timer.stop()
  }

  /** Stops for good. */
  dispose(): void {
    this.#timer.dispose()
  }

  #timedOut(): void {
    if (this.#awaitsRest) this.#owner.restLate()
    else if (this.#owner.draining || !this.#wait.goesOn(this.#owner.settings)) this.#owner.waitOver()
  }
}
