// A Transport without a socket: the test is the peer. It keeps what is sent, decides how much room there is, and says
// what happens on the connection, all of it in the same turn.

import type { Transport, TransportOwner } from '../../src/worker/transport/transport.ts'

export class MemoryTransport implements Transport {
  owner: TransportOwner
  readonly remoteAddress = '192.0.2.1'
  readonly remotePort = 40_000
  readonly localAddress = '127.0.0.1'
  readonly localPort: number
  /** Everything sent so far, latin1. */
  sent = ''
  /** Sizes of the `send` calls, each one a write to the system. */
  readonly sends: number[] = []
  /** What was called, in order; `send` and `pause`/`resume` are not listed. */
  readonly calls: ('end' | 'close' | 'destroy' | 'reset')[] = []
  /** Every change of TCP_NODELAY. */
  readonly noDelay: boolean[] = []
  reading = false
  /** false: sends are taken but not passed on until `drain`. */
  room = true
  /** Called when the engine closes or destroys the transport, before anything else happens. */
  closing: (() => void) | null = null
  #unsent = 0
  #state: 'open' | 'closing' | 'closed' = 'open'

  constructor(owner: TransportOwner, localPort = 80) {
    this.owner = owner
    this.localPort = localPort
  }

  get backlogged(): boolean {
    return this.#unsent > 0
  }

  get settling(): boolean {
    return false
  }

  get queued(): number {
    return this.#unsent
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    if (this.#state !== 'open') return true
    const text = prefix + (bytes === null ? '' : bytes.toString('latin1', start, end)) + suffix
    this.sent += text
    this.sends.push(text.length)
    if (this.room) return true
    this.#unsent += text.length
    return false
  }

  pause(): void {
    this.reading = false
  }

  resume(): void {
    if (this.#state !== 'closed') this.reading = true
  }

  setNoDelay(on: boolean): void {
    this.noDelay.push(on)
  }

  end(): void {
    this.calls.push('end')
  }

  close(): void {
    if (this.#state !== 'open') return
    this.calls.push('close')
    this.closing?.()
    if (this.#unsent === 0) this.#finish(null)
    else this.#state = 'closing'
  }

  destroy(reset = false): void {
    if (this.#state === 'closed') return
    this.calls.push(reset ? 'reset' : 'destroy')
    this.closing?.()
    this.#finish(null)
  }

  // --- the peer

  /** Bytes arrive. Throws when the engine is not reading: a real transport would not deliver them. */
  receive(bytes: string | Buffer): void {
    if (!this.reading) throw new Error('the engine does not read')
    if (this.#state !== 'open') return
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    this.owner.onData(buffer, 0, buffer.length)
    // The buffer is the transport's: nobody may look at it after the call.
    buffer.fill(0x7e)
  }

  /** The peer ends its side. */
  receiveEnd(): void {
    if (!this.reading) throw new Error('the engine does not read')
    if (this.#state === 'open') this.owner.onEnd()
  }

  /** The connection breaks. */
  break(code = 'ECONNRESET', errno = -104): void {
    this.#finish(Object.assign(new Error(code), { code, errno }))
  }

  /** The peer has read so many bytes. */
  take(count: number): void {
    if (count >= this.#unsent) this.drain()
    else this.#unsent -= count
  }

  /** The peer has read everything. */
  drain(): void {
    this.room = true
    if (this.#unsent === 0) return
    this.#unsent = 0
    if (this.#state === 'closing') this.#finish(null)
    else if (this.#state === 'open') this.owner.onDrain()
  }

  #finish(error: NodeJS.ErrnoException | null): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.reading = false
    setImmediate(() => this.owner.onClose(error))
  }
}
