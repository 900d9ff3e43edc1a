// Bodies of the soak: endless bytes of which every offset is known, so that a body is checked as it comes, without
// keeping it.

import type { Writable } from 'node:stream'

const PERIOD = 251
/** The largest piece that is made or compared at once. */
const PIECE = 64 * 1024
const bytes = Buffer.alloc(PIECE + PERIOD, Buffer.from(Array.from({ length: PERIOD }, (_, index) => index)))

/** The body's bytes from `offset` on: `length` of them, or as many as one piece has. Shared memory: do not write. */
export function patternAt(offset: number, length: number): Buffer {
  const start = offset % PERIOD
  return bytes.subarray(start, start + Math.min(length, PIECE))
}

/** Compares a body with the pattern, piece by piece. */
export class PatternCheck {
  /** Bytes seen. */
  length = 0
  /** Every byte so far was the one that belongs there. */
  right = true

  add(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const expected = patternAt(this.length, chunk.length - at)
      if (expected.compare(chunk, at, at + expected.length) !== 0) this.right = false
      at += expected.length
      this.length += expected.length
    }
  }
}

/** Resolves once `stream` takes more bytes, or is closed. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
