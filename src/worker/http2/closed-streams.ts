// How the last streams of a connection ended: what still comes for one means something else by that. Of older ones it is
// known only that they are over.

/** Streams that are remembered. */
const MOST = 128

/** By a reset of ours: the client may not know of it yet. By a reset of its own. By the end of both sides. */
export type Ending = 'reset by us' | 'reset by client' | 'complete'

const ENDINGS: readonly Ending[] = ['complete', 'reset by us', 'reset by client']

export class ClosedStreams {
  readonly #ids = new Int32Array(MOST).fill(-1)
  readonly #endings = new Uint8Array(MOST)
  #next = 0

  add(id: number, ending: Ending): void {
    this.#ids[this.#next] = id
    this.#endings[this.#next] = ENDINGS.indexOf(ending)
    this.#next = (this.#next + 1) % MOST
  }

  /** null: it has been over for long, or has never been used. */
  endingOf(id: number): Ending | null {
    const at = this.#ids.indexOf(id)
    return at < 0 ? null : ENDINGS[this.#endings[at]!]!
  }
}
