// Files of users and password hashes: read when a request needs one, kept until the file changes.

import { type BigIntStats, closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { utf8 } from '../../../shared/latin1.ts'

/** Files kept; paths with variables in them may name many. */
const MAX_FILES = 100
/** Users of one file whose lines are remembered. */
const MAX_USERS = 1000
/** Milliseconds after a change in which another one may leave the file's times as they are. */
const UNSETTLED = 50n

/** Why a file cannot be used: which call failed, and with what. */
export class UserFileError extends Error {
  readonly call: 'open()' | 'pread()'

  constructor(call: UserFileError['call'], cause: unknown) {
    super(`${call} failed`, { cause })
    this.call = call
  }

  /** There is no such file. */
  get missing(): boolean {
    return this.call === 'open()' && (this.cause as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

class UserFile {
  readonly state: string
  /** Nothing can have changed without changing `state`. */
  readonly settled: boolean
  readonly #text: string
  readonly #found = new Map<string, string | null>()

  constructor(text: string, stats: BigIntStats) {
    this.#text = text
    this.state = stateOf(stats)
    this.settled = BigInt(Date.now()) - stats.ctimeMs > UNSETTLED
  }

  /** The password, hashed or not, in the first line of `user`; null without one. */
  passwordOf(user: string): string | null {
    let password = this.#found.get(user)
    if (password === undefined) {
      password = find(this.#text, user)
      if (this.#found.size >= MAX_USERS) this.#found.clear()
      this.#found.set(user, password)
    }
    return password
  }
}

/** By path; the one asked for the longest time ago first. */
const files = new Map<string, UserFile>()

/** The file at `path` (absolute, latin1) as it is now; pipes and devices have nobody in them. Throws UserFileError. */
export function userFile(path: string): UserFile {
  const known = files.get(path)
  if (known?.settled) {
    const stats = statSync(nodePath(path), { bigint: true, throwIfNoEntry: false })
    if (stats !== undefined && stateOf(stats) === known.state) return known
  }
  files.delete(path)
  const file = read(path)
  if (files.size >= MAX_FILES) files.delete(files.keys().next().value!)
  files.set(path, file)
  return file
}

function read(path: string): UserFile {
  let fd: number
  try {
    // Without waiting for the other end of a pipe.
    fd = openSync(nodePath(path), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw new UserFileError('open()', error)
  }
  try {
    // What changes between the two is found changed the next time.
    const stats = fstatSync(fd, { bigint: true })
    return new UserFile(stats.isFile() || stats.isDirectory() ? readFileSync(fd, 'latin1') : '', stats)
  } catch (error) {
    throw new UserFileError('pread()', error)
  } finally {
    closeSync(fd)
  }
}

/** A path ends at the byte 0, for nginx as for the system. */
function nodePath(path: string): string {
  const zero = path.indexOf('\0')
  return utf8(zero < 0 ? path : path.slice(0, zero))
}

function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
}

/** Reads lines as nginx does: where one differs from `user:` only by its end, the next line is passed over too. */
function find(text: string, user: string): string | null {
  const wanted = `${user}:`
  for (let line = 0; line < text.length; ) {
    const first = text[line]
    if (first === '\n') {
      line++
      continue
    }
    let same = 0
    if (first !== '#' && first !== '\r') {
      while (same < wanted.length && text[line + same] === wanted[same]) same++
      if (same === wanted.length) return /[^\r\n:]*/.exec(text.slice(line + same))![0]
    }
    // The byte that differs is gone, be it the end of the line.
    const end = text.indexOf('\n', line + same + 1)
    if (end < 0) return null
    line = end + 1
  }
  return null
}
