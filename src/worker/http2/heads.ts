// The heads that a client sends on an HTTP/2 connection: of requests, and trailers behind their content. Every header
// block is read, also those that nobody wants: the next one refers to the table that it leaves.

import { fieldName } from './field-name.ts'
import { COMPRESSION_ERROR, END_STREAM, PROTOCOL_ERROR, STREAM_CLOSED } from './frames.ts'
import { HeaderBlock } from './header-block.ts'
import { type FieldTarget, HpackDecoder } from './hpack/decoder.ts'
import type { IncomingOwner } from './incoming.ts'
import { isValue, releaseHead, takeHead } from './request-head.ts'
import type { Http2Stream } from './stream.ts'

/** SETTINGS_HEADER_TABLE_SIZE, which is left as it is. */
const TABLE_SIZE = 4096
/** Bytes of header blocks there may be in all, as a multiple of what a head may be long. */
const BLOCK_RATIO = 2
const LEAST_BLOCK = 65536

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

export class Heads {
  /** The last stream that the client has begun. */
  lastId = 0
  readonly #owner: IncomingOwner
  readonly #decoder = new HpackDecoder(TABLE_SIZE)
  readonly #block = new HeaderBlock()
  #stopped = false

  constructor(owner: IncomingOwner) {
    this.#owner = owner
  }

  /** A block has begun and is not whole: only more of it may come. */
  get open(): boolean {
    return this.#block.open
  }

  /** Whose it is. */
  get streamId(): number {
    return this.#block.streamId
  }

  stop(): void {
    this.#stopped = true
  }

  #fail(code: number, reason: string): void {
    this.#owner.fail({ code, reason })
  }

  /** Takes a HEADERS frame. */
  headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
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

  /** Takes a CONTINUATION frame, of the block that is open. */
  continuation(flags: number, bytes: Buffer, start: number, end: number): void {
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
}
