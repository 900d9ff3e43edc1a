// The master's own log: the main context's error_log, and the standard error until weir has started, as in nginx.

import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoText } from '../shared/errno.ts'
import { ErrorLog, type ErrorLogFile, type Level, reportToStderr } from '../shared/error-log.ts'
import { onSyslogFailure } from '../shared/syslog.ts'

export class MasterLog {
  #log = new ErrorLog([])
  #starting = true
  #usesStderr = false

  constructor() {
    onSyslogFailure((message) => this.#log.alert(message))
  }

  /** Writes one line to the log, and to the standard error while starting. */
  report(level: Level, message: string): void {
    this.#log.log(level, message)
    const matters = level !== 'notice' && level !== 'info' && level !== 'debug'
    if (this.#starting && matters && !this.#usesStderr) reportToStderr(level, message)
  }

  /** Logs to other files from now on. */
  use(files: readonly ErrorLogFile[], logFiles: Record<string, number>): void {
    this.#log = ErrorLog.of(files, logFiles)
    this.#usesStderr = files.some(({ path, syslog }) => path === null && syslog === undefined)
  }

  reopen(logFiles: Record<string, number>): void {
    this.#log.reopen(logFiles)
  }

  /** Startup is over: the standard error is only written to where `error_log stderr` says so. */
  started(): void {
    this.#starting = false
  }
}

/**
 * Opens log files for appending; those in `open` are taken over. The standard folder `logs` is made when it is missing,
 * as nginx's installation would. Throws an Error in nginx's words, with nothing left open.
 */
export function openLogFiles(
  paths: Iterable<string>,
  open: Record<string, number>,
  prefix: string,
): Record<string, number> {
  const files: Record<string, number> = {}
  for (const path of paths) {
    try {
      files[path] = open[path] ?? openLog(path, prefix)
    } catch (error) {
      closeLogFiles(files, open)
      throw new Error(`open() "${path}" failed (${errnoText(error)})`)
    }
  }
  return files
}

/** Closes what `files` has and `kept` has not. */
export function closeLogFiles(files: Record<string, number>, kept: Record<string, number>): void {
  const keep = new Set(Object.values(kept))
  for (const fd of Object.values(files)) if (!keep.has(fd)) closeSync(fd)
}

/** Makes the folder of `path` if it is the standard one, PREFIX/logs. */
export function makeLogsFolder(path: string, prefix: string): void {
  if (`${dirname(path)}/` === `${prefix}logs/`) mkdirSync(bytes(dirname(path)), { recursive: true })
}

function openLog(path: string, prefix: string): number {
  makeLogsFolder(path, prefix)
  return openSync(bytes(path), 'a', 0o644)
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}
