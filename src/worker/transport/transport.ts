// What the engine knows of a connection: bytes in, bytes out, backpressure, close. TCP and unix sockets implement it
// (handle-transport.ts, socket-transport.ts), and an in-memory one in the tests; TLS will.

/** Who is told what happens on a transport. Exactly one at a time; it may be replaced between two calls. */
export interface TransportOwner {
  /**
   * `bytes[start, end)` arrived. The buffer is the transport's and valid only during the call; what stands before
   * `start` in it is scratch that `send` may overwrite.
   */
  onData(bytes: Buffer, start: number, end: number): void
  /** The peer will send no more. */
  onEnd(): void
  /** Everything sent is with the kernel, after a `send` that returned false. */
  onDrain(): void
  /**
   * What was queued while the transport was `settling` is not with the kernel all the same: the peer is slow. Told by
   * transports that settle, once for each time; `onDrain` follows as ever.
   */
  onSlow?(): void
  /** The transport is closed by the peer or by an error (null: closed by us). Called once, last, never from inside a call to the transport. */
  onClose(error: NodeJS.ErrnoException | null): void
}

export interface Transport {
  owner: TransportOwner
  /** Peer's IP address without IPv4-mapping; '' for unix sockets and for one reset before it was looked at. */
  readonly remoteAddress: string
  readonly remotePort: number
  /** Own side of the connection; '' and 0 for unix sockets. */
  readonly localAddress: string
  readonly localPort: number
  /** Some of what was sent is not with the kernel yet. */
  readonly backlogged: boolean
  /**
   * They wait for nothing but the transport itself, and may well be with the kernel by the end of this turn: no sign yet
   * of a peer that is slow.
   */
  readonly settling: boolean
  /**
   * How many bytes those are, as far as it is known: fewer than before means that the peer has taken some. Of a transport
   * that has failed: how many there were then.
   */
  readonly queued: number
  /**
   * Sends `prefix`, `bytes[start, end)` and `suffix` (latin1) in one operation. The caller may reuse `bytes` at once, unless
   * it has said that they stay as they are (`keepSteady`).
   * false: wait for `onDrain` before sending more (what was given is taken all the same).
   */
  send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean
  /** No `onData` until `resume`. A new transport is paused. */
  pause(): void
  resume(): void
  /** Whether small segments leave at once (TCP_NODELAY), as they do on a new transport. */
  setNoDelay(on: boolean): void
  /** Sends what is queued, then the end of our side; reading goes on. */
  end(): void
  /** Closes when what was sent is with the kernel. */
  close(): void
  /** Closes at once; `reset` with RST instead of FIN. */
  destroy(reset?: boolean): void
}

/** Strips the IPv4-mapped form that dual-stack sockets show. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** The owner of a transport that has none yet; it is paused. */
export const nobody: TransportOwner = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} }
