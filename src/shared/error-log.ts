// The error log: nginx's levels and line format, pino behind it. The master opens the files; a log only holds their
// descriptors, which are valid in every thread, and swaps them when the files are reopened. Or lines go to syslog.

import { writeSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { type Logger, pino } from 'pino'
import { errorLogTime } from './clock.ts'
import { SyslogPeer, type SyslogServer, syslogMessage } from './syslog.ts'

/** nginx's levels, most severe first. */
export const LEVELS = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug'] as const
export type Level = (typeof LEVELS)[number]

/** One `error_log`: lines of `level` and above go to the file, or to the syslog server. */
export interface ErrorLogFile {
  /** Absolute; null is the standard error, or no file where `syslog` says where lines go. */
  path: string | null
  level: Level
  syslog?: SyslogServer
}

/** An `error_log` that is open. */
export type LogTarget =
  | {
      /** Absolute path, by which a reopened descriptor is found; null for one that is never reopened (stderr). */
      path: string | null
      fd: number
      level: Level
    }
  | { syslog: SyslogServer; level: Level }

const STDERR = 2

/** nginx's longest line, line feed included. */
const LONGEST_LINE = 2048

const severity: Record<Level, number> = {
  emerg: 80,
  alert: 70,
  crit: 60,
  error: 50,
  warn: 40,
  notice: 30,
  info: 20,
  debug: 10,
}
const nameOf = new Map(LEVELS.map((level) => [severity[level], level]))

/** True for a word `error_log` takes as level. */
export function isLevel(word: string): word is Level {
  return Object.hasOwn(severity, word)
}

const withMetadata: unique symbol = Symbol.for('pino.metadata')

/** Where pino hands over a line: it sets the `last...` fields, then calls `write`. */
class Destination {
  readonly [withMetadata] = true
  lastLevel = 0
  lastMsg = ''
  lastObj: { connection?: number } = {}
  readonly #targets: LogTarget[]

  constructor(targets: LogTarget[]) {
    this.#targets = targets
  }

  write(): void {
    const level = this.lastLevel
    const connection = this.lastObj.connection ?? 0
    const name = nameOf.get(level)!
    const line = formatLine(name, this.lastMsg, connection)
    for (const target of this.#targets) {
      if (level < severity[target.level]) continue
      if ('syslog' in target) sendLine(target.syslog, name, line)
      else writeLine(target.fd, line)
    }
  }
}

/** Several `error_log` directives of one level of the configuration, written to together. */
export class ErrorLog {
  readonly #targets: LogTarget[]
  readonly #threshold: number
  readonly #pino: Logger<Level>

  /** The log of these directives, whose files are open under `logFiles` (by absolute path). */
  static of(files: readonly ErrorLogFile[], logFiles: Record<string, number>): ErrorLog {
    return new ErrorLog(
      files.map(({ path, level, syslog }) => {
        if (syslog !== undefined) return { syslog, level }
        return { path, level, fd: path === null ? STDERR : (logFiles[path] ?? STDERR) }
      }),
    )
  }

  /** Takes over `targets`: descriptors are the caller's to close. No targets: a log that says nothing. */
  constructor(targets: LogTarget[]) {
    this.#targets = targets
    this.#threshold = Math.min(Number.POSITIVE_INFINITY, ...targets.map((target) => severity[target.level]))
    const level = nameOf.get(this.#threshold) ?? 'silent'
    this.#pino = pino<Level>(
      { level, customLevels: severity, useOnlyCustomLevels: true, base: null, timestamp: false },
      new Destination(targets),
    )
  }

  /** Whether a line of this level is written anywhere: ask before a message that is costly to put together. */
  enabled(level: Level): boolean {
    return severity[level] >= this.#threshold
  }

  /** Writes one line at once. `connection` is the number shown as `*N`; 0 for none. */
  log(level: Level, message: string, connection = 0): void {
    if (severity[level] < this.#threshold) return
    this.#pino[level](connection === 0 ? {} : { connection }, message)
  }

  emerg(message: string, connection?: number): void {
    this.log('emerg', message, connection)
  }
  alert(message: string, connection?: number): void {
    this.log('alert', message, connection)
  }
  crit(message: string, connection?: number): void {
    this.log('crit', message, connection)
  }
  error(message: string, connection?: number): void {
    this.log('error', message, connection)
  }
  warn(message: string, connection?: number): void {
    this.log('warn', message, connection)
  }
  notice(message: string, connection?: number): void {
    this.log('notice', message, connection)
  }
  info(message: string, connection?: number): void {
    this.log('info', message, connection)
  }
  debug(message: string, connection?: number): void {
    this.log('debug', message, connection)
  }

  /** Writes to the descriptors of `logFiles` (by absolute path) from now on; paths not in it keep theirs. */
  reopen(logFiles: Record<string, number>): void {
    for (const target of this.#targets) {
      if ('fd' in target && target.path !== null) target.fd = logFiles[target.path] ?? target.fd
    }
  }
}

/** Writes `weir: [level] message` to standard error: all there is before the configuration is read. */
export function reportToStderr(level: Level, message: string): void {
  writeLine(STDERR, `weir: [${level}] ${message}\n`)
}

const CONTROL = /[\x00-\x1f\x7f]/
const ALL_CONTROLS = /[\x00-\x1f\x7f]/g

/** Clients and backends have their say in messages: no line may end early, and no terminal be told anything. */
function oneLine(message: string): string {
  if (!CONTROL.test(message)) return message
  return message.replace(
    ALL_CONTROLS,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

function formatLine(level: Level, message: string, connection: number): string {
  const mark = connection === 0 ? '' : `*${connection} `
  const line = `${errorLogTime()} [${level}] ${process.pid}#${threadId}: ${mark}${oneLine(message)}`
  return `${line.length < LONGEST_LINE ? line : line.slice(0, LONGEST_LINE - 1)}\n`
}

/**
 * One write, so that lines of several threads and processes do not mix. Paths and request texts are binary strings, one
 * character a byte. A full disk loses the line, as in nginx.
 */
function writeLine(fd: number, line: string): void {
  try {
    writeSync(fd, line, null, 'latin1')
  } catch {
    // Nowhere left to report it.
  }
}

/** The whole line without its line feed, as nginx sends it. */
function sendLine(server: SyslogServer, level: Level, line: string): void {
  SyslogPeer.of(server).send(syslogMessage(server, LEVELS.indexOf(level), line.slice(0, -1)))
}
