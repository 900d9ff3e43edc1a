// A Transport on the handle of a TLS socket whose handshake is over. Where handles are not as tls-handle.ts expects them,
// or `WEIR_TRANSPORT=socket` is set, socket-transport.ts does the same on the socket itself.
//
// The handle takes one write at a time, and is done with it on a later turn; but what it is given it has encrypted, and
// offered to the kernel, when the call returns. So a write that the kernel has taken whole counts as sent at once; what
// comes before the handle is ready again waits here, and leaves as one write. The handle only has to say that it is ready
// where something waits for that: else the request shows it when the next write comes, which saves a call for each.

import type { Socket } from 'node:net'
import { constants } from 'node:os'
import type { TLSSocket } from 'node:tls'
import { getSystemErrorName } from 'node:util'
import { latin1, writeLatin1 } from '../../shared/latin1.ts'
import { atTickEnd } from '../tick.ts'
import { Timer } from '../timer.ts'
import { TlsError } from '../tls/tls-error.ts'
import { crashed } from './crash.ts'
import { HEADROOM, type ReadBuffer, sharedBuffer } from './read-buffer.ts'
import { SocketTransport } from './socket-transport.ts'
import {
  binding,
  type RawHandle,
  type StreamBinding,
  type TlsHandle,
  tlsHandles,
  type WriteRequest,
} from './tls-handle.ts'
import { plainAddress, type Transport, type TransportOwner } from './transport.ts'

const EOF = -4095
const ENOBUFS = -105
/** Pieces up to this size are sent as text, together with what goes around them. */
const STRING_LIMIT = 12288
/** Bytes given to OpenSSL in one call at most: each call encrypts all of it, into memory of its own. */
const LONGEST_WRITE = 131072
/** Turns in which what OpenSSL has to send must have moved. */
const PATIENCE = 8
/**
 * Encrypted bytes held for the peer at most. What is sent here stays well below; the rest is what OpenSSL answers by
 * itself to a peer that asks for new keys (RFC 8446 section 4.6.3) again and again, and does not read.
 */
const MOST_HELD = 2 * LONGEST_WRITE
/** Milliseconds for the peer to take what says that we close, as in nginx. */
const CLOSING_TIME = 3000

/**
 * Takes over `socket`, whose handshake is over and from which nothing has been read, and the connection `beneath` it (the
 * same one where it has none of its own, as one that `tls.connect` made). To
 * be called as the handshake ends, in the same turn: what the peer has sent behind it must not be missed. The transport
 * is paused.
 */
export function openTlsTransport(socket: TLSSocket, beneath: Socket, owner: TransportOwner): Transport {
  const handles = tlsHandles(socket)
  if (binding !== null && handles !== null) {
    return new TlsTransport(socket, beneath, handles.handle, handles.raw, owner, binding)
  }
  // Node tells of nothing else what goes wrong on a socket that it has not made itself.
  socket.on('_tlsError', (error: Error) => socket.destroy(new TlsError(error)))
  return new SocketTransport(socket, owner, beneath)
}

class TlsTransport implements Transport {
  owner: TransportOwner
  readonly #socket: TLSSocket
  readonly #beneath: Socket
  readonly #handle: TlsHandle
  readonly #raw: RawHandle
  readonly #binding: StreamBinding
  readonly remoteAddress: string
  readonly remotePort: number
  #state: 'open' | 'closing' | 'closed' = 'open'
  #reading = false
  /** The handle may be at work on a write. */
  #writing = false
  /** That one, if it is quietly done; null: it will say so. */
  #quiet: WriteRequest | null = null
  /** One that is done. */
  #spare: WriteRequest | null = null
  /** That one waits behind something OpenSSL itself has to send: tickets, an answer to a new key. */
  #stuck = false
  /** The kernel has taken all of it. */
  #taken = false
  /** What waits for that, in order, and how many bytes it is. */
  #waiting: (string | Buffer)[] = []
  #waitingBytes = 0
  /** The owner has been told to wait for room. */
  #full = false
  /** Somebody may have stopped sending because of that. */
  #settles = false
  #ending = false
  #ended = false
  /** That it has ended is with the kernel, behind everything else. */
  #sentEnd = false
  /** What came while nobody wanted it: a read brings several records, which cannot be given back. */
  #held: Buffer[] | null = null
  #heldEnd = false
  #failure: NodeJS.ErrnoException | null = null
  /** What was queued when it failed. */
  #left = 0

  constructor(
    socket: TLSSocket,
    beneath: Socket,
    handle: TlsHandle,
    raw: RawHandle,
    owner: TransportOwner,
    streamBinding: StreamBinding,
  ) {
    this.owner = owner
    this.#socket = socket
    this.#beneath = beneath
    this.#handle = handle
    this.#raw = raw
    this.#binding = streamBinding
    this.remoteAddress = plainAddress(beneath.remoteAddress ?? '')
    this.remotePort = beneath.remotePort ?? 0
    handle.useUserBuffer(sharedBuffer.window!)
    handle.onread = () => this.#onRead()
    handle.onerror = (error) => this.#fail(new TlsError(error))
    handle.readStop()
    socket.on('error', (error) => this.#note(error))
    socket.once('close', () => this.#finished())
  }

  get localAddress(): string {
    return plainAddress(this.#beneath.localAddress ?? '')
  }

  get localPort(): number {
    return this.#beneath.localPort ?? 0
  }

  get backlogged(): boolean {
    return this.#waitingBytes > 0 || this.#rawQueue > 0
  }

  get settling(): boolean {
    return this.#writing && this.#failure === null && !this.#isQuietlyDone() && this.#raw.writeQueueSize === 0
  }

  get queued(): number {
    return this.#failure !== null || this.#state === 'closed'
      ? this.#left
      : this.#waitingBytes + this.#rawQueue
  }

  /** Bytes, encrypted, that the kernel has not taken yet. */
  get #rawQueue(): number {
    // What the kernel has taken whole stays so: nobody else writes.
    if (!this.#writing || this.#taken) return 0
    return this.#stuck ? this.#handle.writeQueueSize : this.#raw.writeQueueSize
  }

  send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    if (this.#state !== 'open' || this.#failure !== null) return true
    if (bytes === null || end === start) this.#sendText(prefix + suffix)
    else if (end - start <= STRING_LIMIT) this.#sendText(prefix + latin1(bytes, start, end) + suffix)
    else this.#sendLong(prefix, bytes, start, end, suffix)
    // The next long piece would be copied, for want of a handle that takes it: better it comes a turn later.
    this.#full = this.backlogged || (this.#writing && end - start > STRING_LIMIT)
    if (!this.#full) return true
    if (this.#quiet !== null) this.#tellWhenDone(this.#quiet)
    if (this.settling) this.#settles = true
    return false
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    if (this.#state !== 'closed') this.#handle.readStop()
  }

  resume(): void {
    if (this.#reading || this.#state === 'closed') return
    this.#reading = true
    if (this.#held !== null || this.#heldEnd) atTickEnd(() => this.#giveHeld())
    else this.#startReading()
  }

  setNoDelay(on: boolean): void {
    if (this.#state !== 'closed') this.#beneath.setNoDelay(on)
  }

  end(): void {
    if (this.#state !== 'open' || this.#ending) return
    this.#ending = true
    if (!this.#busy()) this.#shutdown()
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    if (!this.#busy()) this.#shutdown()
  }

  destroy(reset = false): void {
    if (this.#state === 'closed') return
    this.#left = this.queued
    this.#state = 'closed'
    this.#reading = false
    const resets = reset && !this.#ended && this.#beneath !== this.#socket
    // There is none on a unix socket.
    if (resets && this.#beneath.remotePort !== undefined) this.#beneath.resetAndDestroy()
    else this.#socket.destroy()
  }

  #startReading(): void {
    const error = this.#handle.readStart()
    if (error !== 0) this.#fail(errnoError(error))
  }

  #onRead(): Buffer | undefined {
    try {
      this.#received(this.#binding.streamBaseState[this.#binding.kReadBytesOrError]!)
    } catch (error) {
      crashed(this, error)
    }
    return undefined
  }

  #received(count: number): void {
    if (this.#state !== 'open') {
      // What keeps coming while the last bytes leave is of no use to anybody.
      if (count < 0 && count !== EOF) this.#fail(errnoError(count))
    } else if (count > 0) {
      if (this.#handle.writeQueueSize > MOST_HELD) this.#fail(errnoError(ENOBUFS))
      else if (this.#reading && this.#held === null)
        this.owner.onData(sharedBuffer, HEADROOM, HEADROOM + count)
      else (this.#held ??= []).push(Buffer.from(sharedBuffer.subarray(HEADROOM, HEADROOM + count)))
    } else if (count === EOF) {
      if (this.#reading && this.#held === null) this.#endOfPeer()
      else this.#heldEnd = true
    } else if (count < 0) {
      this.#fail(errnoError(count))
    }
  }

  #endOfPeer(): void {
    this.pause()
    this.owner.onEnd()
  }

  /** Gives what was held back, as long as the owner wants more. */
  #giveHeld(): void {
    try {
      while (this.#reading && this.#state === 'open' && this.#held !== null) {
        const part = this.#held.shift()!
        if (this.#held.length === 0) this.#held = null
        this.owner.onData(part, 0, part.length)
      }
      if (!this.#reading || this.#state !== 'open' || this.#held !== null) return
      if (!this.#heldEnd) return this.#startReading()
      this.#heldEnd = false
      this.#endOfPeer()
    } catch (error) {
      crashed(this, error)
    }
  }

  #isQuietlyDone(): boolean {
    return this.#quiet !== null && this.#quiet.getAsyncId() < 0
  }

  /** The handle is at work on a write, and will say when it is done. */
  #busy(): boolean {
    if (this.#quiet === null) return this.#writing
    if (!this.#isQuietlyDone()) {
      this.#tellWhenDone(this.#quiet)
      return true
    }
    this.#spare = this.#quiet
    this.#quiet = null
    this.#writing = false
    return false
  }

  #sendText(text: string): void {
    if (text === '') return
    if (this.#busy() || text.length > LONGEST_WRITE) return this.#enqueue(text)
    const request = this.#request()
    this.#sent(request, this.#handle.writeLatin1String(request, text))
  }

  /** More than goes as text. The handle has read the bytes when its call returns: they need not stay. */
  #sendLong(prefix: string, bytes: ReadBuffer, start: number, end: number, suffix: string): void {
    if (this.#busy() || prefix.length + end - start + suffix.length > LONGEST_WRITE) {
      if (prefix !== '') this.#enqueue(prefix)
      this.#enqueue(
        bytes.steady === true ? bytes.subarray(start, end) : Buffer.from(bytes.subarray(start, end)),
      )
      if (suffix !== '') this.#enqueue(suffix)
      return
    }
    if (bytes.pins !== undefined && bytes.steady !== true && start >= prefix.length) {
      // What stands before `start` has been used up: the prefix goes there, and the whole leaves as one piece.
      if (prefix !== '') writeLatin1(bytes, prefix, start - prefix.length)
      const request = this.#request()
      this.#sent(request, this.#handle.writeBuffer(request, bytes.subarray(start - prefix.length, end)))
      return this.#sendText(suffix)
    }
    this.#sentPieces([prefix, bytes.subarray(start, end), suffix])
  }

  #sentPieces(pieces: readonly (string | Buffer)[]): void {
    const list: (string | Buffer)[] = []
    for (const piece of pieces)
      if (piece.length > 0) list.push(piece, typeof piece === 'string' ? 'latin1' : 'buffer')
    const request = this.#request()
    this.#sent(request, this.#handle.writev(request, list, false))
  }

  #enqueue(piece: string | Buffer): void {
    this.#waiting.push(piece)
    this.#waitingBytes += piece.length
    if (!this.#busy()) this.#sendWaiting()
  }

  /** Sends as much of what waits as fits into one write. */
  #sendWaiting(): void {
    const pieces: (string | Buffer)[] = []
    let room = LONGEST_WRITE
    while (room > 0 && this.#waiting.length > 0) {
      const piece = this.#waiting[0]!
      if (piece.length <= room) {
        pieces.push(piece)
        this.#waiting.shift()
      } else {
        pieces.push(typeof piece === 'string' ? piece.slice(0, room) : piece.subarray(0, room))
        this.#waiting[0] = typeof piece === 'string' ? piece.slice(room) : piece.subarray(room)
      }
      room -= Math.min(room, piece.length)
    }
    this.#waitingBytes -= LONGEST_WRITE - room
    this.#sentPieces(pieces)
  }

  /** For a write that begins now. */
  #request(): WriteRequest {
    this.#stuck = this.#handle.writeQueueSize > 0
    const request = this.#spare ?? new this.#binding.WriteWrap()
    this.#spare = null
    request.transport = this
    request.oncomplete = onWritten
    this.#writing = true
    return request
  }

  #sent(request: WriteRequest, error: number): void {
    if (error !== 0) return this.#fail(errnoError(error))
    // It may have failed in the call already.
    if (!this.#writing) return
    if (this.#stuck) this.#checkStuck(PATIENCE)
    this.#taken = !this.#stuck && this.#raw.writeQueueSize === 0
    if (!this.#taken || this.#awaited) return
    this.#quiet = request
    request.oncomplete = undefined
  }

  /**
   * Where OpenSSL's own bytes could not be sent nobody has been told, and what stands behind them never leaves either:
   * they stay in the handle's queue while the connection has none.
   */
  #checkStuck(turns: number): void {
    setImmediate(() => {
      if (!this.#writing || !this.#stuck || this.#state === 'closed' || this.#failure !== null) return
      if (this.#raw.writeQueueSize > 0 || this.#handle.writeQueueSize === 0) return
      if (turns > 0) this.#checkStuck(turns - 1)
      else this.#fail(errnoError(-constants.errno.EPIPE))
    })
  }

  /** Something is to be done when the handle is ready. */
  get #awaited(): boolean {
    return this.#full || this.#waitingBytes > 0 || this.#ending || this.#state !== 'open'
  }

  #tellWhenDone(request: WriteRequest): void {
    this.#quiet = null
    request.oncomplete = onWritten
  }

  /** Called by the handle: it, and the kernel, are done with a write. */
  written(status: number): void {
    this.#writing = false
    if (this.#state === 'closed' || this.#failure !== null) return
    if (status < 0) return this.#fail(errnoError(status))
    if (this.#waitingBytes > 0) {
      this.#sendWaiting()
      if (!this.#settles || this.settling || this.#state !== 'open') return
      this.#settles = false
      this.owner.onSlow?.()
      return
    }
    this.#settles = false
    if (this.#state === 'closing' || this.#ending) this.#shutdown()
    if (!this.#full || this.#state === 'closing') return
    this.#full = false
    this.owner.onDrain()
  }

  /** Tells the peer that nothing more comes: close_notify, and the end of our side of the connection; closes behind it. */
  #shutdown(): void {
    if (!this.#ended) {
      this.#ended = true
      const request = new this.#binding.ShutdownWrap()
      request.oncomplete = () => {
        this.#sentEnd = true
        if (this.#state === 'closing') this.destroy()
      }
      if (this.#handle.shutdown(request) !== 0) return this.destroy()
    }
    if (this.#state !== 'closing') return
    if (this.#sentEnd) this.destroy()
    // A peer that reads nothing would keep it for as long as it likes.
    else if (this.#raw.writeQueueSize > 0) new Timer(() => this.destroy()).start(CLOSING_TIME)
  }

  /** The connection has failed; said once nothing of ours is at work. */
  #fail(error: Error): void {
    if (this.#failure !== null || this.#state === 'closed') return
    this.#left = this.queued
    this.#failure = error
    this.#waiting = []
    this.#waitingBytes = 0
    atTickEnd(() => this.destroy())
  }

  /** What the sockets say by themselves. */
  #note(error: Error): void {
    if (this.#state !== 'closed') this.#failure ??= error
  }

  #finished(): void {
    if (this.#state !== 'closed') this.#left = this.queued
    this.#state = 'closed'
    this.#waiting = []
    this.#held = null
    this.owner.onClose(this.#failure)
  }
}

function onWritten(this: WriteRequest, status: number): void {
  const transport = this.transport!
  this.transport = null
  try {
    transport.written(status)
  } catch (error) {
    crashed(transport, error)
  }
}

function errnoError(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(code), { code, errno })
}
