// `proxy_limit_rate`: how fast a response is read from its backend, by nginx's arithmetic.

import { now } from '../../tick.ts'
import { Timer } from '../../timer.ts'

export class ReadPace {
  readonly #rate: number
  readonly #startSecond = Math.floor(now() / 1000)
  readonly #timer: Timer
  #length = 0
  #waiting = false

  /** `rate`: bytes a second. `goOn`: it is time to read again. */
  constructor(rate: number, goOn: () => void) {
    this.#rate = rate
    this.#timer = new Timer(() => {
      if (this.#wait(0)) return
      this.#waiting = false
      goOn()
    })
  }

  /** Nothing is to be read for now. */
  get waiting(): boolean {
    return this.#waiting
  }

  /** So much has been read. true: no more for now. */
  took(bytes: number): boolean {
    this.#length += bytes
    this.#waiting = this.#wait(bytes)
    return this.#waiting
  }

  stop(): void {
    this.#timer.dispose()
  }

  #wait(bytes: number): boolean {
    const rate = this.#rate
    const seconds = Math.floor(now() / 1000) - this.#startSecond + 1
    const over = this.#length - rate * seconds
    const delay = over >= 0 ? Math.floor((over * 1000) / rate) + 1 : Math.floor((bytes * 1000) / rate)
    if (delay === 0) return false
    this.#timer.start(delay)
    return true
  }
}
