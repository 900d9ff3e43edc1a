// Content in memory, first in, first out, in blocks of one size that responses of a thread hand on to each other.

/** Bytes of one block. */
const BLOCK = 32_768
/** Blocks kept for reuse; more are left to the garbage collector. */
const POOL_LIMIT = 64

const pool: Buffer[] = []

export class Blocks {
  readonly #blocks: Buffer[] = []
  /** Position of the first byte in the first block, and behind the last one in the last. */
  #start = 0
  #end = BLOCK
  length = 0

  /** Takes a copy of `bytes[start, end)`. */
  push(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (this.#end === BLOCK) {
        this.#blocks.push(pool.pop() ?? Buffer.allocUnsafeSlow(BLOCK))
        this.#end = 0
      }
      const copied = bytes.copy(this.#blocks.at(-1)!, this.#end, at, end)
      this.#end += copied
      at += copied
    }
    this.length += end - start
  }

  /** Gives the next bytes, `most` at most, to `take`, and forgets them; what `take` returns. */
  shift(most: number, take: (bytes: Buffer, start: number, end: number) => boolean): boolean {
    const block = this.#blocks[0]!
    const start = this.#start
    const filled = this.#blocks.length === 1 ? this.#end : BLOCK
    const end = Math.min(filled, start + most)
    this.length -= end - start
    this.#start = end
    if (end === filled) {
      this.#blocks.shift()
      this.#start = 0
      if (this.#blocks.length === 0) this.#end = BLOCK
    }
    const taken = take(block, start, end)
    if (end === filled) give(block)
    return taken
  }

  clear(): void {
    for (const block of this.#blocks.splice(0)) give(block)
    this.length = 0
    this.#start = 0
    this.#end = BLOCK
  }
}

function give(block: Buffer): void {
  if (pool.length < POOL_LIMIT) pool.push(block)
}
