// The streams of a connection that are open: by their numbers, those whose responses wait for room, and those whose
// responses are complete while their requests are not.

import { ClosedStreams, type Ending } from './closed-streams.ts'
import type { Http2Stream } from './stream.ts'

/** What long bodies get beside http2_body_preread_size: each of them, and all of a connection together. */
const LENT_TO_ONE = 1048576
const LENT_TO_ALL = 4 * LENT_TO_ONE

export class OpenStreams {
  readonly byId = new Map<number, Http2Stream>()
  readonly closed = new ClosedStreams()
  readonly #blocked = new Set<Http2Stream>()
  #answered: Http2Stream[] = []
  /** Bytes of window that are lent to streams. */
  #lent = 0

  get count(): number {
    return this.byId.size
  }

  has(stream: Http2Stream): boolean {
    return this.byId.get(stream.id) === stream
  }

  /** false: it is gone already. */
  remove(stream: Http2Stream, ending: Ending): boolean {
    if (!this.byId.delete(stream.id)) return false
    this.closed.add(stream.id, ending)
    this.#blocked.delete(stream)
    this.#lent -= stream.body?.lent ?? 0
    stream.dispose()
    return true
  }

  /** Lends bytes of window to a stream with a long body; 0: there are none left. */
  lendWindow(): number {
    if (this.#lent + LENT_TO_ONE > LENT_TO_ALL) return 0
    this.#lent += LENT_TO_ONE
    return LENT_TO_ONE
  }

  /** Its response waits for room. */
  block(stream: Http2Stream): void {
    this.#blocked.add(stream)
  }

  /** There is room for the response of one stream, or (null) for those of several. */
  goOn(one: Http2Stream | null): void {
    if (one !== null) return this.#goOn(one)
    if (this.#blocked.size === 0) return
    for (const stream of [...this.#blocked]) this.#goOn(stream)
  }

  /** Their backends may have been made to wait for a client that seemed to keep up. */
  slow(): void {
    for (const stream of [...this.#blocked]) stream.request.source?.resume()
  }

  #goOn(stream: Http2Stream): void {
    if (!this.#blocked.delete(stream)) return
    if (!stream.goOn() && this.has(stream)) this.#blocked.add(stream)
  }

  /** Its response is complete; the client may end its side before this turn is over. */
  answered(stream: Http2Stream): void {
    this.#answered.push(stream)
  }

  /** Those whose responses are complete since this was last asked, as far as they are open still. */
  takeAnswered(): Http2Stream[] {
    if (this.#answered.length === 0) return this.#answered
    const answered = this.#answered.filter((stream) => this.has(stream))
    this.#answered = []
    return answered
  }
}
