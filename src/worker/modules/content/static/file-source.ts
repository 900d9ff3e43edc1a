// Sends a file piece by piece, the next one when there is room for it, each read when it is its turn unless the content
// is in memory. While the client is slow no memory waits for it but what the kernel has not taken.

import { read } from 'node:fs'
import { errnoText } from '../../../../shared/errno.ts'
import type { ContentSource } from '../../../http/body.ts'
import { CLIENT_CLOSED_REQUEST, finalize } from '../../../http/finalize.ts'
import { OK } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { acquire, HEADROOM, READ_SIZE, type ReadBuffer, release } from '../../../transport/read-buffer.ts'
import type { OpenFile } from './open-file.ts'

export class FileSource implements ContentSource {
  readonly #r: Request
  readonly #file: OpenFile
  #position = 0
  #reading = false
  #stopped = false

  /** `file` is released at the end. */
  constructor(r: Request, file: OpenFile) {
    this.#r = r
    this.#file = file
  }

  start(): void {
    this.#r.source = this
    this.resume()
  }

  resume(): void {
    if (this.#reading || this.#stopped) return
    this.#reading = true
    const { bytes, size, descriptor } = this.#file
    if (bytes !== null) return this.#passHeld(bytes)
    const buffer = acquire()
    const length = Math.min(READ_SIZE, size - this.#position)
    read(descriptor, buffer, HEADROOM, length, this.#position, (error, count) => {
      this.#reading = false
      if (this.#stopped) this.#file.release()
      else if (error !== null) this.#fail(`read() "${this.#file.path}" failed (${errnoText(error)})`)
      else if (count === 0) this.#fail(`"${this.#file.path}" was truncated at ${this.#position}`)
      else return this.#pass(buffer, count)
      release(buffer)
    })
  }

  #passHeld(bytes: Buffer): void {
    let last = false
    for (let more = true; more && !last && !this.#stopped; ) {
      const start = this.#position
      const end = (this.#position = Math.min(start + READ_SIZE, bytes.length))
      last = end === bytes.length
      more = this.#r.out.write(bytes, start, end, last)
    }
    this.#reading = false
    if (this.#stopped) this.#file.release()
    else if (last) finalize(this.#r, OK)
  }

  #pass(buffer: ReadBuffer, count: number): void {
    this.#position += count
    const last = this.#position === this.#file.size
    const more = this.#r.out.write(buffer, HEADROOM, HEADROOM + count, last)
    // What the kernel has not taken stays in the buffer, whose writer gives it back.
    if (buffer.pins === 0) release(buffer)
    if (this.#stopped) return
    if (last) finalize(this.#r, OK)
    else if (more) this.resume()
  }

  #fail(message: string): void {
    this.#r.log('alert', message)
    finalize(this.#r, 500)
  }

  clientGone(): void {
    finalize(this.#r, CLIENT_CLOSED_REQUEST)
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    // A read under way needs the descriptor still.
    if (!this.#reading) this.#file.release()
  }
}
