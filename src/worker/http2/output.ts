// What a connection sends: frames of all its streams, gathered through a turn of the event loop and given to the
// transport in one piece at its end, or as soon as there is much of it. Keeps the connection's send window.

import { latin1, writeLatin1 } from '../../shared/latin1.ts'
import { beforeTickEnd } from '../tick.ts'
import { acquire, READ_SIZE, type ReadBuffer, release } from '../transport/read-buffer.ts'
import type { Transport } from '../transport/transport.ts'
import {
  DATA,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  END_STREAM,
  FRAME_HEAD_LENGTH,
  frameHead,
} from './frames.ts'
import type { Guard } from './guard.ts'

/** Content up to this size becomes text, which the transport writes without a buffer. */
const TEXT_LIMIT = 8192
/** As much text is sent at once. */
const GATHERED = 49152
/** Bytes of frames in one piece of memory, one of the transports' buffers: as many as a transport sends at once. */
const ROOM = READ_SIZE
/** Frames shorter than this are not made to fill it up. */
const SHORT = 1024
/** nginx's bound of frames that wait for a client which reads nothing. */
const MAX_WAITING = 10000

/** Told what becomes of what is sent. */
export interface OutputOwner {
  /** Before anything gathered is sent: the last chance to add to it. */
  beforeSending(): void
  /** The transport was given something; it may be backlogged. */
  sent(): void
  /** The client takes nothing and makes us answer on and on. */
  tooMuchWaiting(): void
}

export class Output {
  /** Bytes of content that the client takes on all streams together. */
  window = DEFAULT_WINDOW
  /** Payload that the client takes in a frame. */
  frameSize = DEFAULT_FRAME_SIZE
  readonly #transport: Transport
  readonly #owner: OutputOwner
  readonly #guard: Guard
  #text = ''
  #scheduled = false
  /** Frames of the connection's own since the transport has last been without backlog. */
  #waiting = 0
  /** Bytes of frame heads for the content that is being sent. */
  #framed = 0
  #stopped = false
  readonly #endOfTurn = (): void => {
    this.#scheduled = false
    this.flush()
  }

  constructor(transport: Transport, owner: OutputOwner, guard: Guard) {
    this.#transport = transport
    this.#owner = owner
    this.#guard = guard
  }

  /** The client has not taken what it was sent. */
  get backlogged(): boolean {
    return this.#transport.backlogged
  }

  /** That may be over by the end of this turn. */
  get settling(): boolean {
    return this.#transport.settling
  }

  /** Bytes that are not with the kernel. */
  get queued(): number {
    return this.#text.length + this.#transport.queued
  }

  /** Sends a frame about the connection or its streams. */
  control(frame: string): void {
    if (this.#stopped) return
    if (this.#transport.backlogged && ++this.#waiting > MAX_WAITING) return this.#owner.tooMuchWaiting()
    this.#add(frame)
  }

  /** Sends HEADERS frames. */
  headers(frames: string): void {
    if (this.#stopped) return
    this.#guard.used(frames.length)
    this.#add(frames)
  }

  /**
   * Sends DATA frames with `bytes[start, end)`, which the windows allow, in chunks of `chunk`; `last`: the stream ends.
   * Returns how many bytes it takes beside the content.
   */
  data(id: number, bytes: Buffer, start: number, end: number, last: boolean, chunk: number): number {
    if (this.#stopped) return 0
    const length = end - start
    this.window -= length
    this.#guard.used(length)
    const size = chunk < this.frameSize ? chunk : this.frameSize
    this.#framed = 0
    let at = length > TEXT_LIMIT ? this.#sendBytes(id, bytes, start, end, last, size) : start
    let frames = ''
    while (at < end) {
      const stop = at + size < end ? at + size : end
      frames += this.#head(id, stop - at, last && stop === end) + latin1(bytes, at, stop)
      at = stop
    }
    if (frames !== '') this.#add(frames)
    return this.#framed
  }

  #head(id: number, length: number, last: boolean): string {
    this.#framed += FRAME_HEAD_LENGTH
    return frameHead(length, DATA, last ? END_STREAM : 0, id)
  }

  /** Ends a stream behind its content. */
  endOfData(id: number): void {
    if (!this.#stopped) this.#add(frameHead(0, DATA, END_STREAM, id))
  }

  #add(frames: string): void {
    this.#text += frames
    if (this.#text.length >= GATHERED) return this.#sendText()
    if (this.#scheduled) return
    this.#scheduled = true
    beforeTickEnd(this.#endOfTurn)
  }

  /**
   * Puts frames together behind what is gathered, in as few pieces as memory allows. Returns the position of a short rest,
   * if one is left.
   */
  #sendBytes(id: number, bytes: Buffer, start: number, end: number, last: boolean, size: number): number {
    let room = acquire()
    let used = this.#text.length
    writeLatin1(room, this.#text, 0)
    this.#text = ''
    let at = start
    while (at < end) {
      const left = ROOM - used - FRAME_HEAD_LENGTH
      if (left < SHORT && left < end - at) {
        this.#send(room, used)
        if (end - at <= TEXT_LIMIT) {
          this.#owner.sent()
          return at
        }
        room = acquire()
        used = 0
        continue
      }
      const stop = Math.min(at + size, end, at + left)
      writeLatin1(room, this.#head(id, stop - at, last && stop === end), used)
      used += FRAME_HEAD_LENGTH
      bytes.copy(room, used, at, stop)
      used += stop - at
      at = stop
    }
    this.#send(room, used)
    this.#owner.sent()
    return end
  }

  #send(room: ReadBuffer, used: number): void {
    this.#guard.transferred(used)
    this.#transport.send('', room, 0, used, '')
    // What the kernel has not taken stays in it, and it goes back when that has left.
    if (room.pins === 0) release(room)
  }

  #sendText(): void {
    const text = this.#text
    this.#text = ''
    this.#guard.transferred(text.length)
    this.#transport.send(text, null, 0, 0, '')
    this.#owner.sent()
  }

  /** Sends what is gathered now. */
  flush(): void {
    if (this.#stopped) return
    this.#owner.beforeSending()
    if (this.#text !== '') this.#sendText()
  }

  /** The transport has passed everything on. */
  drained(): void {
    this.#waiting = 0
  }

  /** Sends what is gathered, and nothing more. */
  stop(): void {
    if (this.#text !== '' && !this.#stopped) this.#sendText()
    this.#stopped = true
  }
}
