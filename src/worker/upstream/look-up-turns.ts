// Which look-ups of names may be under way: clients choose the names, and a client whose names are slow must not keep
// the others waiting. So each has a share, and those that wait take turns.

/** How many look-ups there may be at a time. */
export interface LookUpLimits {
  /** Under way, of all clients. */
  readonly running: number
  /** Under way, of one client. */
  readonly each: number
  /** Waiting, of one client. */
  readonly waiting: number
  /** Waiting, of all. */
  readonly allWaiting: number
}

/** Begins a look-up; `ended` is called when it is over. */
type Begin = (ended: () => void) => void

interface Asker {
  running: number
  readonly waiting: Begin[]
}

export class LookUpTurns {
  readonly #limits: LookUpLimits
  /** Those with look-ups, the one whose turn is next first. */
  readonly #askers = new Map<string, Asker>()
  #running = 0
  #waiting = 0

  constructor(limits: LookUpLimits) {
    this.#limits = limits
  }

  /** Begins now or when it is the turn of `name`; false: too many wait already. */
  take(name: string, begin: Begin): boolean {
    const { running, each, waiting, allWaiting } = this.#limits
    const asker = this.#askers.get(name) ?? { running: 0, waiting: [] }
    if (this.#running < running && asker.running < each) {
      this.#askers.set(name, asker)
      this.#run(name, asker, begin)
      return true
    }
    if (asker.waiting.length >= waiting || this.#waiting >= allWaiting) return false
    this.#askers.set(name, asker)
    asker.waiting.push(begin)
    this.#waiting++
    return true
  }

  #run(name: string, asker: Asker, begin: Begin): void {
    asker.running++
    this.#running++
    begin(() => {
      asker.running--
      this.#running--
      if (asker.running === 0 && asker.waiting.length === 0) this.#askers.delete(name)
      this.#next()
    })
  }

  #next(): void {
    if (this.#waiting === 0) return
    for (const [name, asker] of this.#askers) {
      if (asker.waiting.length === 0 || asker.running >= this.#limits.each) continue
      // Behind all others.
      this.#askers.delete(name)
      this.#askers.set(name, asker)
      this.#waiting--
      return this.#run(name, asker, asker.waiting.shift()!)
    }
  }
}
