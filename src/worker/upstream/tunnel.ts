// After 101 Switching Protocols: bytes both ways, whatever they mean (RFC 9110 section 7.8). WebSocket runs through
// here. Each side may end on its own: its end is passed on behind what it sent, and the other direction goes on.

import { SendWatch } from '../connection/send-watch.ts'
import { Timer } from '../timer.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'

/**
 * Why a tunnel ended: both sides have; one is gone, with what the system says of it; nothing came within the time;
 * one side took nothing of what it was sent within the time; its owner has ended it.
 */
export type TunnelEnd =
  | { kind: 'ended' | 'silence' | 'client slow' | 'peer slow' | 'stopped' }
  | { kind: 'client gone' | 'peer gone'; error: NodeJS.ErrnoException | null }

/** Times in milliseconds. */
export interface TunnelSettings {
  /** Neither side may be silent for longer, unless the client is what the backend waits for. */
  readTimeout: number
  /** The backend has to take something of what it is sent. */
  sendTimeout: number
  /** Likewise the client. */
  clientSendTimeout: number
}

/** One direction's receiver: what one side sends goes to the other. */
class Side implements TransportOwner {
  readonly #tunnel: Tunnel
  readonly transport: Transport
  readonly #sendTimeout: number
  readonly #slow: TunnelEnd
  #watch: SendWatch | null = null
  /** The other side; set before anything can come. */
  other!: Side
  bytes = 0
  /** It will send no more. */
  ended = false
  /** Its connection is closed; null in `error`: without an error. */
  gone: { error: NodeJS.ErrnoException | null } | null = null

  constructor(tunnel: Tunnel, transport: Transport, sendTimeout: number, slow: TunnelEnd) {
    this.#tunnel = tunnel
    this.transport = transport
    this.#sendTimeout = sendTimeout
    this.#slow = slow
  }

  /** Sends what came to the other side, and reads no more than that takes. */
  onData(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start
    const { other } = this
    const more = other.transport.send('', bytes, start, end, '')
    if (!more) {
      this.transport.pause()
      other.#expectRoom()
    }
    this.#tunnel.heard()
  }

  onEnd(): void {
    this.ended = true
    this.other.transport.end()
    this.#tunnel.settle()
  }

  onDrain(): void {
    this.#watch?.stop()
    if (!this.other.ended) this.other.transport.resume()
    this.#tunnel.heard()
    this.#tunnel.settle()
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    // One that has ended its side owes nothing: how its connection closes is not worth a word.
    this.gone = { error: this.ended ? null : error }
    this.#watch?.dispose()
    if (!this.#tunnel.over) return this.#tunnel.lost(this)
    // Whoever has the transport back by now learns that it is gone.
    if (this.transport.owner !== this) this.transport.owner.onClose(error)
  }

  /** Within the time the side has to take something. */
  #expectRoom(): void {
    this.#watch ??= new SendWatch(this.transport, () => this.#tunnel.end(this.#slow))
    this.#watch.start(this.#sendTimeout)
  }

  dispose(): void {
    this.#watch?.dispose()
  }
}

export class Tunnel {
  readonly #client: Side
  readonly #peer: Side
  readonly #readTimeout: number
  readonly #ended: (end: TunnelEnd) => void
  readonly #readTimer = new Timer(() => this.end({ kind: 'silence' }))
  #over = false

  /** Takes both transports over, which are paused; `ended` is called once and has to close them. */
  constructor(client: Transport, peer: Transport, settings: TunnelSettings, ended: (end: TunnelEnd) => void) {
    this.#readTimeout = settings.readTimeout
    this.#ended = ended
    this.#client = new Side(this, client, settings.clientSendTimeout, { kind: 'client slow' })
    this.#peer = new Side(this, peer, settings.sendTimeout, { kind: 'peer slow' })
    this.#client.other = this.#peer
    this.#peer.other = this.#client
    client.owner = this.#client
    peer.owner = this.#peer
  }

  /** Bytes the client and the backend have sent. */
  get clientBytes(): number {
    return this.#client.bytes
  }

  get peerBytes(): number {
    return this.#peer.bytes
  }

  get over(): boolean {
    return this.#over
  }

  /** The backend has ended its side: only the client may still speak. */
  get peerEnded(): boolean {
    return this.#peer.ended
  }

  /** Begins to read, after what came early: `fromClient` before the switch, `fromPeer` behind its head. */
  start(fromClient: Buffer | null, fromPeer: Buffer | null): void {
    this.heard()
    if (fromPeer !== null) this.#peer.onData(fromPeer, 0, fromPeer.length)
    if (fromClient !== null) this.#client.onData(fromClient, 0, fromClient.length)
    if (this.#over) return
    if (!this.#peer.transport.backlogged) this.#client.transport.resume()
    if (!this.#client.transport.backlogged) this.#peer.transport.resume()
  }

  /** As in nginx, bytes of either side count; while the client takes nothing, the backend cannot be heard. */
  heard(): void {
    if (this.#over) return
    if (this.#client.transport.backlogged) this.#readTimer.stop()
    else this.#readTimer.start(this.#readTimeout)
  }

  /** Ends when both sides have, and what goes to the backend is with the system; the rest the client's owner sees to. */
  settle(): void {
    if (this.#over || this.#peer.transport.backlogged) return
    const { gone } = this.#client
    if (gone !== null) this.end({ kind: 'client gone', error: gone.error })
    else if (this.#client.ended && this.#peer.ended) this.end({ kind: 'ended' })
  }

  /** The connection of `side` is closed. What the client had sent before still goes to the backend. */
  lost(side: Side): void {
    if (side === this.#peer) return this.end({ kind: 'peer gone', error: this.#peer.gone!.error })
    side.ended = true
    this.#peer.transport.end()
    this.settle()
  }

  end(end: TunnelEnd): void {
    if (this.#over) return
    this.#over = true
    this.#readTimer.dispose()
    this.#client.dispose()
    this.#peer.dispose()
    const { transport, gone } = this.#client
    this.#ended(end)
    if (gone !== null && transport.owner !== this.#client) transport.owner.onClose(gone.error)
  }
}
