// `access_log` and `log_format` as they are set: what a configuration has declared so far, and the check of the
// parameters, in nginx's order and words.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import { parseInteger, parseSize, parseTime } from '../../../shared/conf/values.ts'
import { parseSyslog, SYSLOG, SyslogPeer, type SyslogServer, syslogMessage } from '../../../shared/syslog.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'
import { combinedFormat, declaredFormat, type LogFormat } from './format.ts'
import { type Buffering, type LogSink, logFile } from './log-file.ts'
import { VariableLog } from './variable-path.ts'

/** One log of a location. */
export interface AccessLog {
  /** null: every request is logged. */
  readonly condition: ComplexValue | null
  readonly format: (r: Request) => string
  readonly sink: LogSink
}

/** What one configuration has declared so far. */
class Declared {
  readonly formats: LogFormat[]
  /** By absolute path. */
  readonly buffering = new Map<string, Buffering>()

  constructor(context: BuildContext) {
    this.formats = [combinedFormat(context)]
  }
}

const DEFAULT_LOG = 'logs/access.log'
const DEFAULT_GZIP_BUFFER = 64 * 1024
const FASTEST = 1

const declarations = new WeakMap<BuildContext, Declared>()

function declared(context: BuildContext): Declared {
  let entry = declarations.get(context)
  if (entry === undefined) declarations.set(context, (entry = new Declared(context)))
  return entry
}

/** Buffering by path of the files that a configuration buffers. */
export function declaredBuffering(context: BuildContext): ReadonlyMap<string, Buffering> {
  return declared(context).buffering
}

/** Setter of `log_format`. */
export function addFormat(directive: Directive, context: BuildContext): true {
  const { formats } = declared(context)
  const name = directive.args[0]!
  if (formats.some((format) => format.name === name)) {
    context.error(`duplicate "log_format" name "${name}"`)
  }
  formats.push(declaredFormat(directive, context))
  return true
}

/** The log where no level has an `access_log`. */
export function defaultLog(context: BuildContext): AccessLog {
  const path = context.path(DEFAULT_LOG)
  context.logFiles.add(path)
  return { condition: null, format: declared(context).formats[0]!.line, sink: logFile(path) }
}

/** One `access_log` directive; null for `off`. */
export function accessLog(directive: Directive, context: BuildContext): AccessLog | null {
  const [target, name = 'combined', ...words] = directive.args as [string, ...string[]]
  if (target === 'off') {
    return directive.args.length === 1 ? null : context.error(`invalid parameter "${name}"`)
  }
  if (target.startsWith(SYSLOG)) {
    const server = parseSyslog(target, context)
    const format = findFormat(name, context).message
    const { buffering, condition } = parameters(words, target, context)
    if (buffering !== null) context.error('logs to syslog cannot be buffered')
    return { condition, format, sink: new SyslogLog(server) }
  }
  const path = context.path(target)
  if (!target.includes('$')) {
    context.logFiles.add(path)
    const format = findFormat(name, context).line
    const { buffering, condition } = parameters(words, target, context)
    if (buffering !== null) buffer(path, target, buffering, context)
    return { condition, format, sink: logFile(path) }
  }
  const value = compileValue(path, context)
  const format = findFormat(name, context).line
  const { buffering, condition } = parameters(words, path, context)
  if (buffering !== null) context.error('buffered logs cannot have variables in name')
  return { condition, format, sink: new VariableLog(value, variableReader(context, 'document_root')) }
}

/** Only formats that stand before are known, by names in any case. */
function findFormat(name: string, context: BuildContext): LogFormat {
  const lower = name.toLowerCase()
  const found = declared(context).formats.find((format) => format.name.toLowerCase() === lower)
  return found ?? context.error(`unknown log format "${name}"`)
}

interface Parameters {
  buffering: Buffering | null
  condition: ComplexValue | null
}

function parameters(words: string[], target: string, context: BuildContext): Parameters {
  let size = 0
  let flush = 0
  let gzip = 0
  let condition: ComplexValue | null = null
  for (const word of words) {
    const [, key, value] = /^(buffer|flush|gzip|if)=(.*)$/s.exec(word) ?? []
    if (key === 'buffer') size = parseSize(value!) || context.error(`invalid buffer size "${value}"`)
    else if (key === 'flush') flush = parseTime(value!) || context.error(`invalid flush time "${value}"`)
    else if (key === 'if') condition = compileValue(value!, context)
    else if (key === 'gzip' || word === 'gzip') {
      size ||= DEFAULT_GZIP_BUFFER
      gzip = value === undefined ? FASTEST : gzipLevel(value, context)
    } else context.error(`invalid parameter "${word}"`)
  }
  if (size > 0) return { buffering: { size, flush, gzip }, condition }
  if (flush > 0) context.error(`no buffer is defined for access_log "${target}"`)
  return { buffering: null, condition }
}

function gzipLevel(text: string, context: BuildContext): number {
  const level = parseInteger(text)
  if (level === null || level < 1 || level > 9) context.error(`invalid compression level "${text}"`)
  return level
}

/** A file is buffered in one way, for all directives that name it. */
function buffer(path: string, target: string, buffering: Buffering, context: BuildContext): void {
  const known = declared(context).buffering.get(path)
  if (known === undefined) declared(context).buffering.set(path, buffering)
  else if (
    known.size !== buffering.size ||
    known.flush !== buffering.flush ||
    known.gzip !== buffering.gzip
  ) {
    context.error(`access_log "${target}" already defined with conflicting parameters`)
  }
}

class SyslogLog implements LogSink {
  readonly #server: SyslogServer
  readonly #peer: SyslogPeer

  constructor(server: SyslogServer) {
    this.#server = server
    this.#peer = SyslogPeer.of(server)
  }

  add(line: string): void {
    this.#peer.send(syslogMessage(this.#server, this.#server.severity, line))
  }
}
