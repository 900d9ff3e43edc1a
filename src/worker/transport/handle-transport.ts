// A Transport directly on the libuv handle of a socket. This is the one file of the worker that uses private members
// of Node (`socket._handle`, the stream_wrap binding); open.ts falls back to socket-transport.ts when they are not as
// expected. It saves the stream machinery of net.Socket on every read and write, and its memory per connection.

import { Socket, type SocketConstructorOpts } from 'node:net'
import { getSystemErrorName } from 'node:util'
import { latin1, writeLatin1 } from '../../shared/latin1.ts'
import { atTickEnd } from '../tick.ts'
import { crashed } from './crash.ts'
import {
  acquire,
  attach,
  detach,
  HEADROOM,
  isSpare,
  READ_SIZE,
  type ReadBuffer,
  release,
  sharedBuffer,
  unpin,
} from './read-buffer.ts'
import { plainAddress, type Transport, type TransportOwner } from './transport.ts'

interface AddressInfo {
  address?: string
  port?: number
}

/** The part of Node's stream handle in use here. Writes return 0 or a negative errno. */
interface Handle {
  onread: (this: Handle) => Buffer | undefined
  transport: HandleTransport
  useUserBuffer(buffer: Buffer): void
  readStart(): number
  readStop(): number
  writeLatin1String(request: WriteRequest, text: string): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  /** Texts are each followed by their encoding, pieces of memory by 'buffer'. */
  writev(request: WriteRequest, pieces: (Uint8Array | string)[], allBuffers: false): number
  shutdown(request: object): number
  close(done?: () => void): void
  reset?(done?: () => void): number
  setNoDelay?(on: boolean): number
  readonly writeQueueSize?: number
  getpeername?(out: AddressInfo): number
  getsockname?(out: AddressInfo): number
}

interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | undefined
  transport: HandleTransport | null
  /** What is being written, if it has to be kept or given back. */
  pinned: ReadBuffer | null
}

interface StreamBinding {
  WriteWrap: new () => WriteRequest
  ShutdownWrap: new () => object
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

const EOF = -4095
/** Bodies up to this size are sent as one string together with the head; Node writes such strings without a copy on the heap. */
const STRING_LIMIT = 12288

function loadBinding(): StreamBinding | null {
  try {
    const binding = (process as unknown as { binding(name: string): StreamBinding }).binding('stream_wrap')
    const complete =
      typeof binding.WriteWrap === 'function' &&
      typeof binding.ShutdownWrap === 'function' &&
      binding.streamBaseState instanceof Int32Array &&
      typeof binding.kReadBytesOrError === 'number' &&
      typeof binding.kLastWriteWasAsync === 'number'
    return complete ? binding : null
  } catch {
    return null
  }
}

const binding = process.env.WEIR_TRANSPORT === 'socket' ? null : loadBinding()

/** Takes the handle out of `socket` (paused, nothing read yet), or null when this Node does not have what is needed. */
export function stealHandle(socket: Socket, owner: TransportOwner): HandleTransport | null {
  if (binding === null) return null
  const holder = socket as unknown as { _handle: Handle | null }
  const handle = holder._handle
  if (handle === null || typeof handle !== 'object') return null
  if (typeof handle.useUserBuffer !== 'function' || typeof handle.writeLatin1String !== 'function')
    return null
  holder._handle = null
  return new HandleTransport(handle, owner, binding)
}

/** Used by writes that finish at once, which is nearly all: only a write that waits keeps its request object. */
let spareRequest: WriteRequest | null = null

export class HandleTransport implements Transport {
  owner: TransportOwner
  readonly remoteAddress: string
  readonly remotePort: number
  #local: AddressInfo | null = null
  readonly #handle: Handle
  readonly #binding: StreamBinding
  /** A read buffer of this transport's own, or null on the shared one. */
  #buffer: ReadBuffer | null = null
  #unfinished = 0
  #state: 'open' | 'closing' | 'closed' = 'open'
  #reading = false
  #ended = false
  #failure = 0
  /** What was queued when it failed. */
  #left = 0

  constructor(handle: Handle, owner: TransportOwner, streamBinding: StreamBinding) {
    this.owner = owner
    this.#handle = handle
    this.#binding = streamBinding
    const peer: AddressInfo = {}
    handle.getpeername?.(peer)
    this.remoteAddress = plainAddress(peer.address ?? '')
    this.remotePort = peer.port ?? 0
    handle.transport = this
    handle.onread = onRead
    handle.useUserBuffer(sharedBuffer.window!)
  }

  get localAddress(): string {
    return plainAddress(this.#localInfo().address ?? '')
  }

  get localPort(): number {
    return this.#localInfo().port ?? 0
  }

  get backlogged(): boolean {
    return this.#unfinished > 0
  }

  get settling(): boolean {
    return false
  }

  get queued(): number {
    return this.#failure !== 0 || this.#state === 'closed' ? this.#left : this.#queued()
  }

  send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    if (this.#state !== 'open') return true
    if (bytes === null || end === start) return this.#sendText(prefix + suffix)
    if (end - start <= STRING_LIMIT) return this.#sendText(prefix + latin1(bytes, start, end) + suffix)
    const own = bytes as ReadBuffer
    if (own.steady === true) return this.#sendSteady(prefix, own, start, end, suffix)
    if (own.pins === undefined || own === sharedBuffer || start < prefix.length) {
      return this.#sendCopy(prefix, bytes, start, end, suffix)
    }
    // What stands before `start` has been used up: the prefix goes there, and the whole leaves as one piece.
    if (prefix.length > 0) writeLatin1(own, prefix, start - prefix.length)
    const more = this.#sendBytes(own.subarray(start - prefix.length, end), own)
    return suffix === '' ? more : this.#sendText(suffix)
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    if (this.#state !== 'closed') this.#handle.readStop()
  }

  resume(): void {
    if (this.#reading || this.#state === 'closed') return
    this.#reading = true
    const error = this.#handle.readStart()
    if (error !== 0) this.#fail(error)
  }

  setNoDelay(on: boolean): void {
    if (this.#state !== 'closed') this.#handle.setNoDelay?.(on)
  }

  end(): void {
    if (this.#state !== 'open' || this.#ended) return
    this.#ended = true
    this.#handle.shutdown(new this.#binding.ShutdownWrap())
  }

  close(): void {
    if (this.#state !== 'open') return
    if (this.#unfinished === 0) return this.destroy()
    this.#state = 'closing'
  }

  destroy(reset = false): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#reading = false
    // A handle that is shutting down refuses the reset, and Node takes it for closed all the same.
    if (reset && !this.#ended && this.#handle.reset !== undefined) this.#handle.reset(closed.bind(this))
    else this.#handle.close(closed.bind(this))
  }

  /** Gives the connection away, in a socket that is paused: nobody is told of it here any more. */
  release(): Socket {
    this.pause()
    this.#state = 'closed'
    if (this.#buffer !== null) detach(this.#buffer)
    this.#buffer = null
    const options: object = { handle: this.#handle, allowHalfOpen: true, pauseOnCreate: true }
    return new Socket(options as SocketConstructorOpts)
  }

  /** Called by the handle: `count` bytes in the read buffer, or a negative errno. Returns the buffer for the next read where it changes. */
  received(count: number): Buffer | undefined {
    if (count > 0) return this.#receivedBytes(count)
    if (count === EOF) {
      this.pause()
      if (this.#state === 'open') this.owner.onEnd()
    } else if (count < 0) {
      this.#fail(count)
    }
    return undefined
  }

  /** Called by a write that had to wait. */
  written(status: number): void {
    this.#unfinished--
    if (status < 0) return this.#fail(status)
    if (this.#unfinished > 0) return
    if (this.#state === 'closing') this.destroy()
    else if (this.#state === 'open') this.owner.onDrain()
  }

  /** Called when the handle is closed. */
  finished(): void {
    if (this.#buffer !== null) detach(this.#buffer)
    this.#buffer = null
    this.owner.onClose(this.#failure === 0 ? null : errnoError(this.#failure))
  }

  #receivedBytes(count: number): Buffer | undefined {
    if (this.#state !== 'open') return undefined
    const buffer = this.#buffer ?? sharedBuffer
    this.owner.onData(buffer, HEADROOM, HEADROOM + count)
    const own = this.#buffer
    if (own === null) {
      // A full read: a large body is passing. From here on its bytes need no copy.
      return count === READ_SIZE && this.#state === 'open' ? this.#attach() : undefined
    }
    if (own.pins! > 0) {
      // A write still uses it: read on into another one.
      detach(own)
      return this.#attach()
    }
    if (!isSpare(own, count)) return undefined
    detach(own)
    this.#buffer = null
    return sharedBuffer.window
  }

  /** Reads into a buffer of this transport's own from now on, if there is one to be had. */
  #attach(): Buffer | undefined {
    this.#buffer = attach()
    return (this.#buffer ?? sharedBuffer).window
  }

  #sendText(text: string): boolean {
    const request = (spareRequest ??= new this.#binding.WriteWrap())
    return this.#sent(request, this.#handle.writeLatin1String(request, text), null)
  }

  #sendBytes(view: Buffer, pinned: ReadBuffer): boolean {
    const request = (spareRequest ??= new this.#binding.WriteWrap())
    return this.#sent(request, this.#handle.writeBuffer(request, view), pinned)
  }

  /** Sends bytes that stay as they are, with what goes around them, in one piece. */
  #sendSteady(prefix: string, bytes: ReadBuffer, start: number, end: number, suffix: string): boolean {
    const view = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    if (prefix === '' && suffix === '') return this.#sendBytes(view, bytes)
    const request = (spareRequest ??= new this.#binding.WriteWrap())
    const pieces = [prefix, 'latin1', view, 'buffer', suffix, 'latin1']
    if (suffix === '') pieces.length = 4
    return this.#sent(request, this.#handle.writev(request, pieces, false), bytes)
  }

  /** Sends bytes that will not stay where they are, through buffers of the pool. */
  #sendCopy(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    let position = start
    let head = prefix
    do {
      if (head.length > HEADROOM) {
        this.#sendText(head)
        head = ''
      }
      const stop = Math.min(end, position + READ_SIZE)
      const copy = acquire()
      const at = HEADROOM - head.length
      if (head !== '') writeLatin1(copy, head, at)
      bytes.copy(copy, HEADROOM, position, stop)
      this.#sendBytes(copy.subarray(at, HEADROOM + stop - position), copy)
      if (copy.pins === 0) release(copy)
      head = ''
      position = stop
    } while (position < end)
    if (suffix !== '') this.#sendText(suffix)
    return this.#unfinished === 0
  }

  #sent(request: WriteRequest, error: number, pinned: ReadBuffer | null): boolean {
    if (error !== 0) {
      this.#fail(error)
      return true
    }
    if (this.#binding.streamBaseState[this.#binding.kLastWriteWasAsync] === 0) return this.#unfinished === 0
    spareRequest = null
    request.oncomplete = onWritten
    request.transport = this
    request.pinned = pinned
    if (pinned !== null && pinned.steady !== true) pinned.pins!++
    this.#unfinished++
    return false
  }

  #fail(error: number): void {
    if (this.#failure !== 0 || this.#state === 'closed') return
    this.#left = this.#queued()
    this.#failure = error
    atTickEnd(() => this.destroy())
  }

  #queued(): number {
    return this.#handle.writeQueueSize ?? this.#unfinished
  }

  #localInfo(): AddressInfo {
    if (this.#local === null) {
      this.#local = {}
      this.#handle.getsockname?.(this.#local)
    }
    return this.#local
  }
}

function onRead(this: Handle): Buffer | undefined {
  try {
    return this.transport.received(binding!.streamBaseState[binding!.kReadBytesOrError]!)
  } catch (error) {
    crashed(this.transport, error)
    return undefined
  }
}

function onWritten(this: WriteRequest, status: number): void {
  if (this.pinned !== null && this.pinned.steady !== true) unpin(this.pinned)
  this.pinned = null
  const transport = this.transport!
  this.transport = null
  try {
    transport.written(status)
  } catch (error) {
    crashed(transport, error)
  }
}

function closed(this: HandleTransport): void {
  this.finished()
}

function errnoError(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(code), { code, errno })
}
