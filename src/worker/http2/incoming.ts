// What a client sends on an HTTP/2 connection, frame by frame: each is held to the rules, and what it means is told to
// the connection. Header blocks are read here, as all of them have to be, also those that nobody wants.

import { latin1 } from '../../shared/latin1.ts'
import type { HeadRules } from '../http1/head-rules.ts'
import type { ClosedStreams } from './closed-streams.ts'
import { frameFault, frameName, isUseless } from './frame-rules.ts'
import {
  ACK,
  CANCEL,
  CONTINUATION,
  DATA,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  FrameReader,
  type FrameTarget,
  HEADERS,
  INTERNAL_ERROR,
  LARGEST_WINDOW,
  NO_ERROR as NONE,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  pingFrame,
  RST_STREAM,
  readStreamId,
  readUint32,
  SETTINGS,
  SETTINGS_ACK,
  STREAM_CLOSED,
  WINDOW_UPDATE,
  windowUpdateFrame,
} from './frames.ts'
import type { Guard } from './guard.ts'
import { Heads } from './heads.ts'
import type { Output } from './output.ts'
import type { Http2Head } from './request-head.ts'
import { type ConnectionError, readSettings, type SettingsTarget } from './settings.ts'
import type { Http2Stream } from './stream.ts'

/** The connection, as its frames see it. */
export interface IncomingOwner {
  readonly streams: ReadonlyMap<number, Http2Stream>
  readonly closedStreams: ClosedStreams
  readonly output: Output
  readonly guard: Guard
  /** How heads are read. */
  readonly headRules: HeadRules
  /** The client has broken a rule that ends the connection, which is logged. */
  fail(error: ConnectionError): void
  /** A stream is reset, for what is logged (level info); '': for nothing that is. */
  resetStream(id: number, code: number, reason: string): void
  /**
   * A new stream begins. false: its head is not wanted. `length`: bytes of the header block; `ended`: no content follows.
   */
  streamBegins(id: number, ended: boolean): boolean
  /** The head of a new stream is complete; it is the connection's from here on. */
  requestComes(id: number, head: Http2Head, length: number, ended: boolean): void
  /** The client gives up a stream. */
  streamCancelled(stream: Http2Stream, reason: string): void
  /** Windows have been opened: those of a stream, or (null) of more. */
  windowOpened(stream: Http2Stream | null): void
}

/** The connection's window is opened again when less than this is left of it. */
const LEAST_WINDOW = LARGEST_WINDOW / 4

const tooMany = (what: string): ConnectionError => ({
  code: ENHANCE_YOUR_CALM,
  reason: `client sent too many ${what} frames`,
})

export class Incoming implements FrameTarget, SettingsTarget {
  /** The client knows our settings. */
  acknowledged = false
  /** Bytes of content that each of the client's streams takes at first. */
  sendWindow = 65535
  readonly #owner: IncomingOwner
  readonly #reader = new FrameReader(this)
  readonly #heads: Heads
  /** The first frame, which has to be SETTINGS, has come. */
  #begun = false
  /** Bytes of content that the client may send on all streams together. */
  #window = LARGEST_WINDOW
  /** The stream of the DATA frame that is being read; null: nobody wants it. */
  #stream: Http2Stream | null = null
  /** Bytes of it that have not come yet. */
  #left = 0
  /** None of it has been content. */
  #empty = true

  /** The last stream that the client has begun. */
  get lastId(): number {
    return this.#heads.lastId
  }

  constructor(owner: IncomingOwner) {
    this.#owner = owner
    this.#heads = new Heads(owner)
  }

  /** The bytes so far end in the middle of a frame, or of a header block. */
  get incomplete(): boolean {
    return this.#heads.open || !this.#reader.atBoundary
  }

  /** ... of a header block. */
  get inBlock(): boolean {
    return this.#heads.open
  }

  read(bytes: Buffer, start: number, end: number): void {
    this.#reader.read(bytes, start, end)
  }

  /** Nothing more is read. */
  stop(): void {
    this.#heads.stop()
    this.#reader.stop()
  }

  #fail(code: number, reason: string): void {
    this.#owner.fail({ code, reason })
  }

  // --- frames

  frameBegins(type: number, flags: number, streamId: number, length: number): number {
    const error = this.#faultOf(type, flags, streamId, length)
    if (error !== null) {
      this.#owner.fail(error)
      return error.code === NONE ? ENHANCE_YOUR_CALM : error.code
    }
    if (type === DATA) return this.#dataBegins(streamId, length)
    return NONE
  }

  #faultOf(type: number, flags: number, streamId: number, length: number): ConnectionError | null {
    if (this.#heads.open) {
      if (type !== CONTINUATION) {
        return {
          code: PROTOCOL_ERROR,
          reason: 'client sent inappropriate frame while CONTINUATION was expected',
        }
      }
      if (streamId !== this.#heads.streamId) {
        return { code: PROTOCOL_ERROR, reason: 'client sent CONTINUATION frame with incorrect identifier' }
      }
      return null
    }
    if (type === CONTINUATION) {
      return { code: PROTOCOL_ERROR, reason: 'client sent unexpected CONTINUATION frame' }
    }
    const fault = frameFault(type, flags, streamId, length)
    if (fault !== null) return fault
    if (!this.#begun) {
      if (type !== SETTINGS || (flags & ACK) !== 0) {
        return { code: PROTOCOL_ERROR, reason: `client sent ${frameName(type)} frame before SETTINGS` }
      }
      this.#begun = true
    }
    return isUseless(type) && !this.#owner.guard.frame() ? tooMany(frameName(type)) : null
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case HEADERS:
        return this.#heads.headers(flags, streamId, bytes, start, end)
      case CONTINUATION:
        return this.#heads.continuation(flags, bytes, start, end)
      case PRIORITY:
        return this.#priority(streamId, readStreamId(bytes, start))
      case RST_STREAM:
        return this.#reset(streamId, readUint32(bytes, start))
      case SETTINGS:
        return this.#settings(flags, bytes, start, end)
      case PING:
        if ((flags & ACK) === 0) this.#owner.output.control(pingFrame(ACK, latin1(bytes, start, end)))
        return
      case WINDOW_UPDATE:
        return this.#windowUpdate(streamId, readStreamId(bytes, start))
      default:
      // GOAWAY: the client will open no more streams, and close. Unknown types are to be ignored (section 4.1).
    }
  }

  tooLong(type: number, streamId: number, length: number): void {
    const where = streamId === 0 ? '' : ` for stream ${streamId}`
    this.#fail(FRAME_SIZE_ERROR, `client sent too long ${frameName(type)} frame${where}: ${length} bytes`)
  }

  badPadding(length: number, padding: number): void {
    const what = length === 0 ? 'length: 0' : `length: ${length - 1}, padding: ${padding}`
    this.#fail(
      length === 0 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR,
      `client sent padded DATA frame with incorrect ${what}`,
    )
  }

  // --- content

  #dataBegins(streamId: number, length: number): number {
    this.#stream = null
    this.#left = length
    this.#empty = true
    if (length > this.#window) {
      const what = `received DATA frame length ${length}, available window ${this.#window}`
      this.#fail(FLOW_CONTROL_ERROR, `client violated connection flow control: ${what}`)
      return FLOW_CONTROL_ERROR
    }
    this.#window -= length
    if (this.#window < LEAST_WINDOW) {
      this.#owner.output.control(windowUpdateFrame(0, LARGEST_WINDOW - this.#window))
      this.#window = LARGEST_WINDOW
    }
    const stream = this.#owner.streams.get(streamId)
    if (stream === undefined) return this.#dataForNone(streamId)
    if (stream.inClosed) {
      const reason = `client sent DATA frame for half-closed stream ${streamId}`
      this.#owner.resetStream(streamId, STREAM_CLOSED, reason)
      return NONE
    }
    const { body } = stream
    if (body !== null && length > body.room) {
      const what = `received DATA frame length ${length}, available window ${body.room}`
      const reason = `client violated flow control for stream ${streamId}: ${what}`
      this.#owner.resetStream(streamId, FLOW_CONTROL_ERROR, reason)
      return NONE
    }
    body?.frame(length)
    this.#stream = stream
    return NONE
  }

  /** Ours to ignore where we have reset the stream (section 5.1). */
  #dataForNone(streamId: number): number {
    const idle = this.#isIdle(streamId)
    const ending = idle ? null : this.#owner.closedStreams.endingOf(streamId)
    if (ending === 'reset by us') return NONE
    const reason = `client sent DATA frame for ${idle ? 'idle' : 'closed'} stream ${streamId}`
    if (idle || ending !== null) {
      const code = idle ? PROTOCOL_ERROR : STREAM_CLOSED
      this.#fail(code, reason)
      return code
    }
    // Never used, or forgotten.
    this.#owner.resetStream(streamId, STREAM_CLOSED, reason)
    return NONE
  }

  #isIdle(streamId: number): boolean {
    return streamId > this.lastId || streamId % 2 === 0
  }

  data(_id: number, flags: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const stream = this.#stream
    const ended = last && (flags & END_STREAM) !== 0
    if (start < end) {
      this.#left -= end - start
      this.#empty = false
      this.#owner.guard.used(end - start)
    } else if (this.#empty && last && !ended && !this.#owner.guard.frame()) {
      return this.#owner.fail(tooMany('empty DATA'))
    }
    if (stream === null) return
    if (last && this.#left > 0) stream.body?.padding(this.#left)
    if (start < end || ended) stream.receive(bytes, start, end, ended)
    if (last) this.#stream = null
  }

  // --- about streams and the connection

  /** As nginx: taken, and of no effect, but a stream that depends on itself is reset. */
  #priority(streamId: number, dependency: number): void {
    if (dependency !== streamId || !this.#owner.streams.has(streamId)) return
    const reason = `client sent PRIORITY frame for stream ${streamId} with incorrect dependency`
    this.#owner.resetStream(streamId, PROTOCOL_ERROR, reason)
  }

  #reset(streamId: number, code: number): void {
    if (this.#isIdle(streamId)) {
      return this.#fail(PROTOCOL_ERROR, 'client sent RST_STREAM frame with incorrect identifier')
    }
    const stream = this.#owner.streams.get(streamId)
    if (stream === undefined) return
    const how =
      code === CANCEL
        ? `canceled stream ${streamId}`
        : code === INTERNAL_ERROR
          ? `terminated stream ${streamId} due to internal error`
          : `terminated stream ${streamId} with status ${code}`
    this.#owner.streamCancelled(stream, `client ${how}`)
  }

  #settings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & ACK) !== 0) {
      this.acknowledged = true
      return
    }
    const before = this.sendWindow
    const error = readSettings(bytes, start, end, this)
    if (error !== null) return this.#owner.fail(error)
    this.#owner.output.control(SETTINGS_ACK)
    // Once for all of them: one frame has room for thousands.
    if (this.sendWindow > before) this.#owner.windowOpened(null)
  }

  maxFrameSize(bytes: number): void {
    this.#owner.output.frameSize = bytes
  }

  initialWindow(bytes: number): ConnectionError | null {
    const change = bytes - this.sendWindow
    this.sendWindow = bytes
    for (const stream of this.#owner.streams.values()) {
      stream.writer.window += change
      if (stream.writer.window > LARGEST_WINDOW) {
        return {
          code: FLOW_CONTROL_ERROR,
          reason: `client sent SETTINGS frame with incorrect INITIAL_WINDOW_SIZE value ${bytes}`,
        }
      }
    }
    return null
  }

  #windowUpdate(streamId: number, increment: number): void {
    const { output, streams } = this.#owner
    const stream = streams.get(streamId)
    if (streamId !== 0 && stream === undefined) {
      if (this.#isIdle(streamId)) {
        this.#fail(PROTOCOL_ERROR, `client sent WINDOW_UPDATE frame for idle stream ${streamId}`)
      }
      return
    }
    if (increment === 0) {
      const reason = 'client sent WINDOW_UPDATE frame with incorrect window increment 0'
      if (stream === undefined) return this.#fail(PROTOCOL_ERROR, reason)
      return this.#owner.resetStream(streamId, PROTOCOL_ERROR, reason)
    }
    const target = stream === undefined ? output : stream.writer
    if (increment > LARGEST_WINDOW - target.window) {
      const what = `received WINDOW_UPDATE frame with window increment ${increment} not allowed for window ${target.window}`
      if (stream === undefined) {
        return this.#fail(FLOW_CONTROL_ERROR, `client violated connection flow control: ${what}`)
      }
      const reason = `client violated flow control for stream ${streamId}: ${what}`
      return this.#owner.resetStream(streamId, FLOW_CONTROL_ERROR, reason)
    }
    target.window += increment
    this.#owner.windowOpened(stream ?? null)
  }
}
