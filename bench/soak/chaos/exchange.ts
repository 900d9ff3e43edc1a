// One request at a backend of the chaos, from its head to the end of its answer, and the ways to answer it.

import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { drained, patternAt } from '../pattern.ts'
import type { Random } from './random.ts'
import type { Failing, Visit } from './trials.ts'

/** What one write takes of content. */
const PIECE = 65_536

export class Exchange {
  readonly socket: Socket
  readonly random: Random
  /** Bytes the answer must have. */
  readonly length: number
  /** Counts as a request at the backend. */
  open = true
  /** When the proxy closed the connection before the answer was complete; 0: it has not. */
  gone = 0
  #ended = 0
  #answering = false
  readonly #visit: Visit | null
  readonly #finished: () => void

  constructor(
    socket: Socket,
    random: Random,
    length: number,
    visit: Visit | null,
    finished: (exchange: Exchange) => void,
  ) {
    this.socket = socket
    this.random = random
    this.length = length
    this.#visit = visit
    this.#finished = () => finished(this)
  }

  /** The head of a right answer has gone out. */
  get answering(): boolean {
    return this.#answering
  }

  /** Nobody waits for it: whether it still counts cannot be told from here. */
  get left(): boolean {
    return this.#visit === null || this.#visit.left
  }

  /** What happens from here on is a failure of this kind. */
  fail(failing: Failing): void {
    if (this.#visit !== null && this.open) this.#visit.failing = failing
  }

  /** The connection dies with the request, or a moment after its answer, of which some may be on its way. */
  die(name: string): void {
    const visit = this.#visit
    if (visit === null || (!this.open && Date.now() - this.#ended > 1000)) return
    const before = visit.failing?.statuses ?? []
    visit.failing = { name, stage: visit.answering ? 'body' : 'head', statuses: [502, ...before] }
    this.finish()
  }

  /** No part of the answer is to come. */
  finish(): void {
    if (!this.open) return
    this.open = false
    this.#ended = Date.now()
    this.#finished()
  }

  /** The proxy has closed the connection. */
  abandoned(): void {
    if (this.open) this.gone = Date.now()
    this.finish()
  }

  write(data: string | Buffer): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(data, 'latin1')
  }

  /** The right answer: head, then content in pieces of up to `wanted` bytes, `pause` milliseconds between them. */
  async answer(wanted = PIECE, pause = 0): Promise<void> {
    const piece = Math.min(wanted, PIECE)
    const chunked = this.random.chance(0.4)
    await this.head(chunked)
    const last = Math.max(0, this.length - piece)
    await this.content(0, last, chunked, piece, pause)
    // Whoever has read the last byte may count the request as over at once.
    this.finish()
    void this.content(last, this.length, chunked, piece, 0)
    if (chunked) this.write('0\r\n\r\n')
  }

  async head(chunked: boolean, more = ''): Promise<void> {
    this.#answering = true
    if (this.#visit !== null) this.#visit.answering = true
    const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${this.length}`
    this.write(`HTTP/1.1 200 OK\r\n${framing}\r\n${more}\r\n`)
  }

  /** The content from `start` to `end`. */
  async content(start: number, end: number, chunked: boolean, piece = PIECE, pause = 0): Promise<void> {
    for (let at = start; at < end && !this.socket.destroyed; ) {
      const bytes = patternAt(at, Math.min(piece, end - at))
      at += bytes.length
      if (chunked) this.write(`${bytes.length.toString(16)}\r\n`)
      this.write(bytes)
      if (chunked) this.write('\r\n')
      if (this.socket.writableNeedDrain) await drained(this.socket)
      if (pause > 0) await delay(pause)
    }
  }

  /** Closes the connection: `way` as a server that is done, or with a reset. */
  close(way: 'end' | 'reset'): void {
    this.finish()
    if (way === 'end') this.socket.end()
    else this.socket.resetAndDestroy()
  }
}
