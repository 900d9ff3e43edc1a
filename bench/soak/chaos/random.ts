// Chance that can be had again: the same seed gives the same numbers. Each party of the chaos has numbers of its own,
// so that what one of them draws changes nothing for the others.

export class Random {
  #state: number

  /** `name`: whose numbers they are. */
  constructor(seed: number, name: string) {
    this.#state = seed | 0
    for (const character of name) this.#state = (Math.imul(this.#state, 31) + character.codePointAt(0)!) | 0
  }

  /** From 0 up to, and without, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** True in that share of the calls. */
  chance(share: number): boolean {
    return this.next() < share
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!
  }
}
