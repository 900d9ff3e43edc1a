// HTTP/2 towards a backend (RFC 9113), as nginx speaks it: one stream at a time, the next one when that is over. What
// the backend sends is read strictly; anything that it may not send ends the connection, in nginx's words.

import { latin1 } from '../../../shared/latin1.ts'
import {
  ACK,
  CONTINUATION,
  DATA,
  DEFAULT_WINDOW,
  END_STREAM,
  FrameReader,
  type FrameTarget,
  GOAWAY,
  HEADERS,
  LARGEST_WINDOW,
  NO_ERROR,
  PING,
  PREFACE,
  PROTOCOL_ERROR,
  pingFrame,
  REFUSED_STREAM,
  RST_STREAM,
  readStreamId,
  readUint32,
  SETTINGS,
  SETTINGS_ACK,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  settingsFrame,
  WINDOW_UPDATE,
  windowUpdateFrame,
} from '../../http2/frames.ts'
import { HpackDecoder } from '../../http2/hpack/decoder.ts'
import { HpackEncoder } from '../../http2/hpack/encoder.ts'
import type { Transport } from '../../transport/transport.ts'
import type { Failure } from '../next.ts'
import { headFailure, refusedFailure } from '../next.ts'
import type { Wire, WireEvents } from '../wire.ts'
import { blockFault, frameFault, settingFault, tooLargeWindow } from './frame-faults.ts'
import { ReceiveWindows } from './receive-windows.ts'
import { RequestStream } from './request-stream.ts'
import { ResponseBlock } from './response-block.ts'
import { ResponseFields } from './response-fields.ts'

/**
 * What a connection begins with, as nginx's: no table, no pushes, and windows as large as they can be. A backend is held
 * back by what TCP takes: there is one response at a time to be read.
 */
const START =
  PREFACE +
  settingsFrame([
    [SETTINGS_HEADER_TABLE_SIZE, 0],
    [SETTINGS_ENABLE_PUSH, 0],
    [SETTINGS_INITIAL_WINDOW_SIZE, LARGEST_WINDOW],
  ]) +
  windowUpdateFrame(0, LARGEST_WINDOW - DEFAULT_WINDOW)

/** Streams have numbers up to 2^31; long before that a connection has served enough. */
const LAST_STREAM = 2 ** 30
/** Answers that may wait for a backend to take them, as in nginx. */
const MOST_ANSWERS = 1000
/** Frames that are put up with while there is nothing to talk about. */
const MOST_IDLE_FRAMES = 100
/** Longest trailer section that nobody wants. */
const MAX_TRAILERS = 32768

/** The connection that a wire belongs to. */
export interface Http2WireOwner {
  /** So many bytes of the request that waited have been sent; `room`: there is room for more. */
  sentOn(bytes: number, room: boolean): void
}

export class Http2Wire implements Wire, FrameTarget {
  begun = false
  headLength = 0
  /** Any response may have some. */
  readonly mayHaveTrailers = true
  readonly untilClose = false
  readonly eager = true
  readonly surplus = 'upstream sent frames behind the end of the response'
  readonly #transport: Transport
  readonly #owner: Http2WireOwner
  readonly #reader = new FrameReader(this)
  readonly #decoder = new HpackDecoder(0)
  readonly #encoder = new HpackEncoder()
  readonly #stream: RequestStream
  readonly #fields = new ResponseFields()
  readonly #block = new ResponseBlock()
  readonly #windows = new ReceiveWindows()
  #events: WireEvents | null = null
  #headOnly = false
  #state: 'head' | 'content' | 'ended' = 'ended'
  /** The head of the request has been sent: there is a stream. */
  #open = false
  /** Content that a response is to have, -1 where it does not say, and what has come of it. */
  #length = -1
  #received = 0
  /** The preface has been sent; the backend's has come. */
  #started = false
  #settled = false
  /** No other request can be sent. */
  #goingAway = false
  #broken = false
  /** It is not the exchange that is to hear of what is wrong. */
  #silent = false
  #answers = 0
  #idleFrames = 0

  constructor(transport: Transport, owner: Http2WireOwner) {
    this.#transport = transport
    this.#owner = owner
    this.#stream = new RequestStream(transport)
  }

  get done(): boolean {
    return this.#state === 'ended'
  }

  get reusable(): boolean {
    const over = this.done && this.#stream.ended && this.#reader.atBoundary
    return over && !this.#broken && !this.#goingAway && this.#stream.id < LAST_STREAM
  }

  get pending(): boolean {
    return this.#stream.pending
  }

  get blocked(): boolean {
    return this.#stream.pending || this.#transport.backlogged
  }

  // --- the request

  begin(events: WireEvents, headOnly: boolean): void {
    this.#events = events
    this.#headOnly = headOnly
    this.#state = 'head'
    this.#open = false
    this.begun = false
    this.headLength = 0
    this.#received = 0
    this.#idleFrames = 0
    this.#windows.beginStream()
    this.#stream.begin()
  }

  release(): void {
    this.#events = null
    this.#stream.drop()
    if (this.#state !== 'ended' || !this.#stream.ended) this.#stop()
  }

  send(head: string, bytes: Buffer | null, start: number, end: number, last: boolean): number {
    if (head === '') return this.#stream.send('', '', bytes, start, end, last)
    this.#open = true
    return this.#stream.send(this.#preface(), this.#encoder.begin() + head, bytes, start, end, last)
  }

  /** What has to go before anything else: all of a connection's own, once. */
  #preface(): string {
    if (this.#started) return ''
    this.#started = true
    return START
  }

  drained(): boolean {
    this.#answers = 0
    if (this.#stream.pending) this.#owner.sentOn(this.#stream.flush(), false)
    return !this.blocked
  }

  /** The backend has given more window. */
  #flush(): void {
    if (!this.#stream.pending) return
    const sent = this.#stream.flush()
    this.#owner.sentOn(sent, !this.blocked)
  }

  /** Answers a frame; `what` names those there may not be too many of. */
  #answer(frame: string, what: string): void {
    if (!this.#transport.backlogged) this.#answers = 0
    else if (++this.#answers > MOST_ANSWERS) return this.#refuse(`too many ${what} frames`)
    this.#transport.send(this.#preface() + frame, null, 0, 0, '')
  }

  // --- the response

  read(bytes: Buffer, start: number, end: number): boolean {
    this.#reader.read(bytes, start, end)
    return false
  }

  readIdle(bytes: Buffer, start: number, end: number): boolean {
    this.#silent = true
    this.#reader.read(bytes, start, end)
    this.#silent = false
    return !this.#broken && !this.#goingAway && this.#idleFrames <= MOST_IDLE_FRAMES
  }

  frameBegins(type: number, _flags: number, streamId: number, length: number): number {
    if (this.#events === null) this.#idleFrames++
    // The first frame is the backend's part of the preface (RFC 9113 section 3.4).
    const expected = this.#block.open ? CONTINUATION : this.#settled ? type : SETTINGS
    if (type !== expected || (type === CONTINUATION && !this.#block.open)) {
      this.#refuse(`unexpected http2 frame: ${type}`)
    } else if (type === CONTINUATION) {
      if (streamId !== this.#stream.id) this.#refuse(`frame for unknown stream ${streamId}`)
    } else if (type === DATA || type === HEADERS) this.#contentBegins(type, streamId, length)
    if (this.#state === 'head') this.headLength += 9 + length
    return this.#broken ? PROTOCOL_ERROR : NO_ERROR
  }

  /** A frame that is about the response. */
  #contentBegins(type: number, streamId: number, length: number): void {
    if (!this.#open || streamId !== this.#stream.id) {
      const what = type === DATA && this.#state === 'content' ? 'data frame' : 'frame'
      return this.#refuse(`${what} for unknown stream ${streamId}`)
    }
    // The response is whole: only the connection is not to be trusted any more.
    if (this.#state === 'ended') return this.#stop()
    this.begun = true
    if (type === HEADERS) return
    if (this.#state === 'head') return this.#refuse(`unexpected http2 frame: ${type}`)
    const fault = this.#windows.take(length)
    if (fault !== '') return this.#fail(fault)
    const frames = this.#windows.open(this.#stream.id)
    if (frames !== '') this.#transport.send(frames, null, 0, 0, '')
  }

  data(streamId: number, flags: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const events = this.#events
    if (events === null || streamId !== this.#stream.id) return
    const ends = last && (flags & END_STREAM) !== 0
    this.#received += end - start
    if (this.#length >= 0 && this.#received > this.#length) {
      return this.#fail('upstream sent response body larger than indicated content length')
    }
    if (ends && !this.#ends()) return
    if (end > start) events.content(bytes, start, end, ends)
    else if (ends) events.complete(null)
  }

  /** The response has ended; false: too early. */
  #ends(): boolean {
    if (this.#length >= 0 && this.#received < this.#length) {
      this.#fail('upstream prematurely closed stream')
      return false
    }
    this.#state = 'ended'
    return true
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const fault = frameFault(type, flags, streamId, bytes, start, end)
    if (fault !== '') return this.#refuse(fault)
    switch (type) {
      case HEADERS:
        return this.#took(this.#block.begin(flags, bytes, start, end, this.#fieldLimit))
      case CONTINUATION:
        return this.#took(this.#block.goOn(flags, bytes, start, end, this.#fieldLimit))
      case RST_STREAM:
        return this.#reset(streamId, readUint32(bytes, start))
      case SETTINGS:
        return this.#settings(flags, bytes, start, end)
      case PING:
        return this.#answer(pingFrame(ACK, latin1(bytes, start, end)), 'ping')
      case GOAWAY:
        return this.#goAway(readStreamId(bytes, start), readUint32(bytes, start + 4))
      case WINDOW_UPDATE:
        return this.#windowUpdate(streamId, readStreamId(bytes, start))
      // What is not known is nothing to worry about (RFC 9113 section 4.1).
    }
  }

  /** Some of a block has come; `fault`: what is wrong with it, or ''. */
  #took(fault: string): void {
    if (fault !== '') this.#fail(fault)
    else if (!this.#block.open) this.#blockComplete()
  }

  /** The most that the fields of the present block may take. */
  get #fieldLimit(): number {
    const { headLimit, trailerLimit = MAX_TRAILERS } = this.#events!
    return this.#state === 'head' ? headLimit : trailerLimit
  }

  #blockComplete(): void {
    const { bytes, start, end, flags } = this.#block
    const fields = this.#fields
    const trailers = this.#state === 'content'
    const ends = (flags & END_STREAM) !== 0
    if (trailers && !ends) return this.#refuse('trailer without end stream flag')
    fields.begin(this.#fieldLimit, trailers)
    const error = this.#decoder.decode(bytes, start, end, fields)
    this.#block.forget()
    if (error !== null) return this.#refuse(blockFault(error))
    if (!fields.end()) return this.#fail(fields.refusal)
    if (!trailers) this.#head(fields, ends)
    else if (this.#ends()) this.#events!.complete(fields.fields.count === 0 ? null : fields.fields)
  }

  #head(head: ResponseFields, ends: boolean): void {
    const events = this.#events!
    const { status } = head
    if (status < 200) {
      if (ends) return this.#fail('upstream prematurely closed stream')
      events.interimHead(head)
      return
    }
    const empty = this.#headOnly || status === 204 || status === 304
    this.#length = empty ? 0 : head.contentLength
    if (ends) {
      // Now the length is known, as nginx has it.
      if (!empty && head.contentLength < 0) head.contentLength = 0
      if (!this.#ends()) return
    } else this.#state = 'content'
    events.finalHead(head, false)
  }

  // --- frames of the connection

  #reset(streamId: number, code: number): void {
    if (!this.#concerns(streamId)) return
    // Behind a whole response it says that the rest of the request is not wanted (RFC 9113 section 8.1).
    if (this.#state === 'ended') return this.#stop()
    const message = `upstream rejected request with error ${code}`
    if (code === REFUSED_STREAM && !this.begun) this.#failUnseen(message)
    else this.#fail(message)
  }

  /** Whether a frame is about the present stream; of the ones before it some may be under way still. */
  #concerns(streamId: number): boolean {
    const { id } = this.#stream
    if (this.#open && streamId === id) return true
    const known = streamId % 2 === 1 && streamId < id
    if (!known) this.#refuse(`frame for unknown stream ${streamId}`)
    return false
  }

  #settings(flags: number, bytes: Buffer, start: number, end: number): void {
    if (flags & ACK) {
      if (!this.#settled) this.#refuse(`unexpected http2 frame: ${SETTINGS}`)
      return
    }
    this.#settled = true
    for (let at = start; at < end; at += 6) {
      const fault = this.#setting((bytes[at]! << 8) | bytes[at + 1]!, readUint32(bytes, at + 2))
      if (fault !== '') return this.#refuse(fault)
    }
    this.#answer(SETTINGS_ACK, 'settings')
    this.#flush()
  }

  /** What is wrong with a setting; ''. Some limit what is not made use of: streams at a time, larger frames. */
  #setting(id: number, value: number): string {
    const fault = settingFault(id, value)
    if (fault !== '') return fault
    if (id === SETTINGS_HEADER_TABLE_SIZE) this.#encoder.setMaxTableSize(value)
    const ofWindow = id === SETTINGS_INITIAL_WINDOW_SIZE
    return ofWindow && !this.#stream.setInitialWindow(value) ? tooLargeWindow(value) : ''
  }

  #goAway(last: number, code: number): void {
    this.#goingAway = true
    // Up to the last stream it goes on (RFC 9113 section 6.8).
    if (this.#events === null || this.begun || last >= this.#stream.id) return
    this.#failUnseen(`upstream sent goaway with error ${code}`)
  }

  #windowUpdate(streamId: number, increment: number): void {
    if (streamId !== 0 && !this.#concerns(streamId)) return
    if (!this.#stream.widen(streamId, increment)) return this.#refuse('too large window update')
    this.#flush()
  }

  // --- what is wrong

  badPadding(length: number, padding: number): void {
    if (length === 0) this.#refuse('too short http2 frame')
    else this.#refuse(`http2 frame with too long padding: ${padding} in frame ${length - 1}`)
  }

  tooLong(_type: number, _streamId: number, length: number): void {
    this.#refuse(`too large http2 frame: ${length}`)
  }

  #refuse(what: string): void {
    this.#fail(`upstream sent ${what}`)
  }

  #fail(message: string): void {
    this.#failWith(
      this.#state === 'head' ? headFailure(message) : { kind: 'error', reason: 'bad_body', message },
    )
  }

  /** The backend has not looked at the request. */
  #failUnseen(message: string): void {
    this.#failWith(refusedFailure(message))
  }

  #failWith(failure: Failure): void {
    const events = this.#events
    this.#stop()
    // A response that is whole is not to suffer from what comes behind it.
    if (this.#silent || this.#state === 'ended') return
    this.#events = null
    events?.failed(failure)
  }

  /** Nothing more is to be said on the connection. */
  #stop(): void {
    this.#broken = true
    this.#reader.stop()
  }
}
