// A bounded memory of what was made of texts: the ones used lately stay. Two generations, so that nothing has to be
// moved when one is found: when the younger is full, the older is forgotten.

export class Memo<T> {
  readonly #limit: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  /** Remembers between `limit` and twice as many. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get(text: string): T | undefined {
    const found = this.#young.get(text)
    if (found !== undefined) return found
    const older = this.#old.get(text)
    if (older !== undefined) this.#keep(text, older)
    return older
  }

  /** Remembers what was made of `text`, and returns it. */
  set(text: string, made: T): T {
    this.#keep(text, made)
    return made
  }

  #keep(text: string, made: T): void {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, made)
  }
}
