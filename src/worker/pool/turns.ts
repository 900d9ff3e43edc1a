// Who is next of those that wait for the thread pool: askers take turns, so that one with many tasks keeps nobody else
// waiting for more than one of them.

/** Begins a task; the promise, which does not reject, settles when it has ended. */
type Begin = () => Promise<unknown>

export class Turns {
  readonly #most: number
  readonly #mostWaiting: number
  #running = 0
  #size = 0
  /** Tasks by who asked for them, the asker whose turn is next first. None is empty. */
  readonly #waiting = new Map<string, Set<Begin>>()

  /** `most` tasks run at a time, `mostWaiting` may wait. */
  constructor(most: number, mostWaiting: number) {
    this.#most = most
    this.#mostWaiting = mostWaiting
  }

  /** Begins a task when it is its turn. Gives what takes it out, false where it has begun; null: too many wait. */
  take(asker: string, begin: Begin): (() => boolean) | null {
    if (this.#running < this.#most) {
      this.#run(begin)
      return () => false
    }
    if (this.#size >= this.#mostWaiting) return null
    this.#size++
    const others = this.#waiting.get(asker)
    if (others === undefined) this.#waiting.set(asker, new Set([begin]))
    else others.add(begin)
    return () => this.#remove(asker, begin)
  }

  #run(begin: Begin): void {
    this.#running++
    void begin().finally(() => {
      this.#running--
      this.#next()
    })
  }

  #next(): void {
    const first = this.#waiting.entries().next().value
    if (first === undefined) return
    const [asker, tasks] = first
    const begin = tasks.values().next().value!
    this.#remove(asker, begin)
    // Behind all others, if there is more.
    if (this.#waiting.delete(asker)) this.#waiting.set(asker, tasks)
    this.#run(begin)
  }

  #remove(asker: string, begin: Begin): boolean {
    const tasks = this.#waiting.get(asker)
    if (tasks?.delete(begin) !== true) return false
    this.#size--
    if (tasks.size === 0) this.#waiting.delete(asker)
    return true
  }
}
