// After 101 Switching Protocols: bytes both ways, whatever they mean, until either side ends (RFC 9110 section 7.8).
// WebSocket runs through here.

import { Timer } from '../timer.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'

/** Why a tunnel ended. */
export type TunnelEnd = 'closed' | 'peer timeout' | 'client timeout'

export interface TunnelSettings {
  /** Milliseconds the backend may say nothing. */
  readTimeout: number
  /** Milliseconds either side may take nothing. */
  sendTimeout: number
}

/** One direction's receiver: what one side sends goes to the other. */
class Side implements TransportOwner {
  readonly #tunnel: Tunnel
  readonly transport: Transport
  bytes = 0

  constructor(tunnel: Tunnel, transport: Transport) {
    this.#tunnel = tunnel
    this.transport = transport
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start
    this.#tunnel.pass(this, bytes, start, end)
  }

  onEnd(): void {
    this.#tunnel.end('closed')
  }

  onDrain(): void {
    this.#tunnel.drained(this)
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    this.#tunnel.end('closed')
    // Whoever has the transport back by now learns that it is gone.
    if (this.transport.owner !== this) this.transport.owner.onClose(error)
  }
}

export class Tunnel {
  readonly #client: Side
  readonly #peer: Side
  readonly #settings: TunnelSettings
  readonly #ended: (end: TunnelEnd) => void
  readonly #readTimer = new Timer(() => this.end('peer timeout'))
  readonly #sendTimer = new Timer(() => this.end('client timeout'))
  #over = false

  /** Takes both transports over; `ended` is called once and has to close them. */
  constructor(client: Transport, peer: Transport, settings: TunnelSettings, ended: (end: TunnelEnd) => void) {
    this.#settings = settings
    this.#ended = ended
    this.#client = new Side(this, client)
    this.#peer = new Side(this, peer)
    client.owner = this.#client
    peer.owner = this.#peer
    this.#readTimer.start(settings.readTimeout)
  }

  /** Bytes the client and the backend have sent. */
  get clientBytes(): number {
    return this.#client.bytes
  }

  get peerBytes(): number {
    return this.#peer.bytes
  }

  /** Begins to read, after what came early: `fromClient` before the switch, `fromPeer` behind its head. */
  start(fromClient: Buffer | null, fromPeer: Buffer | null): void {
    if (fromPeer !== null) this.#peer.onData(fromPeer, 0, fromPeer.length)
    if (fromClient !== null) this.#client.onData(fromClient, 0, fromClient.length)
    if (this.#over) return
    if (!this.#peer.transport.backlogged) this.#client.transport.resume()
    if (!this.#client.transport.backlogged) this.#peer.transport.resume()
  }

  /** Sends what `from` received to the other side, and reads no more from it than the other side takes. */
  pass(from: Side, bytes: Buffer, start: number, end: number): void {
    if (this.#over) return
    const to = from === this.#client ? this.#peer : this.#client
    if (from === this.#peer) this.#readTimer.start(this.#settings.readTimeout)
    if (to.transport.send('', bytes, start, end, '')) return
    from.transport.pause()
    if (from === this.#peer) this.#readTimer.stop()
    this.#sendTimer.start(this.#settings.sendTimeout)
  }

  /** `side` has taken everything: the other may go on. */
  drained(side: Side): void {
    if (this.#over) return
    const from = side === this.#client ? this.#peer : this.#client
    if (from === this.#peer) this.#readTimer.start(this.#settings.readTimeout)
    if (!from.transport.backlogged) this.#sendTimer.stop()
    from.transport.resume()
  }

  end(end: TunnelEnd): void {
    if (this.#over) return
    this.#over = true
    this.#readTimer.dispose()
    this.#sendTimer.dispose()
    this.#ended(end)
  }
}
