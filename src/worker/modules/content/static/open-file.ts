// A file as it was opened: what it is, its validators, and its content where it is small, else a descriptor. Shared by
// all requests that came while it was held.

import { close, fstat, open, read, type Stats } from 'node:fs'
import { datableSeconds, formatHttpDate } from '../../../../shared/clock.ts'
import { errnoText } from '../../../../shared/errno.ts'
import type { HeldContent } from '../../../http/held-content.ts'
import type { Request } from '../../../http/request.ts'
import { keepSteady } from '../../../transport/read-buffer.ts'
import { coreHttp } from '../../core.ts'
import { type LinkRule, openGuarded, READ } from './guarded-open.ts'
import { fileName } from './path.ts'

/** Content up to this size is read at once, and sent in one piece. */
export const SMALL = 65536
/** Content up to this size is held in memory where it is asked for again. */
export const MEDIUM = 1024 * 1024
/** Bytes of content that a thread has in memory at most, but for small files: what is held, and what slow clients read. */
const MOST_CONTENT = 128 * 1024 * 1024

/** Why a file could not be opened. */
export interface OpenFailure {
  /** The system call, as messages name it: `open()`. */
  call: string
  error: unknown
}

export type FileKind = 'file' | 'directory' | 'other'

export class OpenFile {
  /** Latin1. */
  readonly path: string
  /** null: it is open. */
  readonly failure: OpenFailure | null
  readonly kind: FileKind
  readonly size: number
  /** Seconds since the epoch. */
  readonly modified: number
  /** `Last-Modified` and `ETag` of a regular file. */
  readonly lastModified: string
  readonly etag: string
  /** All of the content; null: it is to be read from `descriptor`. */
  readonly bytes: Buffer | null
  /** `bytes` while a cache holds them: what is made of them may be kept there. */
  held: HeldContent | null = null
  readonly descriptor: number
  readonly #inode: number
  readonly #milliseconds: number
  /** Requests at work on it, and a cache that keeps it. */
  #users = 1

  constructor(
    path: string,
    failure: OpenFailure | null,
    stats: Stats | null,
    descriptor: number,
    bytes: Buffer | null,
  ) {
    this.path = path
    this.failure = failure
    this.kind = stats === null ? 'other' : kindOf(stats)
    this.size = bytes?.length ?? stats?.size ?? 0
    this.#milliseconds = stats?.mtimeMs ?? 0
    this.#inode = stats?.ino ?? 0
    this.modified = datableSeconds(this.#milliseconds)
    const file = this.kind === 'file'
    this.lastModified = file ? formatHttpDate(new Date(this.modified * 1000)) : ''
    this.etag = file ? `"${this.modified.toString(16)}-${this.size.toString(16)}"` : ''
    this.descriptor = descriptor
    this.bytes = bytes
    if (bytes !== null) keepSteady(bytes)
  }

  /** `stats` are of the same file with the same content. */
  isOf(stats: Stats): boolean {
    return (
      this.failure === null &&
      stats.ino === this.#inode &&
      stats.mtimeMs === this.#milliseconds &&
      kindOf(stats) === this.kind &&
      (this.kind !== 'file' || stats.size === this.size)
    )
  }

  /** One more will call `release`. */
  hold(): this {
    this.#users++
    return this
  }

  /** The last one closes the file. */
  release(): void {
    if (--this.#users > 0) return
    if (this.descriptor >= 0) close(this.descriptor)
    if (this.bytes !== null) giveBack(this.bytes)
  }
}

export function kindOf(stats: Stats): FileKind {
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other'
}

/**
 * Opens the file called `path` (latin1), following links as `rule` says, and reads it if it has `limit` bytes at most.
 * Never rejects. The caller releases it.
 */
export function loadFile(path: string, limit: number, rule: LinkRule | null): Promise<OpenFile> {
  return new Promise((resolve) => {
    const failed = (call: string, error: unknown, descriptor = -1): void => {
      if (descriptor >= 0) close(descriptor)
      resolve(new OpenFile(path, { call, error }, null, -1, null))
    }
    if (path.includes('\0')) return failed('open()', NO_SUCH_FILE)
    const opened = (descriptor: number): void =>
      fstat(descriptor, (statError, stats) => {
        if (statError !== null) return failed('fstat()', statError, descriptor)
        if (!stats.isFile()) {
          close(descriptor)
          return resolve(new OpenFile(path, null, stats, -1, null))
        }
        const room = stats.size > limit ? null : makeRoom(stats.size)
        if (room === null) return resolve(new OpenFile(path, null, stats, descriptor, null))
        readWhole(descriptor, room, 0, (readError, bytes) => {
          if (readError !== null) {
            giveBack(bytes)
            return failed('read()', readError, descriptor)
          }
          close(descriptor)
          resolve(new OpenFile(path, null, stats, -1, bytes))
        })
      })
    if (rule === null) {
      open(fileName(path), READ, (error, descriptor) =>
        error === null ? opened(descriptor) : failed('open()', error),
      )
    } else {
      const result = openGuarded(path, rule)
      if (typeof result === 'number') opened(result)
      else failed(result.call, result.error)
    }
  })
}

/** Bytes of files that are not small, from the time they are read until the last one has let go of them. */
let content = 0

/** null: a file of this size has to be read as it is sent. */
function makeRoom(size: number): Buffer | null {
  if (size > SMALL) {
    if (content + size > MOST_CONTENT) return null
    content += size
  }
  return Buffer.allocUnsafeSlow(size)
}

function giveBack({ buffer: { byteLength } }: Buffer): void {
  if (byteLength > SMALL) content -= byteLength
}

const NO_SUCH_FILE = Object.assign(new Error('no such file or directory'), { errno: -2, code: 'ENOENT' })

/** Fills `bytes` from `length` on; gives less where the file has become shorter. */
function readWhole(
  descriptor: number,
  bytes: Buffer,
  length: number,
  done: (error: Error | null, bytes: Buffer) => void,
): void {
  if (length === bytes.length) return done(null, bytes)
  read(descriptor, bytes, length, bytes.length - length, length, (error, count) => {
    if (error !== null || count === 0) return done(error, bytes.subarray(0, length))
    readWhole(descriptor, bytes, length + count, done)
  })
}

const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])
const FORBIDDEN = new Set(['EACCES', 'EMLINK', 'ELOOP'])

/** Logs why a file could not be opened; gives the status to answer with. */
export function openFailure(r: Request, path: string, failure: OpenFailure): number {
  const status = statusOf(failure)
  if (status !== 404 || r.conf(coreHttp).logNotFound) logFailure(r, path, failure)
  return status
}

/** 404, 403 or 500. */
export function statusOf({ error }: OpenFailure): number {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return MISSING.has(code) ? 404 : FORBIDDEN.has(code) ? 403 : 500
}

export function logFailure(r: Request, path: string, failure: OpenFailure): void {
  const { call, error } = failure
  r.log(statusOf(failure) === 500 ? 'crit' : 'error', `${call} "${path}" failed (${errnoText(error)})`)
}
