// What is made of texts that come again and again, kept for a bounded number of them. A text is kept only when it comes
// a second time, so that those that come once cost little and push out nothing. Two generations, so that nothing has to
// be moved when one is found: when the younger is full, the older is forgotten.

import { flat } from '../../../shared/latin1.ts'

export class Remembered {
  readonly #make: (text: string) => string
  readonly #limit: number
  readonly #longest: number
  #young = new Map<string, string>()
  #old = new Map<string, string>()
  /** Hashes of texts that have come once, each at a place that it gives. */
  readonly #seen: Int32Array

  /**
   * `make` depends on nothing but the text, of which `limit` (a power of two) to twice as many are kept; those longer than
   * `longest` are not.
   */
  constructor(make: (text: string) => string, limit: number, longest: number) {
    this.#make = make
    this.#limit = limit
    this.#longest = longest
    this.#seen = new Int32Array(limit * 4)
  }

  /** What `make` makes of a text. */
  get(text: string): string {
    if (text.length > this.#longest) return this.#make(text)
    const found = this.#young.get(text)
    if (found !== undefined) return found
    const older = this.#old.get(text)
    if (older !== undefined) return this.#keep(flat(text), older)
    const made = this.#make(text)
    return this.#cameBefore(text) ? this.#keep(flat(text), flat(made)) : made
  }

  /** `text` is a string of its own: a slice would keep alive what it was cut from. */
  #keep(text: string, made: string): string {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, made)
    return made
  }

  #cameBefore(text: string): boolean {
    let hash = text.length
    for (let index = 0; index < text.length; index++)
      hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
    const place = (hash ^ (hash >>> 15)) & (this.#limit * 4 - 1)
    if (this.#seen[place] === hash) return true
    this.#seen[place] = hash
    return false
  }
}
