// What goes to a backend by HTTP/2: the head of a request as HEADERS, its content as DATA within the windows that the
// backend gives (RFC 9113 section 5.2). Content that there is no window for is kept here, and more is not asked for.

import { writeLatin1 } from '../../../shared/latin1.ts'
import {
  DATA,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  END_STREAM,
  frameHead,
  headerFrames,
  LARGEST_WINDOW,
} from '../../http2/frames.ts'
import {
  acquire,
  HEADROOM,
  isSteady,
  keepSteady,
  type ReadBuffer,
  release,
} from '../../transport/read-buffer.ts'
import type { Transport } from '../../transport/transport.ts'

/** Content up to this size is sent from where it is: a transport makes text of it. */
const DIRECT = 8192

export class RequestStream {
  /** Of the present request; 0 before the first. */
  id = 0
  /** The end of the request has been sent. */
  ended = false
  readonly #transport: Transport
  /** Bytes that may be sent on the connection, on the stream, and on a stream that begins. */
  #connectionWindow = DEFAULT_WINDOW
  #streamWindow = 0
  #initialWindow = DEFAULT_WINDOW
  /** Content that waits for the windows, and whether the request ends behind it. */
  #waiting: Buffer[] = []
  #endWaits = false

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Content, or the end of it, waits. */
  get pending(): boolean {
    return this.#waiting.length > 0 || this.#endWaits
  }

  /** A request begins, on the next stream. */
  begin(): void {
    this.id = this.id === 0 ? 1 : this.id + 2
    this.ended = false
    this.#streamWindow = this.#initialWindow
    this.drop()
  }

  /** What waits is for nobody any more. */
  drop(): void {
    this.#waiting = []
    this.#endWaits = false
  }

  /**
   * Sends `before` (frames of the connection), the header block `head` unless it is '', and content. Returns how many
   * bytes were sent.
   */
  send(
    before: string,
    head: string,
    bytes: Buffer | null,
    start: number,
    end: number,
    last: boolean,
  ): number {
    let text = before
    if (head !== '') {
      const flags = last && start === end ? END_STREAM : 0
      text += headerFrames(head, flags, this.id, DEFAULT_FRAME_SIZE)
      if (flags !== 0) this.ended = true
    }
    const sent = this.pending ? 0 : this.#sendData(text, bytes, start, end, last)
    if (sent > 0) return sent
    if (text !== '') this.#transport.send(text, null, 0, 0, '')
    if (bytes !== null && start < end) this.#keep(bytes, start, end)
    if (last && !this.ended) this.#endWaits = true
    return text.length
  }

  /** Sends as much as there is window for behind `text`, and keeps the rest; 0: nothing, `text` included. */
  #sendData(text: string, bytes: Buffer | null, start: number, end: number, last: boolean): number {
    const stop = start + Math.min(end - start, this.#connectionWindow, this.#streamWindow)
    let sent = 0
    if (bytes !== null && stop > start) {
      const ends = last && stop === end
      sent = this.#sendFrames(text, bytes, start, stop, ends)
      if (ends) this.ended = true
    }
    if (stop < end) {
      if (sent === 0) return 0
      this.#keep(bytes!, Math.max(start, stop), end)
      this.#endWaits = last
    } else if (last && !this.ended) {
      // The end needs no window.
      const frame = text + frameHead(0, DATA, END_STREAM, this.id)
      this.#transport.send(frame, null, 0, 0, '')
      this.ended = true
      sent += frame.length
    }
    return sent
  }

  /** Sends `bytes[start, end)` as frames behind `text`; `ends`: the stream ends with them. */
  #sendFrames(text: string, bytes: Buffer, start: number, end: number, ends: boolean): number {
    this.#connectionWindow -= end - start
    this.#streamWindow -= end - start
    let sent = 0
    let room: ReadBuffer | null = null
    let used = 0
    let prefix = text
    for (let at = start; at < end; ) {
      const length = Math.min(end - at, DEFAULT_FRAME_SIZE)
      prefix += frameHead(length, DATA, ends && at + length === end ? END_STREAM : 0, this.id)
      sent += prefix.length + length
      if (end - start <= DIRECT || isSteady(bytes)) this.#transport.send(prefix, bytes, at, at + length, '')
      else {
        // A head may not be put in front of content where that stands: what it would cover may be on its way still.
        if (room !== null && used + prefix.length + length > room.length) {
          this.#sendRoom(room, used)
          room = null
          used = 0
        }
        room ??= acquire()
        if (prefix.length > HEADROOM) {
          this.#transport.send(prefix, null, 0, 0, '')
          prefix = ''
        }
        writeLatin1(room, prefix, used)
        bytes.copy(room, used + prefix.length, at, at + length)
        used += prefix.length + length
      }
      prefix = ''
      at += length
    }
    if (room !== null) this.#sendRoom(room, used)
    return sent
  }

  #sendRoom(room: ReadBuffer, used: number): void {
    this.#transport.send('', room, 0, used, '')
    // What the kernel has not taken stays in the buffer, whose writer gives it back.
    if (room.pins === 0) release(room)
  }

  /** Bytes of the caller are its own, unless they stay as they are. */
  #keep(bytes: Buffer, start: number, end: number): void {
    const steady = isSteady(bytes)
    const kept = steady ? bytes.subarray(start, end) : Buffer.from(bytes.subarray(start, end))
    keepSteady(kept)
    this.#waiting.push(kept)
  }

  /** Sends of what waits as much as there is window for; how many bytes that were. */
  flush(): number {
    let sent = 0
    const waiting = this.#waiting
    while (waiting.length > 0) {
      const piece = waiting[0]!
      const length = Math.min(piece.length, DEFAULT_FRAME_SIZE, this.#connectionWindow, this.#streamWindow)
      if (length <= 0 || this.#transport.backlogged) return sent
      const last = this.#endWaits && waiting.length === 1 && length === piece.length
      this.#transport.send(frameHead(length, DATA, last ? END_STREAM : 0, this.id), piece, 0, length, '')
      this.#connectionWindow -= length
      this.#streamWindow -= length
      sent += length
      if (length < piece.length) {
        const rest = piece.subarray(length)
        keepSteady(rest)
        waiting[0] = rest
      } else waiting.shift()
      if (last) this.#ended()
    }
    if (this.#endWaits) {
      this.#transport.send(frameHead(0, DATA, END_STREAM, this.id), null, 0, 0, '')
      this.#ended()
    }
    return sent
  }

  #ended(): void {
    this.ended = true
    this.#endWaits = false
  }

  /** WINDOW_UPDATE; `streamId` 0: for the connection. false: the window is larger than one may be. */
  widen(streamId: number, increment: number): boolean {
    if (streamId === 0) this.#connectionWindow += increment
    else this.#streamWindow += increment
    return this.#connectionWindow <= LARGEST_WINDOW && this.#streamWindow <= LARGEST_WINDOW
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE, which may leave less than nothing (section 6.9.2). false: as above. */
  setInitialWindow(size: number): boolean {
    this.#streamWindow += size - this.#initialWindow
    this.#initialWindow = size
    return this.#streamWindow <= LARGEST_WINDOW
  }
}
