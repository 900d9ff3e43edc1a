// `log_format` and `access_log`: one line a request, gathered for each file and written once a turn of the event loop.

import { writeSync } from 'node:fs'
import type { BuildContext } from '../../shared/conf/build.ts'
import { HTTP, HTTP_ANY, type Setter } from '../../shared/conf/command.ts'
import { splitVariables, type VariablePart } from '../http/complex-value.ts'
import { defineModule } from '../http/module.ts'
import type { Request } from '../http/request.ts'
import { beforeTickEnd } from '../tick.ts'
import { PLAIN } from './core-variables.ts'

type Formatter = (r: Request) => string

/** A log file as this thread writes it. */
class LogFile {
  readonly path: string
  #pending = ''

  constructor(path: string) {
    this.path = path
  }

  /** Adds a line; it is in the file before any connection is closed that it belongs to. */
  add(line: string): void {
    if (this.#pending === '') beforeTickEnd(() => this.flush())
    this.#pending += line
  }

  flush(): void {
    const text = this.#pending
    this.#pending = ''
    const fd = descriptors[this.path]
    if (text === '' || fd === undefined) return
    try {
      // One write of whole lines to a file opened for appending: lines of several threads do not mix.
      writeSync(fd, Buffer.from(text, 'latin1'))
    } catch {
      // A full disk loses the lines, as in nginx; requests go on.
    }
  }
}

let descriptors: Record<string, number> = {}
const files = new Map<string, LogFile>()

/** Writes to these descriptors (by absolute path) from now on; what was gathered goes to the old ones first. */
export function useLogFiles(logFiles: Record<string, number>): void {
  for (const file of files.values()) file.flush()
  // Requests of an earlier configuration may still have lines for files that this one does not name.
  descriptors = { ...descriptors, ...logFiles }
}

function logFile(path: string): LogFile {
  let file = files.get(path)
  if (file === undefined) files.set(path, (file = new LogFile(path)))
  return file
}

interface AccessLog {
  file: LogFile
  format: Formatter
}

interface LogConf {
  logFormat: ReadonlyMap<string, Formatter>
  /** One entry for each directive; null for `off`. Undefined: the default log. */
  accessLog: readonly (AccessLogDirective | null)[] | undefined
  /** Settled by `finish`. */
  logs: readonly AccessLog[]
}

interface AccessLogDirective {
  path: string
  format: string
  at: { file: string; line: number }
}

const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
const DEFAULT_LOG = 'logs/access.log'

export const log = defineModule<LogConf>({
  name: 'log',
  commands: [
    { name: 'log_format', in: HTTP, args: [2, Infinity], set: addFormat, repeat: true },
    { name: 'access_log', in: HTTP_ANY, args: [1, Infinity], set: addLog, repeat: true },
  ],
  finish(conf, scope, context) {
    if ((scope.kind & HTTP_ANY) === 0) return
    conf.logs = resolveLogs(conf, context)
  },
  log: { when: (conf) => conf.logs.length > 0, run: writeLines },
})

function resolveLogs(conf: LogConf, context: BuildContext): AccessLog[] {
  const directives = conf.accessLog ?? [
    { path: context.path(DEFAULT_LOG), format: 'combined', at: { file: '', line: 0 } },
  ]
  if (directives.includes(null)) return []
  return directives.map((directive) => {
    const { path, format, at } = directive!
    context.logFiles.add(path)
    const formatter = conf.logFormat?.get(format) ?? (format === 'combined' ? combined(context) : null)
    return { file: logFile(path), format: formatter ?? context.error(`unknown log format "${format}"`, at) }
  })
}

const combinedFormats = new WeakMap<BuildContext, Formatter>()

function combined(context: BuildContext): Formatter {
  let format = combinedFormats.get(context)
  if (format === undefined)
    combinedFormats.set(context, (format = compileFormat(COMBINED, escapeDefault, context)))
  return format
}

function addFormat(...[directive, context, previous]: Parameters<Setter>): Map<string, Formatter> {
  const formats = new Map((previous as Map<string, Formatter> | undefined) ?? [])
  const [name, ...rest] = directive.args as [string, ...string[]]
  if (name === 'combined' || formats.has(name)) context.error(`duplicate "log_format" name "${name}"`)
  const escaping = /^escape=(.*)$/.exec(rest[0] ?? '')
  const encode = escaping === null ? escapeDefault : escapes[escaping[1]!]
  if (encode === undefined) context.error(`unknown log format escaping "${escaping![1]}"`)
  const text = (escaping === null ? rest : rest.slice(1)).join('')
  return formats.set(name, compileFormat(text, encode, context))
}

function addLog(...[directive, context, previous]: Parameters<Setter>): (AccessLogDirective | null)[] {
  const logs = (previous as (AccessLogDirective | null)[] | undefined) ?? []
  const [path, format = 'combined', ...rest] = directive.args as [string, ...string[]]
  if (path === 'off') {
    if (directive.args.length === 1) return [...logs, null]
    context.error(`invalid parameter "${format}"`)
  }
  const extra = [format, ...rest].find((word) => /^(buffer|flush|gzip|if)(=|$)/.test(word))
  if (extra !== undefined) {
    context.error(
      `the "${extra.split('=')[0]}" parameter of the "access_log" directive is not supported by weir yet`,
    )
  }
  if (rest.length > 0) context.error(`invalid parameter "${rest[0]}"`)
  if (path.startsWith('syslog:') || path.includes('$')) {
    context.error(`"access_log ${path}" is not supported by weir yet: name a file`)
  }
  return [...logs, { path: context.path(path), format, at: directive }]
}

function compileFormat(text: string, encode: (text: string) => string, context: BuildContext): Formatter {
  const parts = splitVariables(text, context)
  const last = parts.at(-1)
  if (typeof last === 'string') parts[parts.length - 1] = `${last}\n`
  else parts.push('\n')
  const pieces = parts.map((part) => (typeof part === 'string' ? part : logged(part, encode)))
  return (r) => {
    let line = ''
    for (const piece of pieces) line += typeof piece === 'string' ? piece : piece(r)
    return line
  }
}

/** A variable as a log line shows it. */
function logged({ name, read }: VariablePart, encode: (text: string) => string): Formatter {
  const missing = encode === escapeDefault ? '-' : ''
  if (PLAIN.has(name)) return (r) => read(r) ?? missing
  return (r) => {
    const text = read(r)
    return text === null ? missing : encode(text)
  }
}

const UNSAFE = /["\\\x00-\x1f\x7f-\xff]/
const UNSAFE_ALL = /["\\\x00-\x1f\x7f-\xff]/g

/** nginx's `escape=default`: quotes, backslashes and what is not printable as \xXX. */
function escapeDefault(text: string): string {
  if (!UNSAFE.test(text)) return text
  return text.replace(
    UNSAFE_ALL,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

const JSON_ESCAPES: Record<string, string> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}

/** nginx's `escape=json`: as it must stand inside a JSON string. */
function escapeJson(text: string): string {
  return text.replace(/["\\\x00-\x1f]/g, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`
    return JSON_ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}

const escapes: Record<string, (text: string) => string> = {
  default: escapeDefault,
  json: escapeJson,
  none: (text) => text,
}

function writeLines(r: Request): void {
  for (const { file, format } of r.conf(log).logs) file.add(format(r))
}
