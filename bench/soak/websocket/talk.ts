// What is said on one WebSocket: numbered messages of many sizes, each of which has to come back once, in its order and
// as it was. Pure.

/** Bytes; mostly short ones, some that fill buffers, few that are larger than what a read or a socket takes. */
const SIZES = [20, 64, 100, 125, 126, 200, 500, 1000, 20, 64, 4096, 16_384, 64, 100, 20, 65_536]
/** Now and then one of this size instead. */
const LARGE = 300_000
const LARGE_EVERY = 257

/** Message `number` of WebSocket `id`. */
export function messageOf(id: number, number: number): Buffer {
  const spread = Math.imul(id * 31 + number, 0x9e3779b1) >>> 0
  const size = spread % LARGE_EVERY === 0 ? LARGE : SIZES[spread % SIZES.length]!
  return Buffer.alloc(size, `${id}:${number};`)
}

/** The messages of one WebSocket. */
export class Talk {
  readonly #id: number
  sent = 0
  received = 0
  /** What is wrong with what came; '' for nothing. */
  fault = ''

  constructor(id: number) {
    this.#id = id
  }

  /** Messages that have not come back. */
  get outstanding(): number {
    return this.sent - this.received
  }

  /** The next message to send. */
  next(): Buffer {
    return messageOf(this.#id, this.sent++)
  }

  /** A message has come back. */
  take(message: Buffer): void {
    if (this.fault !== '') return
    if (this.outstanding === 0) this.fault = `one too many behind ${this.received}`
    else if (message.equals(messageOf(this.#id, this.received))) this.received++
    else this.fault = `another message in the place of ${this.received}: ${message.subarray(0, 40)}`
  }
}
