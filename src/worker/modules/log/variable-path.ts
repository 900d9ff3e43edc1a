// `access_log` to a path with variables: each path is opened when a request asks for it, by the worker itself and with
// its rights, and stays open for a moment, so that a busy one costs no more than any other log.

import { closeSync, constants, openSync, statSync } from 'node:fs'
import { errnoText } from '../../../shared/errno.ts'
import type { ComplexValue } from '../../http/complex-value.ts'
import type { VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { beforeTickEnd } from '../../tick.ts'
import { Timer } from '../../timer.ts'
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

/** By path, the one opened last behind the others. */
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
    const log = open.get(path) ?? this.#open(path, r)
    log?.add(line, r)
  }

  #open(path: string, r: Request): OpenLog | null {
    r.doing = 'logging request'
    if (!this.#hasRoot(r)) return null
    let fd: number
    try {
      // Nobody may choose where a path ends: nginx would take the NUL for its end.
      if (path.includes('\0')) throw new Error('22: Invalid argument')
      fd = openSync(Buffer.from(path, 'latin1'), FLAGS, 0o644)
    } catch (error) {
      r.log('crit', `open() "${path}" failed (${errnoText(error)})`)
      return null
    }
    if (open.size === 0) closing.start(KEPT_OPEN)
    else if (open.size >= MOST_OPEN) closeOldest()
    const log = new OpenLog(fd, path)
    open.set(path, log)
    return log
  }

  #hasRoot(r: Request): boolean {
    const root = this.#root(r) ?? ''
    let reason = '20: Not a directory'
    try {
      if (statSync(Buffer.from(root, 'latin1')).isDirectory()) return true
    } catch (error) {
      reason = errnoText(error)
    }
    r.log('error', `testing "${root}" existence failed (${reason})`)
    return false
  }
}

function closeOldest(): void {
  for (const [path, log] of open) {
    open.delete(path)
    return log.close()
  }
}
