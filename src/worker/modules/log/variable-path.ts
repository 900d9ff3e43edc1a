// `access_log` to a path with variables: each path is opened when a request asks for it, by the worker itself and with
// its rights, and stays open for a moment, so that a busy one costs no more than any other log.

import { closeSync, constants, openSync } from 'node:fs'
import { errnoText } from '../../../shared/errno.ts'
import type { ComplexValue } from '../../http/complex-value.ts'
import type { VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { beforeTickEnd } from '../../tick.ts'
import { Timer } from '../../timer.ts'
import { statFailure, statFile } from '../content/static/file-test.ts'
import { type LinkRule, openGuarded } from '../content/static/guarded-open.ts'
import type { OpenFailure } from '../content/static/open-file.ts'
import { linkRule } from '../content/static/open-file-cache.ts'
import type { LogSink } from './log-file.ts'
import { LogWriter, MOST_GATHERED, type WriteContext } from './writer.ts'

/** Files kept open by a worker, and for how long: one that was renamed is then made anew, as nginx does at once. */
const MOST_OPEN = 64
const KEPT_OPEN = 1000

/** Never waits: not for the reader of a pipe either, should a client manage to name one. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

/** A file that is open for a moment. */
class OpenLog {
  readonly #fd: number
  readonly #writer: LogWriter
  readonly #context: WriteContext = { errorLog: null, doing: ' while logging request' }
  #lines = ''
  readonly #endTurn = (): void => this.write()

  constructor(fd: number, path: string) {
    this.#fd = fd
    this.#writer = new LogWriter(path)
  }

  add(line: string, r: Request): void {
    this.#context.errorLog = r.location.errorLog
    if (this.#lines === '') beforeTickEnd(this.#endTurn)
    this.#lines += line
    if (this.#lines.length >= MOST_GATHERED) this.write()
  }

  write(): void {
    const lines = this.#lines
    this.#lines = ''
    if (lines !== '') this.#writer.write(this.#fd, Buffer.from(lines, 'latin1'), this.#context)
  }

  close(): void {
    this.write()
    try {
      closeSync(this.#fd)
    } catch {
      // The descriptor is gone all the same; a network's file system tells late that lines were lost.
    }
  }
}

/** By path and how links on it are looked at, the one opened last behind the others. */
const open = new Map<string, OpenLog>()
const closing = new Timer(closeVariableLogs)

/** Writes what there is and closes all files. */
export function closeVariableLogs(): void {
  for (const log of open.values()) log.close()
  open.clear()
}

export class VariableLog implements LogSink {
  readonly #path: ComplexValue
  readonly #root: VariableReader

  /** `root` gives the request's document root: as in nginx, nothing is logged for requests whose root is missing. */
  constructor(path: ComplexValue, root: VariableReader) {
    this.#path = path
    this.#root = root
  }

  add(line: string, r: Request): void {
    const path = this.#path.evaluate(r)
    const rule = linkRule(r, path)
    const key = rule === null ? path : rule.key + path
    const log = open.get(key) ?? this.#open(path, key, rule, r)
    log?.add(line, r)
  }

  #open(path: string, key: string, rule: LinkRule | null, r: Request): OpenLog | null {
    r.doing = 'logging request'
    if (!this.#hasRoot(r)) return null
    const fd = openLog(path, rule)
    if (typeof fd !== 'number') {
      r.log('crit', `${fd.call} "${path}" failed (${errnoText(fd.error)})`)
      return null
    }
    if (open.size === 0) closing.start(KEPT_OPEN)
    else if (open.size >= MOST_OPEN) closeOldest()
    const log = new OpenLog(fd, path)
    open.set(key, log)
    return log
  }

  #hasRoot(r: Request): boolean {
    const root = this.#root(r) ?? ''
    // With the slash, a link in its place is a folder on the way, as for nginx.
    const found = statFile(r, `${root}/`)
    if (found !== null && !('error' in found) && found.isDirectory()) return true
    const failure = found === null ? statFailure(root) : 'error' in found ? found : null
    const reason = failure === null ? '20: Not a directory' : errnoText(failure.error)
    r.log('error', `testing "${root}" existence failed (${reason})`)
    return false
  }
}

/** A descriptor, or why there is none. */
function openLog(path: string, rule: LinkRule | null): number | OpenFailure {
  const call = 'open()'
  try {
    // Nobody may choose where a path ends: nginx would take the NUL for its end.
    if (path.includes('\0')) throw new Error('22: Invalid argument')
    if (rule !== null) return openGuarded(path, rule, FLAGS, 0o644)
    return openSync(Buffer.from(path, 'latin1'), FLAGS, 0o644)
  } catch (error) {
    return { call, error }
  }
}

function closeOldest(): void {
  for (const [key, log] of open) {
    open.delete(key)
    return log.close()
  }
}
