// What a client sends on an HTTP/2 connection, frame by frame: each is held to the rules, and what it means is told to
// the connection. Header blocks are read here, as all of them have to be, also those that nobody wants.

import { latin1 } from '../../shared/latin1.ts'
import type { HeadRules } from '../http1/head-rules.ts'
import type { ClosedStreams } from './closed-streams.ts'
import { fieldName } from './field-name.ts'
import { frameFault, frameName, isUseless } from './frame-rules.ts'
import {
  ACK,
  CANCEL,
  COMPRESSION_ERROR,
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
import { HeaderBlock } from './header-block.ts'
import { type FieldTarget, HpackDecoder } from './hpack/decoder.ts'
import type { Output } from './output.ts'
import { type Http2Head, isValue, releaseHead, takeHead } from './request-head.ts'
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

/** Bytes of header blocks there may be in all, as a multiple of what a head may be long. */
const BLOCK_RATIO = 2
const LEAST_BLOCK = 65536
/** The connection's window is opened again when less than this is left of it. */
const LEAST_WINDOW = LARGEST_WINDOW / 4

const tooMany = (what: string): ConnectionError => ({
  code: ENHANCE_YOUR_CALM,
  reason: `client sent too many ${what} frames`,
})

/** Takes fields that nobody wants. */
const NOBODY: FieldTarget = { field: () => false }

/** The trailer section of a request: it is held to the rules, and not passed on, as in HTTP/1. */
class Trailers implements FieldTarget {
  valid = true

  field(name: string, value: string): boolean {
    const { kind } = fieldName(name)
    if (kind === 'invalid' || kind === 'connection' || !isValue(value)) this.valid = false
    return this.valid
  }
}

export class Incoming implements FrameTarget, SettingsTarget {
  /** The last stream that the client has begun. */
  lastId = 0
  /** The client knows our settings. */
  acknowledged = false
  /** Bytes of content that each of the client's streams takes at first. */
  sendWindow = 65535
  readonly #owner: IncomingOwner
  readonly #reader = new FrameReader(this)
  readonly #decoder = new HpackDecoder(4096)
  readonly #block = new HeaderBlock()
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
  #stopped = false

  constructor(owner: IncomingOwner) {
    this.#owner = owner
  }

  /** The bytes so far end in the middle of a frame, or of a header block. */
  get incomplete(): boolean {
    return this.#block.open || !this.#reader.atBoundary
  }

  /** ... of a header block. */
  get inBlock(): boolean {
    return this.#block.open
  }

  read(bytes: Buffer, start: number, end: number): void {
    this.#reader.read(bytes, start, end)
  }

  /** Nothing more is read. */
  stop(): void {
    this.#stopped = true
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
    if (this.#block.open) {
      if (type !== CONTINUATION) {
        return {
          code: PROTOCOL_ERROR,
          reason: 'client sent inappropriate frame while CONTINUATION was expected',
        }
      }
      if (streamId !== this.#block.streamId) {
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
        return this.#headers(flags, streamId, bytes, start, end)
      case CONTINUATION:
        return this.#continuation(flags, bytes, start, end)
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

  // --- heads

  #headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const error = this.#block.begin(flags, streamId, bytes, start, end)
    if (error !== null) return this.#owner.fail(error)
    const stream = this.#owner.streams.get(streamId)
    if (stream === undefined || stream.inClosed) {
      if (streamId % 2 === 0 || streamId <= this.lastId) {
        const ending = this.#owner.closedStreams.endingOf(streamId)
        // Trailers, on their way when the stream was reset.
        if (ending !== 'reset by us' || (flags & END_STREAM) === 0) {
          const closed = stream !== undefined || ending !== null
          const which = `identifier ${streamId}, the last was ${this.lastId}`
          const reason = `client sent HEADERS frame with incorrect ${which}`
          return this.#fail(closed ? STREAM_CLOSED : PROTOCOL_ERROR, reason)
        }
      } else this.lastId = streamId
    }
    this.#readOn(streamId)
  }

  #continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const { count, size } = this.#owner.headRules.first.largeClientHeaderBuffers
    const limit = Math.max(LEAST_BLOCK, BLOCK_RATIO * count * size)
    const id = this.#block.streamId
    const error = this.#block.goOn(flags, bytes, start, end, limit)
    if (error !== null) return this.#owner.fail(error)
    this.#readOn(id)
  }

  /** Reads the block of `id` if it is whole. */
  #readOn(id: number): void {
    const block = this.#block
    if (!block.whole) return
    const stream = this.#owner.streams.get(id)
    const ended = (block.flags & END_STREAM) !== 0
    if (stream !== undefined) return this.#trailers(stream, ended)
    if (id < this.lastId || this.#owner.closedStreams.endingOf(id) !== null) {
      this.#decode(NOBODY)
      return
    }
    if (block.dependency === id) {
      const reason = `client sent HEADERS frame for stream ${id} with incorrect dependency`
      if (this.#decode(NOBODY)) this.#owner.resetStream(id, PROTOCOL_ERROR, reason)
      return
    }
    if (!this.#owner.streamBegins(id, ended)) {
      if (!this.#stopped) this.#decode(NOBODY)
      return
    }
    const head = takeHead()
    head.begin(this.#owner.headRules)
    if (!this.#decode(head)) return releaseHead(head)
    head.finish(ended)
    this.#owner.guard.used(block.length)
    this.#owner.requestComes(id, head, block.length, ended)
  }

  /** Reads the block; false: it ended the connection. */
  #decode(target: FieldTarget): boolean {
    const { bytes, start, end } = this.#block
    const error = this.#decoder.decode(bytes, start, end, target)
    if (error !== null) this.#fail(COMPRESSION_ERROR, `client sent ${error}`)
    return error === null
  }

  #trailers(stream: Http2Stream, ended: boolean): void {
    const trailers = new Trailers()
    if (!this.#decode(trailers)) return
    if (!ended || !trailers.valid) {
      const reason = `client sent ${ended ? 'invalid' : 'unfinished'} trailers for stream ${stream.id}`
      return this.#owner.resetStream(stream.id, PROTOCOL_ERROR, reason)
    }
    this.#owner.guard.used(this.#block.length)
    stream.receive(this.#block.bytes, 0, 0, true)
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
    const error = readSettings(bytes, start, end, this)
    if (error !== null) return this.#owner.fail(error)
    this.#owner.output.control(SETTINGS_ACK)
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
    if (change > 0) this.#owner.windowOpened(null)
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
