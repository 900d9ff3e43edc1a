// What a client does not take of a response at once, between the backend and whatever else stands before the client:
// in memory, then in a temporary file, so that the backend is done with it however slow the client is. Made when a
// client has no room for the first time; a response that its client keeps up with never sees one.

import { errnoText } from '../../../shared/errno.ts'
import { TempFile, type TempFileOwner } from '../../body/temp-file.ts'
import type { BodySink, HoldingFilter } from '../../http/body.ts'
import type { Fields } from '../../http/fields.ts'
import { finalize } from '../../http/finalize.ts'
import { OK } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { acquire, HEADROOM, READ_SIZE, release } from '../../transport/read-buffer.ts'
import { Blocks } from './blocks.ts'
import type { BufferingSettings } from './conf.ts'

export class ResponseBuffer implements BodySink, HoldingFilter, TempFileOwner {
  out: BodySink
  previous: HoldingFilter | null = null
  readonly #r: Request
  readonly #settings: BufferingSettings
  /** In the order of content: memory, the file from `#fileStart` to `#fileEnd`, memory for what the file does not take. */
  #front = new Blocks()
  #file: TempFile | null = null
  #fileStart = 0
  #fileEnd = 0
  #behind = new Blocks()
  /** The file has enough to write for now. */
  #backlogged = false
  /** Some of the file is being read, or waited for. */
  #reading = false
  /** The next content in the file has to be written first. */
  #awaitsWrite = false
  /** `out` has no room. */
  #blocked = true
  /** The producer waits to be told. */
  #told = false
  #flush = false
  #ended = false
  #trailers: Fields | null = null
  /** Not 0: the content breaks off behind what is here, with this status. */
  #broken = 0
  #done = false
  /** The request waits for the end of the content. */
  #awaited = false

  /** `r.out` has just refused to take more. */
  static install(r: Request, settings: BufferingSettings): ResponseBuffer {
    const buffer = new ResponseBuffer(r, settings)
    r.out = buffer
    let first = r.holding
    if (first === null) r.holding = buffer
    else {
      while (first.previous !== null) first = first.previous
      first.previous = buffer
    }
    return buffer
  }

  private constructor(r: Request, settings: BufferingSettings) {
    this.#r = r
    this.#settings = settings
    this.out = r.out
  }

  /** Nothing is kept. */
  get #empty(): boolean {
    return this.#front.length === 0 && this.#fileStart === this.#fileEnd && this.#behind.length === 0
  }

  // --- from the backend

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#ended || this.#done) return true
    if (last) this.#ended = true
    if (!this.#blocked && this.#empty) {
      if (last) this.#finish()
      if (!this.out.write(bytes, start, end, last)) this.#blocked = true
      return true
    }
    const at = this.#keepInMemory(bytes, start, end)
    if (at < end && this.#behind.length === 0 && this.#fileEnd < this.#settings.file) {
      this.#append(bytes, at, end)
    } else if (at < end) {
      this.#inOrder.push(bytes, at, end)
    }
    if (last) return true
    this.#told = !this.#room
    return this.#room
  }

  /** As much as there may be in memory, unless newer content is in the file: the position of the rest. */
  #keepInMemory(bytes: Buffer, start: number, end: number): number {
    const free = this.#settings.memory - this.#front.length - this.#behind.length
    const { file } = this.#settings
    const inFile = this.#fileStart < this.#fileEnd
    // What the file has room for goes behind what it has.
    if (free <= 0 || (inFile && this.#behind.length === 0 && this.#fileEnd < file)) return start
    const at = Math.min(end, start + free)
    this.#inOrder.push(bytes, start, at)
    return at
  }

  /** The memory that stands behind all that is kept. */
  get #inOrder(): Blocks {
    return this.#fileStart < this.#fileEnd || this.#behind.length > 0 ? this.#behind : this.#front
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const { path, writeSize } = this.#settings
    this.#file ??= new TempFile(path, 'unlinked', writeSize, this)
    this.#fileEnd += end - start
    if (!this.#file.append(bytes, start, end)) this.#backlogged = true
  }

  get #room(): boolean {
    if (this.#backlogged) return false
    if (this.#behind.length === 0 && this.#fileEnd < this.#settings.file) return true
    return this.#front.length + this.#behind.length < this.#settings.memory
  }

  flush(): void {
    if (!this.#blocked && this.#empty) this.out.flush()
    else this.#flush = true
  }

  end(trailers: Fields | null): void {
    if (this.#ended || this.#done) return
    this.#ended = true
    this.#trailers = trailers
    this.#work()
  }

  abort(): void {
    this.stop()
    this.out.abort()
  }

  /**
   * The backend has failed: the client gets what is here, and then no end. false: there is nothing, and nobody but the
   * caller ends the request.
   */
  breakOff(status: number): boolean {
    if (this.#done || this.#empty) return false
    this.#broken = status
    this.#ended = true
    this.#r.keepalive = false
    return true
  }

  // --- to the client

  resume(): void {
    this.#blocked = false
    this.#work()
  }

  #work(): void {
    while (!this.#done && !this.#blocked && !this.#reading) {
      if (this.#front.length > 0) this.#sendFront()
      else if (this.#fileStart < this.#fileEnd) this.#readFile()
      else if (this.#behind.length > 0) [this.#front, this.#behind] = [this.#behind, this.#front]
      else break
    }
    if (this.#done) return
    // The end of all takes no room.
    if (this.#empty && (this.#ended || !this.#blocked)) this.#emptied()
    this.#tell()
  }

  #sendFront(): void {
    const { busy } = this.#settings
    if (!this.#front.shift(busy, (bytes, start, end) => this.#give(bytes, start, end))) this.#blocked = true
  }

  /** Passes on content that is not counted as kept any more. */
  #give(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#ended && this.#broken === 0 && this.#trailers === null && this.#empty
    if (last) this.#done = true
    const more = this.out.write(bytes, start, end, last)
    if (last) this.#finish()
    return more
  }

  #emptied(): void {
    if (this.#flush) {
      this.#flush = false
      this.out.flush()
    }
    if (!this.#ended) return
    if (this.#broken !== 0) {
      this.out.abort()
      this.#release()
      finalize(this.#r, this.#broken)
      return
    }
    this.out.end(this.#trailers)
    this.#finish()
  }

  #finish(): void {
    this.#release()
    if (this.#awaited) finalize(this.#r, OK)
  }

  #tell(): void {
    if (!this.#told || this.#ended || this.#done || !this.#room) return
    this.#told = false
    this.#r.source?.resume()
  }

  // --- the file

  #readFile(): void {
    this.#reading = true
    const file = this.#file!
    const there = file.written - this.#fileStart
    if (there === 0) return this.#awaitWrite()
    const buffer = acquire()
    file.read(buffer, HEADROOM, Math.min(READ_SIZE, there), this.#fileStart, (error, count) => {
      this.#reading = false
      if (this.#done) {
        // Nobody waits for it any more.
      } else if (error !== null || count === 0) {
        const what = error === null ? 'has fewer bytes than were written' : `failed (${errnoText(error)})`
        this.#fail(`pread() "${file.name}" ${what}`)
      } else {
        this.#fileStart += count
        if (!this.#give(buffer, HEADROOM, HEADROOM + count)) this.#blocked = true
      }
      // What the kernel has not taken stays in the buffer, whose writer gives it back.
      if (buffer.pins === 0) release(buffer)
      this.#work()
    })
  }

  /** What the client is to have next is on its way into the file still. */
  #awaitWrite(): void {
    this.#awaitsWrite = true
    this.#file!.flush()
  }

  fileCreated(name: string): void {
    if (!this.#done) this.#log('warn', `an upstream response is buffered to a temporary file ${name}`)
  }

  fileWritten(): void {
    if (this.#done) return
    this.#backlogged = false
    if (this.#awaitsWrite) {
      this.#awaitsWrite = this.#reading = false
      this.#work()
    } else this.#tell()
  }

  fileFailed(message: string): void {
    if (!this.#done) this.#fail(message)
  }

  /** As in nginx, the client gets no more of it. */
  #fail(message: string): void {
    this.#log('crit', message)
    this.#release()
    this.out.abort()
    finalize(this.#r, 500)
  }

  #log(level: 'warn' | 'crit', message: string): void {
    const r = this.#r
    const { doing } = r
    r.doing = 'reading upstream'
    r.log(level, message)
    r.doing = doing
  }

  // --- what the request asks

  finishes(): boolean {
    return (this.#awaited = this.#ended && !this.#done)
  }

  stop(): void {
    this.#release()
  }

  #release(): void {
    this.#done = true
    this.#front.clear()
    this.#behind.clear()
    this.#file?.close()
  }
}
