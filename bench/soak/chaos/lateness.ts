// How late this process runs its timers: what a busy machine does to clients and backends of the chaos is not the
// proxy's fault, and must not pass unseen either.

const EVERY = 50

export class Lateness {
  /** When, and by how many milliseconds; only what is worth telling. */
  readonly #late: { time: number; by: number }[] = []
  readonly #timer: NodeJS.Timeout
  #due = Date.now() + EVERY
  most = 0

  constructor() {
    this.#timer = setInterval(() => {
      const time = Date.now()
      const by = time - this.#due
      this.#due = time + EVERY
      this.most = Math.max(this.most, by)
      if (by < EVERY) return
      this.#late.push({ time, by })
      if (this.#late.length > 1000) this.#late.shift()
    }, EVERY)
  }

  /** The most since `start`. */
  since(start: number): number {
    const now = Math.max(0, Date.now() - this.#due)
    return this.#late.reduce((most, { time, by }) => (time >= start ? Math.max(most, by) : most), now)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
