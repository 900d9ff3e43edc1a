// How a client connection ends after a response: where the client may still be sending, a close would answer its bytes
// with a reset that can destroy the response on its way. So our side ends first, and what comes is thrown away for a
// while: nginx's lingering close.

import type { ConnectionConf } from '../modules/connection.ts'
import { atTickEnd, monotonicNow } from '../tick.ts'
import { Timer } from '../timer.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'

/** How long what a client still sends is read and thrown away, from now on. */
export class LingeringTime {
  readonly #end: number
  readonly #timeout: number

  constructor({ lingeringTime, lingeringTimeout }: ConnectionConf) {
    this.#end = monotonicNow() + lingeringTime
    this.#timeout = lingeringTimeout
  }

  /** Milliseconds to wait for more after some has come; 0: no longer. */
  get next(): number {
    return Math.max(0, Math.min(this.#end - monotonicNow(), this.#timeout))
  }
}

/** Ends our side of a connection at the end of this turn, and closes it once the client has ended its own. */
export class LingeringClose implements TransportOwner {
  readonly #transport: Transport
  readonly #owner: TransportOwner
  readonly #time: LingeringTime
  readonly #timer = new Timer(() => this.#transport.close())

  /** Takes the transport over; `owner` is told when it has sent everything, and when it is closed. */
  constructor(transport: Transport, owner: TransportOwner, settings: ConnectionConf) {
    this.#transport = transport
    this.#owner = owner
    this.#time = new LingeringTime(settings)
    transport.owner = this
    this.#timer.start(settings.lingeringTimeout)
    atTickEnd(() => {
      transport.end()
      transport.resume()
    })
  }

  onData(): void {
    const { next } = this.#time
    if (next > 0) this.#timer.start(next)
    else this.#transport.close()
  }

  onEnd(): void {
    this.#transport.close()
  }

  onDrain(): void {
    this.#owner.onDrain()
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    this.#timer.dispose()
    this.#owner.onClose(error)
  }
}
