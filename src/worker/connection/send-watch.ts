// send_timeout: a client that takes nothing of what is sent to it for so long is given up. There is no event for what
// the kernel takes of a long write, so a slow one is looked at a few times during each timeout.

import { Timer } from '../timer.ts'
import type { Transport } from '../transport/transport.ts'

/** Looks at the transport in each timeout. A client is given up that much of it later, at most. */
const LOOKS = 4

export class SendWatch {
  readonly #transport: Transport
  readonly #timedOut: () => void
  readonly #timer = new Timer(() => this.#look())
  #step = 0
  /** Looks without progress until the client is given up. */
  #left = 0
  #queued = 0

  /** `timedOut` is called when the client has taken nothing for the time. */
  constructor(transport: Transport, timedOut: () => void) {
    this.#transport = transport
    this.#timedOut = timedOut
  }

  /** Something waits to be taken: within `timeout` milliseconds some of it has to be. */
  start(timeout: number): void {
    this.#step = timeout / LOOKS
    this.#left = LOOKS
    this.#queued = this.#transport.queued
    this.#timer.start(this.#step)
  }

  stop(): void {
    this.#timer.stop()
  }

  /** Stops for good. */
  dispose(): void {
    this.#timer.dispose()
  }

  #look(): void {
    const { queued } = this.#transport
    if (queued < this.#queued) this.#left = LOOKS
    else this.#left--
    this.#queued = queued
    if (this.#left === 0) this.#timedOut()
    else this.#timer.start(this.#step)
  }
}
