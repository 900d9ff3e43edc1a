// Sends a file, or parts of one, piece by piece, the next one when there is room for it, each read when it is its turn
// unless the content is in memory. While the client is slow no memory waits for it but what the kernel has not taken.

import { read } from 'node:fs'
import { errnoText } from '../../../../shared/errno.ts'
import type { ContentSource } from '../../../http/body.ts'
import { CLIENT_CLOSED_REQUEST, finalize } from '../../../http/finalize.ts'
import { OK } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import type { ContentPart } from '../../../http/response.ts'
import {
  acquire,
  HEADROOM,
  isSteady,
  READ_SIZE,
  type ReadBuffer,
  release,
} from '../../../transport/read-buffer.ts'
import { borrow, giveBack, LARGE } from './large-buffers.ts'
import { MEDIUM, type OpenFile } from './open-file.ts'

export class FileSource implements ContentSource {
  readonly #r: Request
  readonly #file: OpenFile
  readonly #bytes: Buffer | null
  readonly #parts: readonly ContentPart[]
  /** Nothing stands between this and the client's connection. */
  readonly #direct: boolean
  /** The part after the current one. */
  #next = 0
  /** What is left of the current part. */
  #position = 0
  #end = 0
  /** A read or a write is under way: the file is needed still. */
  #busy = false
  #stopped = false
  /** The kernel has not taken all that was given. */
  #waiting = false
  /** For long pieces; null: it has none, or not yet. */
  #large: Buffer | null = null

  /** `bytes`: the content where it is in memory; null: it is read from `file`, which is released at the end. */
  constructor(r: Request, file: OpenFile, bytes: Buffer | null) {
    this.#r = r
    this.#file = file
    this.#bytes = bytes
    this.#parts = r.response.parts ?? [{ head: '', start: 0, end: bytes?.length ?? file.size }]
    this.#direct = r.out === r.stream.out
  }

  start(): void {
    this.#r.source = this
    this.resume()
  }

  resume(): void {
    if (this.#busy || this.#stopped) return
    this.#busy = true
    this.#run(true)
  }

  clientGone(): void {
    finalize(this.#r, CLIENT_CLOSED_REQUEST)
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    if (!this.#busy) this.#release()
  }

  #release(): void {
    this.#file.release()
    if (this.#large !== null) giveBack(this.#large, this.#waiting)
    this.#large = null
  }

  /**
   * Sends until the file has to be read, there is no room (`more` false), or all is sent: where no filter has the rest,
   * the request ends when the kernel has taken it.
   */
  #run(more: boolean): void {
    const bytes = this.#bytes
    // The connection refers to what is in memory: the kernel takes as much as it likes. A filter would copy it.
    const most = this.#direct && bytes !== null && isSteady(bytes) ? MEDIUM : READ_SIZE
    while (more && !this.#stopped && !this.#complete) {
      if (this.#position === this.#end) more = this.#enterPart()
      else if (bytes === null) return this.#read()
      else more = this.#send(bytes, this.#position, Math.min(most, this.#end - this.#position))
    }
    this.#busy = false
    this.#waiting = !more
    if (this.#stopped) this.#release()
    else if (this.#complete && (more || !this.#direct)) finalize(this.#r, OK)
  }

  get #complete(): boolean {
    return this.#position === this.#end && this.#next === this.#parts.length
  }

  #enterPart(): boolean {
    const { head, start, end } = this.#parts[this.#next++]!
    this.#position = start
    this.#end = end
    return head === '' || this.#r.out.write(Buffer.from(head, 'latin1'), 0, head.length, this.#complete)
  }

  /** Passes on the next `count` bytes, which are in `bytes` at `at`. */
  #send(bytes: Buffer, at: number, count: number): boolean {
    this.#position += count
    return this.#r.out.write(bytes, at, at + count, this.#complete)
  }

  #read(): void {
    const left = this.#end - this.#position
    if (this.#large === null && this.#direct && left > READ_SIZE && this.#r.stream.room >= LARGE)
      this.#large = borrow()
    const large = this.#large
    if (large !== null) return this.#readInto(large, 0, Math.min(LARGE, left), null)
    const buffer = acquire()
    this.#readInto(buffer, HEADROOM, Math.min(READ_SIZE, left), buffer)
  }

  /** `pooled`: the buffer where it is one of the transports' pool. */
  #readInto(buffer: Buffer, at: number, length: number, pooled: ReadBuffer | null): void {
    read(this.#file.descriptor, buffer, at, length, this.#position, (error, count) => {
      let more = true
      if (!this.#stopped) {
        if (error !== null) this.#fail(`read() "${this.#file.path}" failed (${errnoText(error)})`)
        else if (count === 0) this.#fail(`"${this.#file.path}" was truncated at ${this.#position}`)
        else more = this.#send(buffer, at, count)
      }
      // What the kernel has not taken stays in the buffer, whose writer gives it back.
      if (pooled?.pins === 0) release(pooled)
      this.#run(more)
    })
  }

  /** The request ends, and this source with it. */
  #fail(message: string): void {
    this.#r.log('alert', message)
    finalize(this.#r, 500)
  }
}
