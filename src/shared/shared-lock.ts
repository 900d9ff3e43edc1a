// A mutex in shared memory, for the few things that threads must do as one step. Held for microseconds, never across
// I/O; a thread that waits long sleeps instead of spinning. What a dead thread holds is released by the master; where
// the master does not know of the lock any more, or waits for it itself, whoever waits takes it in the end.

/** Tries before a thread sleeps. */
const SPINS = 100
/** A sleeper looks again after so many milliseconds, should it have been forgotten. */
const LONGEST_SLEEP = 50
/** Bit of the word: somebody sleeps. The owner's number stands above it. */
const WAITED_FOR = 1
/** Sleeps through which one owner has it in one go before it counts as dead. */
const PATIENCE = 40

export class SharedLock {
  readonly #words: Int32Array
  readonly #at: number
  readonly #mine: number
  readonly #turnAt: number

  /**
   * The lock is `words[at]`, 0 at first; `owner`: number of this thread among all that use it, from 1. `words[turnAt]`
   * counts how often it has been taken, which tells a dead owner from a busy one; without it nobody takes a dead one's.
   */
  constructor(words: Int32Array, at: number, owner: number, turnAt = -1) {
    this.#words = words
    this.#at = at
    this.#mine = owner << 1
    this.#turnAt = turnAt
  }

  /** Not to be called twice by one thread. */
  lock(): void {
    if (Atomics.compareExchange(this.#words, this.#at, 0, this.#mine) !== 0) this.#wait()
    if (this.#turnAt >= 0) this.#words[this.#turnAt]!++
  }

  unlock(): void {
    if (Atomics.exchange(this.#words, this.#at, 0) & WAITED_FOR) Atomics.notify(this.#words, this.#at, 1)
  }

  /** Whether the thread numbered `owner` holds it. */
  heldBy(owner: number): boolean {
    return Atomics.load(this.#words, this.#at) >> 1 === owner
  }

  /** Unlocks what the thread numbered `owner` held when it died. */
  releaseOf(owner: number): void {
    if (this.heldBy(owner)) this.unlock()
  }

  #wait(): void {
    const words = this.#words
    const at = this.#at
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(words, at, 0, this.#mine) === 0) return
    }
    let turn = -1
    let sleeps = 0
    for (;;) {
      // Others may sleep too: whoever slept tells the next one.
      const held = Atomics.compareExchange(words, at, 0, this.#mine | WAITED_FOR)
      if (held === 0) return
      const expected = held | WAITED_FOR
      if (held !== expected && Atomics.compareExchange(words, at, held, expected) !== held) continue
      if (this.#turnAt >= 0 && words[this.#turnAt] !== turn) {
        turn = words[this.#turnAt]!
        sleeps = 0
      } else if (this.#turnAt >= 0 && sleeps >= PATIENCE) {
        if (Atomics.compareExchange(words, at, expected, this.#mine | WAITED_FOR) === expected) return
      }
      if (Atomics.wait(words, at, expected, LONGEST_SLEEP) === 'timed-out') sleeps++
    }
  }
}
