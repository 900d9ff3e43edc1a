// Passes on one part of content that comes as a whole: for a range of what a backend sends (`proxy_force_ranges`).

import type { BodySink } from './body.ts'

export class PartSink implements BodySink {
  readonly #out: BodySink
  readonly #start: number
  readonly #end: number
  /** Of the content, so much has been seen. */
  #position = 0
  #done = false

  /** The part `[start, end)`, not empty, of what is written. */
  constructor(out: BodySink, start: number, end: number) {
    this.#out = out
    this.#start = start
    this.#end = end
  }

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    const offset = start - this.#position
    this.#position += end - start
    if (this.#done) return true
    const from = Math.max(start, this.#start + offset)
    const to = Math.min(end, this.#end + offset)
    // The client has its part before the backend has ended.
    const complete = last || this.#position >= this.#end
    if (complete) this.#done = true
    return from < to || complete ? this.#out.write(bytes, Math.min(from, to), to, complete) : true
  }

  flush(): void {
    if (!this.#done) this.#out.flush()
  }

  end(): void {
    if (!this.#done) this.#out.end(null)
    this.#done = true
  }

  abort(): void {
    if (!this.#done) this.#out.abort()
    this.#done = true
  }
}
