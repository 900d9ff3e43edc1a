// A Transport on the public interface of net.Socket (or a TLS socket): the fallback where Node's handles are not as
// handle-transport.ts expects, and what `WEIR_TRANSPORT=socket` selects for comparison.

import type { Socket } from 'node:net'
import { latin1 } from '../../shared/latin1.ts'
import { plainAddress, type Transport, type TransportOwner } from './transport.ts'

export class SocketTransport implements Transport {
  owner: TransportOwner
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #socket: Socket
  #failure: NodeJS.ErrnoException | null = null
  #open = true

  constructor(socket: Socket, owner: TransportOwner) {
    this.owner = owner
    this.#socket = socket
    this.remoteAddress = plainAddress(socket.remoteAddress ?? '')
    this.remotePort = socket.remotePort ?? 0
    socket.allowHalfOpen = true
    socket.pause()
    socket.on('data', (bytes: Buffer) => this.#open && this.owner.onData(bytes, 0, bytes.length))
    socket.on('end', () => this.#open && this.owner.onEnd())
    socket.on('drain', () => this.#open && this.owner.onDrain())
    socket.on('error', (error) => (this.#failure ??= error))
    socket.on('close', () => this.owner.onClose(this.#failure))
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

  send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    if (!this.#open) return true
    const socket = this.#socket
    if (bytes === null || end - start <= 12288) {
      return socket.write(prefix + (bytes === null ? '' : latin1(bytes, start, end)) + suffix, 'latin1')
    }
    socket.cork()
    if (prefix !== '') socket.write(prefix, 'latin1')
    // A buffer from 'data' is never reused by Node; one from elsewhere may be, so it is copied.
    socket.write(Buffer.from(bytes.subarray(start, end)))
    if (suffix !== '') socket.write(suffix, 'latin1')
    socket.uncork()
    return !socket.writableNeedDrain
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
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
    if (reset) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }
}
