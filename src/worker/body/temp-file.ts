// A file for what memory is not to hold: content is appended piece by piece and read again from any place, all off the
// event loop. Its name is gone as soon as it is open, unless it is to be kept: the system frees it with its last
// descriptor, whatever becomes of the process. Nothing of it is specific to requests or responses.

import { close, constants, mkdir, open, read, unlink, writev } from 'node:fs'
import { errnoText } from '../../shared/errno.ts'
import { levelFolders, type TempPath, tempFileName } from './temp-path.ts'

/** Told what becomes of what was appended; never from inside a call to the file. */
export interface TempFileOwner {
  /** The file is there, under this name for a moment at least. */
  fileCreated(name: string): void
  /** All that was appended is in the file: there is room for more. */
  fileWritten(): void
  /** The file cannot be made or written; `message` is nginx's. It is closed. */
  fileFailed(message: string): void
}

/** What becomes of its name: gone at once, with the file's end, or never. */
export type Naming = 'unlinked' | 'clean' | 'kept'

/** Bytes that may wait to be written before `append` asks for patience. */
const MOST_WAITING = 131_072
/** Bounds of what is gathered for one write. */
const LEAST_UNIT = 4096
const MOST_UNIT = 65_536
/** How far the next number is from one that is taken. */
const COLLISION = 123_456
const MOST_NUMBER = 4_294_967_295
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL

/** Bytes of pieces of memory that are kept for the next use, by whatever file; more are left to the collector. */
const MOST_SPARE = 8 * 1024 * 1024
/** By their size. */
const spare = new Map<number, Buffer[]>()
let spareBytes = 0

function takePiece(size: number): Buffer {
  const piece = spare.get(size)?.pop()
  if (piece === undefined) return Buffer.allocUnsafeSlow(size)
  spareBytes -= size
  return piece
}

function givePiece(piece: Buffer): void {
  if (spareBytes + piece.length > MOST_SPARE) return
  spareBytes += piece.length
  const pieces = spare.get(piece.length)
  if (pieces === undefined) spare.set(piece.length, [piece])
  else pieces.push(piece)
}

let lastNumber = 0

function nextNumber(step: number): number {
  lastNumber = (lastNumber + step) % (MOST_NUMBER + 1)
  return lastNumber
}

export class TempFile {
  /** '' before there is a file. */
  name = ''
  readonly #path: TempPath
  readonly #naming: Naming
  readonly #owner: TempFileOwner
  /** Bytes of one piece of memory; so many at least are written at a time, but for the last ones. */
  readonly #unit: number
  /** -1: it is not open. */
  #descriptor = -1
  #state: 'none' | 'opening' | 'open' | 'closed' = 'none'
  /** Bytes in the file. */
  #written = 0
  /** Full pieces, in order, of which the first `#inFlight` are being written. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #inFlight = 0
  /** The piece that is being filled, and how far it is. */
  #piece: Buffer | null = null
  #filled = 0
  /** Operations that the descriptor is needed for. */
  #busy = 0

  /** `unit`: bytes that are gathered for one write. Nothing is made before there are so many, or `flush`. */
  constructor(path: TempPath, naming: Naming, unit: number, owner: TempFileOwner) {
    this.#path = path
    this.#naming = naming
    this.#unit = Math.min(Math.max(unit, LEAST_UNIT), MOST_UNIT)
    this.#owner = owner
  }

  /** Bytes that are in the file, and may be read. */
  get written(): number {
    return this.#written
  }

  /** Takes a copy of `bytes[start, end)`. false: enough for now, until `fileWritten`. */
  append(bytes: Buffer, start: number, end: number): boolean {
    if (this.#state === 'closed') return true
    for (let at = start; at < end; ) {
      this.#piece ??= takePiece(this.#unit)
      const copied = bytes.copy(this.#piece, this.#filled, at, end)
      at += copied
      this.#filled += copied
      if (this.#filled === this.#unit) this.#queuePiece()
    }
    if (this.#waiting.length > 0) this.#write()
    return this.#waitingBytes < MOST_WAITING
  }

  /** Makes the file, if there is none, and writes what has been appended: `fileWritten` tells when. */
  flush(): void {
    if (this.#state === 'closed') return
    if (this.#piece !== null && this.#filled > 0) this.#queuePiece()
    this.#write()
  }

  /** Reads up to `length` bytes, which have been written, from `position` into `buffer` at `at`. 0: it has lost them. */
  read(
    buffer: Buffer,
    at: number,
    length: number,
    position: number,
    done: (error: NodeJS.ErrnoException | null, count: number) => void,
  ): void {
    this.#busy++
    read(this.#descriptor, buffer, at, length, position, (error, count) => {
      this.#busy--
      done(error, count)
      this.#closeIfOver()
    })
  }

  /** It is not needed any more: what is under way ends, and the file is closed. */
  close(): void {
    if (this.#state === 'closed') return
    const opening = this.#state === 'opening'
    this.#state = 'closed'
    this.#forget()
    if (!opening) this.#closeIfOver()
  }

  // --- writing

  #queuePiece(): void {
    const piece = this.#piece!
    this.#waiting.push(this.#filled === piece.length ? piece : piece.subarray(0, this.#filled))
    this.#waitingBytes += this.#filled
    this.#piece = null
    this.#filled = 0
  }

  #write(): void {
    if (this.#state === 'none') return this.#create(nextNumber(1))
    if (this.#state !== 'open' || this.#inFlight > 0) return
    const pieces = [...this.#waiting]
    if (pieces.length === 0) {
      // Nothing has to be written: told as if it had been, but not at once.
      setImmediate(() => this.#tellWritten())
      return
    }
    this.#inFlight = pieces.length
    this.#busy++
    writev(this.#descriptor, pieces, this.#written, (error, count) => {
      this.#busy--
      this.#inFlight = 0
      if (this.#state === 'closed') return this.#closeIfOver()
      if (error !== null) return this.#fail('pwrite()', error)
      this.#wrote(count)
    })
  }

  /** A full disk may take a part: the rest of it says what is wrong. */
  #wrote(count: number): void {
    this.#written += count
    this.#waitingBytes -= count
    for (let left = count; left > 0; ) {
      const piece = this.#waiting[0]!
      if (piece.length > left) {
        this.#waiting[0] = piece.subarray(left)
        break
      }
      left -= piece.length
      this.#waiting.shift()
      if (piece.length === this.#unit) givePiece(piece)
    }
    if (this.#waiting.length > 0) this.#write()
    else this.#owner.fileWritten()
  }

  #tellWritten(): void {
    if (this.#state === 'open' && this.#waiting.length === 0) this.#owner.fileWritten()
  }

  // --- making and closing

  #create(number: number): void {
    this.#state = 'opening'
    const name = tempFileName(this.#path, number)
    open(name, FLAGS, 0o600, (error, descriptor) => {
      if (error === null) this.#opened(name, descriptor)
      else if (this.#state === 'closed') this.#forget()
      else if (error.code === 'EEXIST') this.#create(nextNumber(COLLISION))
      else if (error.code === 'ENOENT' && this.#path.levels.length > 0) this.#createFolders(number, name)
      else this.#fail('open()', error, name)
    })
  }

  #createFolders(number: number, name: string): void {
    const folders = levelFolders(this.#path, name)
    const next = (): void => {
      const folder = folders.shift()
      if (this.#state === 'closed') return
      if (folder === undefined) return this.#create(number)
      mkdir(folder, 0o700, (error) => {
        if (error === null || error.code === 'EEXIST') next()
        else if (this.#state !== 'closed') this.#fail('mkdir()', error, folder)
      })
    }
    next()
  }

  #opened(name: string, descriptor: number): void {
    this.#descriptor = descriptor
    this.name = name
    if (this.#naming === 'unlinked') unlink(name, () => {})
    if (this.#state === 'closed') return this.#closeIfOver()
    this.#state = 'open'
    this.#owner.fileCreated(name)
    this.#write()
  }

  #fail(call: string, error: NodeJS.ErrnoException, name = this.name): void {
    this.close()
    this.#owner.fileFailed(`${call} "${name}" failed (${errnoText(error)})`)
  }

  #forget(): void {
    this.#waiting = []
    this.#waitingBytes = 0
    this.#piece = null
  }

  #closeIfOver(): void {
    if (this.#state !== 'closed' || this.#busy > 0 || this.#descriptor < 0) return
    close(this.#descriptor, () => {})
    this.#descriptor = -1
    if (this.#naming === 'clean') unlink(this.name, () => {})
  }
}
