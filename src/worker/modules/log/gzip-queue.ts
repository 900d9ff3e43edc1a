// Compressed log buffers: each becomes a complete gzip member, compressed by the thread pool and written in order.

import { gzip, gzipSync } from 'node:zlib'

interface Chunk {
  lines: Buffer
  /** null: still being compressed. */
  member: Buffer | null
}

/** So many buffers wait for the thread pool; the next one waits for them. */
const MOST_WAITING = 16

export class GzipQueue {
  readonly level: number
  readonly #write: (member: Buffer) => void
  #chunks: Chunk[] = []

  /** `write` gets one whole member each time. */
  constructor(level: number, write: (member: Buffer) => void) {
    this.level = level
    this.#write = write
  }

  /** Takes over `lines`. */
  add(lines: Buffer): void {
    const chunk: Chunk = { lines, member: null }
    if (this.#chunks.push(chunk) > MOST_WAITING) return this.finish()
    gzip(lines, { level: this.level }, (error, member) => {
      // Nothing about it depends on the lines: what fails here, for want of memory, fails there again.
      chunk.member = error === null ? member : gzipSync(lines, { level: this.level })
      this.#writeReady()
    })
  }

  /** Compresses and writes at once what is still waiting: for descriptors that change, and at the thread's end. */
  finish(): void {
    const chunks = this.#chunks
    this.#chunks = []
    for (const { lines, member } of chunks) this.#write(member ?? gzipSync(lines, { level: this.level }))
  }

  #writeReady(): void {
    for (let first = this.#chunks[0]; first?.member != null; first = this.#chunks[0]) {
      this.#chunks.shift()
      this.#write(first.member)
    }
  }
}
