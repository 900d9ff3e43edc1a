// A Transport on the public interface of net.Socket (or a TLS socket): the fallback where Node's handles are not as
// handle-transport.ts expects, and what `WEIR_TRANSPORT=socket` selects for comparison.

import type { Socket } from 'node:net'
import { latin1 } from '../../shared/latin1.ts'
import type { ReadBuffer } from './read-buffer.ts'
import { plainAddress, type Transport, type TransportOwner } from './transport.ts'

export class SocketTransport implements Transport {
  owner: TransportOwner
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #socket: Socket
  readonly #beneath: Socket
  #failure: NodeJS.ErrnoException | null = null
  #open = true
  /** The owner waits for onDrain. The socket's own 'drain' comes only after more than its high-water mark. */
  #waiting = false
  readonly #written = (): void => this.#tellRoom()
  readonly #listeners = {
    data: (bytes: Buffer) => this.#open && this.owner.onData(bytes, 0, bytes.length),
    end: () => this.#ended(),
    error: (error: NodeJS.ErrnoException) => (this.#failure ??= error),
    close: () => this.owner.onClose(this.#failure),
  }

  /** `beneath`: the connection that a TLS socket is on. */
  constructor(socket: Socket, owner: TransportOwner, beneath: Socket = socket) {
    this.owner = owner
    this.#socket = socket
    this.#beneath = beneath
    this.remoteAddress = plainAddress(socket.remoteAddress ?? '')
    this.remotePort = socket.remotePort ?? 0
    socket.allowHalfOpen = true
    socket.pause()
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener)
  }

  /** Gives the socket away, paused: nobody is told of it here any more. */
  release(): Socket {
    this.#open = false
    this.#socket.pause()
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.off(event, listener)
    return this.#socket
  }

  /** TLS that fails tells of an error first, and then of an end that is none. */
  #ended(): void {
    if (!this.#open) return
    if (this.#failure === null) this.owner.onEnd()
    else this.#socket.destroy()
  }

  get localAddress(): string {
    return plainAddress(this.#socket.localAddress ?? '')
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0
  }

  get backlogged(): boolean {
    return this.#socket.writableLength > 0
  }

  get settling(): boolean {
    return false
  }

  get queued(): number {
    return this.#socket.writableLength
  }

  send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    if (!this.#open) return true
    const socket = this.#socket
    if (bytes === null || end - start <= 12288) {
      const text = prefix + (bytes === null ? '' : latin1(bytes, start, end)) + suffix
      socket.write(text, 'latin1', this.#written)
      return this.#hasRoom()
    }
    socket.cork()
    if (prefix !== '') socket.write(prefix, 'latin1')
    // A buffer from 'data' is never reused by Node; one from elsewhere may be, so it is copied.
    const part = bytes.subarray(start, end)
    socket.write((bytes as ReadBuffer).steady === true ? part : Buffer.from(part), this.#written)
    if (suffix !== '') socket.write(suffix, 'latin1', this.#written)
    socket.uncork()
    return this.#hasRoom()
  }

  #hasRoom(): boolean {
    this.#waiting = this.#socket.writableLength > 0
    return !this.#waiting
  }

  #tellRoom(): void {
    if (!this.#waiting || !this.#open || this.#socket.writableLength > 0) return
    this.#waiting = false
    this.owner.onDrain()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  end(): void {
    if (this.#open) this.#socket.end()
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.resume()
    this.#socket.destroySoon()
  }

  destroy(reset = false): void {
    this.#open = false
    // There is none on a unix socket.
    if (reset && this.#beneath.remotePort !== undefined) this.#beneath.resetAndDestroy()
    else this.#socket.destroy()
  }
}
