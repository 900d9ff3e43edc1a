// Log files as this thread writes them: lines gathered for one turn of the event loop at most, or with `buffer=` until
// the buffer is full or old. The master opens the files; here are their descriptors, which the whole process shares.

import { writeLatin1 } from '../../../shared/latin1.ts'
import type { Request } from '../../http/request.ts'
import { beforeTickEnd } from '../../tick.ts'
import { Timer } from '../../timer.ts'
import { GzipQueue } from './gzip-queue.ts'
import { LogWriter, MOST_GATHERED, type WriteContext } from './writer.ts'

/** Where the lines of one `access_log` go. */
export interface LogSink {
  /** Takes a line of `r`, with its line feed where the sink is a file. */
  add(line: string, r: Request): void
}

/** `buffer=`, `flush=` and `gzip=` of a file. */
export interface Buffering {
  /** Bytes. */
  size: number
  /** Milliseconds; 0: only when full. */
  flush: number
  /** Level; 0: not compressed. */
  gzip: number
}

class LogFile implements LogSink {
  readonly #path: string
  #writer: LogWriter
  #fd: number | null = null
  /** Lines of this turn of the event loop. */
  #lines = ''
  readonly #context: WriteContext = { errorLog: null, doing: '' }
  readonly #endTurn = (): void => this.#writeLines()
  #buffering: Buffering | null = null
  /** Lines of earlier turns: the first `#used` bytes. */
  #buffer: Buffer | null = null
  #used = 0
  #packer: GzipQueue | null = null
  #timer: Timer | null = null

  constructor(path: string) {
    this.#path = path
    this.#writer = new LogWriter(path)
  }

  /** Adds a line; unless the file is buffered, it is written before any connection is closed that it belongs to. */
  add(line: string, r: Request): void {
    this.#context.errorLog = r.location.errorLog
    if (this.#buffering !== null) return this.#keep(line, this.#buffering)
    if (this.#lines === '') beforeTickEnd(this.#endTurn)
    this.#lines += line
    if (this.#lines.length >= MOST_GATHERED) this.#writeLines()
  }

  /** Goes on with another descriptor (undefined: the same) and buffering; what there is goes to the old one first. */
  use(fd: number | undefined, buffering: Buffering | null): void {
    this.flush()
    this.#fd = fd ?? this.#fd
    // What failed before is worth a word again.
    this.#writer = new LogWriter(this.#path)
    this.#buffering = buffering
    if (buffering?.size !== this.#buffer?.length) this.#buffer = null
    if (buffering === null || buffering.gzip === 0) this.#packer = null
    else if (buffering.gzip !== this.#packer?.level) {
      this.#packer = new GzipQueue(buffering.gzip, (member) => this.#write(member, ''))
    }
  }

  /** Writes everything, compressed or not, before it returns. */
  flush(): void {
    this.#writeLines()
    this.#writeBuffer('')
    this.#packer?.finish()
  }

  /** Goes on with another descriptor (undefined: the same). */
  reopen(fd: number | undefined): void {
    this.use(fd, this.#buffering)
  }

  #writeLines(): void {
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#write(Buffer.from(lines, 'latin1'), ' while logging request')
  }

  /** A line that does not fit sends the others away; one that can never fit follows them. */
  #keep(line: string, { size, flush }: Buffering): void {
    const { length } = line
    if (length > size - this.#used) this.#writeBuffer(' while logging request')
    if (length > size) return this.#emit(Buffer.from(line, 'latin1'), ' while logging request')
    this.#buffer ??= Buffer.allocUnsafeSlow(size)
    if (this.#used === 0 && flush > 0) {
      this.#timer ??= new Timer(() => this.#writeBuffer(''))
      this.#timer.start(flush)
    }
    writeLatin1(this.#buffer, line, this.#used)
    this.#used += length
  }

  #writeBuffer(doing: WriteContext['doing']): void {
    if (this.#used === 0) return
    this.#timer?.stop()
    const lines = this.#buffer!.subarray(0, this.#used)
    this.#used = 0
    this.#emit(this.#packer === null ? lines : Buffer.from(lines), doing)
  }

  #emit(lines: Buffer, doing: WriteContext['doing']): void {
    if (this.#packer === null) this.#write(lines, doing)
    else this.#packer.add(lines)
  }

  #write(bytes: Buffer, doing: WriteContext['doing']): void {
    if (this.#fd === null) return
    this.#context.doing = doing
    this.#writer.write(this.#fd, bytes, this.#context)
  }
}

const files = new Map<string, LogFile>()

/** The file of this absolute path, as all configurations of this thread share it. */
export function logFile(path: string): LogSink {
  let file = files.get(path)
  if (file === undefined) files.set(path, (file = new LogFile(path)))
  return file
}

/** Writes to these descriptors (by absolute path) from now on. */
export function reopenLogFiles(logFiles: Record<string, number>): void {
  for (const [path, file] of files) file.reopen(logFiles[path])
}

/**
 * A configuration begins: its files with their buffering. Requests of earlier ones may still have lines for files that
 * it does not name: these are written without a buffer, because their descriptors go when the last such request does.
 */
export function useLogFiles(
  logFiles: Record<string, number>,
  buffering: ReadonlyMap<string, Buffering>,
): void {
  for (const [path, file] of files) file.use(logFiles[path], buffering.get(path) ?? null)
}

/** Writes all that is gathered or buffered: for the end of the thread. */
export function flushLogFiles(): void {
  for (const file of files.values()) file.flush()
}
