// Frames of HTTP/2 (RFC 9113 sections 4 and 6) as both sides of weir use them, towards clients and towards backends:
// the numbers, a reader that takes bytes as they come, and writers that give a frame as latin1 text.

/** What a client's connection starts with (section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export const FRAME_HEAD_LENGTH = 9
/** Longest payload that each side takes unless it has said otherwise (SETTINGS_MAX_FRAME_SIZE). */
export const DEFAULT_FRAME_SIZE = 16384
export const LARGEST_FRAME_SIZE = 16777215
/** A flow-control window before anybody has changed it. */
export const DEFAULT_WINDOW = 65535
export const LARGEST_WINDOW = 0x7fffffff

/** Frame types. */
export const DATA = 0
export const HEADERS = 1
export const PRIORITY = 2
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

/** Flags; which of them a frame knows depends on its type. */
export const ACK = 0x01
export const END_STREAM = 0x01
export const END_HEADERS = 0x04
export const PADDED = 0x08
export const PRIORITY_FLAG = 0x20

/** Error codes (section 7). */
export const NO_ERROR = 0
export const PROTOCOL_ERROR = 1
export const INTERNAL_ERROR = 2
export const FLOW_CONTROL_ERROR = 3
export const SETTINGS_TIMEOUT = 4
export const STREAM_CLOSED = 5
export const FRAME_SIZE_ERROR = 6
export const REFUSED_STREAM = 7
export const CANCEL = 8
export const COMPRESSION_ERROR = 9
export const CONNECT_ERROR = 10
export const ENHANCE_YOUR_CALM = 11
export const INADEQUATE_SECURITY = 12
export const HTTP_1_1_REQUIRED = 13

/** Settings (section 6.5.2). */
export const SETTINGS_HEADER_TABLE_SIZE = 1
export const SETTINGS_ENABLE_PUSH = 2
export const SETTINGS_MAX_CONCURRENT_STREAMS = 3
export const SETTINGS_INITIAL_WINDOW_SIZE = 4
export const SETTINGS_MAX_FRAME_SIZE = 5
export const SETTINGS_MAX_HEADER_LIST_SIZE = 6

/** Who takes what a reader finds; a call may stop the reader. */
export interface FrameTarget {
  /**
   * The head of a frame that is not too long for the reader has been read, before any of its payload. An error code
   * other than NO_ERROR stops the reader; the target has done what is to be done about it.
   */
  frameBegins(type: number, flags: number, streamId: number, length: number): number
  /** A complete frame other than DATA: its payload is `bytes[start, end)`, valid only during the call. */
  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void
  /** Content of the DATA frame that has begun, without padding, as it comes; may be empty. `last`: the frame ends here. */
  data(streamId: number, flags: number, bytes: Buffer, start: number, end: number, last: boolean): void
  /** A DATA frame with more padding than payload. The reader has stopped. */
  badPadding(length: number, padding: number): void
  /** A frame that is longer than allowed. The reader has stopped. */
  tooLong(type: number, streamId: number, length: number): void
}

/**
 * Cuts the bytes of a connection into frames. Payloads of DATA are passed on as they come, without a copy; of any other
 * type the whole payload is waited for, and kept meanwhile: at most the `largest` frame there may be.
 */
export class FrameReader {
  readonly #target: FrameTarget
  readonly #largest: number
  #stopped = false
  /** What has come of a frame's head, or of a payload that is waited for, where the next bytes have to come for it. */
  #kept: Buffer | null = null
  #keptLength = 0
  #headKept = 0
  readonly #headBytes = Buffer.allocUnsafe(FRAME_HEAD_LENGTH)
  /** The frame that has begun; a type of -1: none has. */
  #type = -1
  #flags = 0
  #streamId = 0
  /** Bytes of its payload that are still to come: of DATA, those of its content. */
  #left = 0
  /** Padding behind the content of DATA; -1: its length is still to be read. */
  #padding = 0

  /** `largest`: SETTINGS_MAX_FRAME_SIZE as it has been told to the peer. */
  constructor(target: FrameTarget, largest = DEFAULT_FRAME_SIZE) {
    this.#target = target
    this.#largest = largest
  }

  /** Nothing is kept and no frame has begun: the bytes so far end where a frame does. */
  get atBoundary(): boolean {
    return this.#type < 0 && this.#headKept === 0
  }

  /** No more is read, not even of the bytes that are being read now. */
  stop(): void {
    this.#stopped = true
    this.#kept = null
  }

  /** Reads all of `bytes[start, end)`, or as far as the reader is stopped. */
  read(bytes: Buffer, start: number, end: number): void {
    let position = start
    while (!this.#stopped) {
      if (this.#type < 0) {
        if (position >= end) return
        position = this.#readHead(bytes, position, end)
        if (this.#type < 0 || this.#stopped) continue
        // A frame without payload is complete as soon as its head is.
        if (position >= end && (this.#left !== 0 || this.#padding !== 0)) return
      } else if (position >= end) return
      position =
        this.#type === DATA ? this.#readData(bytes, position, end) : this.#readWhole(bytes, position, end)
    }
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    if (this.#headKept === 0 && end - start >= FRAME_HEAD_LENGTH) {
      this.#begin(bytes, start)
      return start + FRAME_HEAD_LENGTH
    }
    const stop = Math.min(end, start + FRAME_HEAD_LENGTH - this.#headKept)
    bytes.copy(this.#headBytes, this.#headKept, start, stop)
    this.#headKept += stop - start
    if (this.#headKept === FRAME_HEAD_LENGTH) {
      this.#headKept = 0
      this.#begin(this.#headBytes, 0)
    }
    return stop
  }

  #begin(head: Buffer, at: number): void {
    const length = (head[at]! << 16) | (head[at + 1]! << 8) | head[at + 2]!
    const type = head[at + 3]!
    const flags = head[at + 4]!
    const streamId = readStreamId(head, at + 5)
    if (length > this.#largest) {
      this.stop()
      this.#target.tooLong(type, streamId, length)
      return
    }
    this.#type = type
    this.#flags = flags
    this.#streamId = streamId
    this.#left = length
    this.#padding = 0
    if (this.#target.frameBegins(type, flags, streamId, length) !== NO_ERROR) return this.stop()
    if (type !== DATA || (flags & PADDED) === 0) return
    this.#padding = -1
    if (length === 0) this.#badPadding(0, 0)
  }

  #readData(bytes: Buffer, start: number, end: number): number {
    let position = start
    if (this.#padding < 0) {
      const padding = bytes[position++]!
      const length = this.#left
      this.#left = length - 1 - padding
      this.#padding = padding
      if (this.#left < 0) {
        this.#badPadding(length, padding)
        return end
      }
      if (position >= end && this.#left + padding !== 0) return end
    }
    if (this.#left > 0 || this.#padding === 0) {
      const stop = Math.min(end, position + this.#left)
      this.#left -= stop - position
      const last = this.#left === 0 && this.#padding === 0
      if (last) this.#type = -1
      this.#target.data(this.#streamId, this.#flags, bytes, position, stop, last)
      return stop
    }
    const stop = Math.min(end, position + this.#padding)
    this.#padding -= stop - position
    if (this.#padding === 0) {
      this.#type = -1
      this.#target.data(this.#streamId, this.#flags, bytes, stop, stop, true)
    }
    return stop
  }

  #badPadding(length: number, padding: number): void {
    this.stop()
    this.#target.badPadding(length, padding)
  }

  #readWhole(bytes: Buffer, start: number, end: number): number {
    const left = this.#left
    if (this.#kept === null && end - start >= left) {
      this.#finish(bytes, start, start + left)
      return start + left
    }
    const kept = (this.#kept ??= Buffer.allocUnsafe(left))
    const stop = Math.min(end, start + kept.length - this.#keptLength)
    bytes.copy(kept, this.#keptLength, start, stop)
    this.#keptLength += stop - start
    if (this.#keptLength === kept.length) {
      this.#kept = null
      this.#keptLength = 0
      this.#finish(kept, 0, kept.length)
    }
    return stop
  }

  #finish(bytes: Buffer, start: number, end: number): void {
    const type = this.#type
    this.#type = -1
    this.#target.frame(type, this.#flags, this.#streamId, bytes, start, end)
  }
}

/** A stream identifier, or the 31 bits of a window increment; the reserved bit is ignored (section 4.1). */
export function readStreamId(bytes: Buffer, at: number): number {
  return ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** 32 bits without a sign. */
export function readUint32(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** 32 bits as four latin1 characters. */
export function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

/** The nine octets in front of a payload, as latin1 text. */
export function frameHead(length: number, type: number, flags: number, streamId: number): string {
  return String.fromCharCode(
    length >>> 16,
    (length >>> 8) & 255,
    length & 255,
    type,
    flags,
    streamId >>> 24,
    (streamId >>> 16) & 255,
    (streamId >>> 8) & 255,
    streamId & 255,
  )
}

/** A SETTINGS frame of [identifier, value] pairs. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): string {
  const payload = settings.map(([id, value]) => String.fromCharCode(id >>> 8, id & 255) + uint32(value))
  return frameHead(payload.length * 6, SETTINGS, 0, 0) + payload.join('')
}

export const SETTINGS_ACK = frameHead(0, SETTINGS, ACK, 0)

/** `opaque`: eight latin1 characters. */
export function pingFrame(flags: number, opaque: string): string {
  return frameHead(8, PING, flags, 0) + opaque
}

/** RST_STREAM (RFC 9113 section 6.4); `code`: one of the error codes. */
export function resetFrame(streamId: number, code: number): string {
  return frameHead(4, RST_STREAM, 0, streamId) + uint32(code)
}

/** `lastStreamId`: the last stream of the peer that was or may be acted on. */
export function goAwayFrame(lastStreamId: number, code: number, debug = ''): string {
  return frameHead(8 + debug.length, GOAWAY, 0, 0) + uint32(lastStreamId) + uint32(code) + debug
}

/** `increment`: 1 to LARGEST_WINDOW; stream 0 is the connection. */
export function windowUpdateFrame(streamId: number, increment: number): string {
  return frameHead(4, WINDOW_UPDATE, 0, streamId) + uint32(increment)
}

/**
 * A header block as HEADERS and as many CONTINUATION frames as it takes: the block is one, so nothing may come between
 * them (section 6.10). `flags`: END_STREAM or 0; `largest`: what the peer takes in a frame.
 */
export function headerFrames(block: string, flags: number, streamId: number, largest: number): string {
  if (block.length <= largest) return frameHead(block.length, HEADERS, flags | END_HEADERS, streamId) + block
  let frames = frameHead(largest, HEADERS, flags, streamId) + block.slice(0, largest)
  for (let at = largest; at < block.length; at += largest) {
    const part = block.slice(at, at + largest)
    const last = at + largest >= block.length
    frames += frameHead(part.length, CONTINUATION, last ? END_HEADERS : 0, streamId) + part
  }
  return frames
}
