// The directives of main{} and events{}, `error_log` at every level, and the `events` and `http` blocks themselves.
// The master acts on most of them; workers read the error log and `worker_connections`.

import { availableParallelism } from 'node:os'
import type { BuildContext, ConfModule, Scope } from './conf/build.ts'
import {
  type Command,
  EVENTS,
  HTTP,
  HTTP_ANY,
  IF_IN_LOCATION,
  IF_IN_SERVER,
  LIMIT_EXCEPT,
  LOCATION,
  MAIN,
  nextModuleIndex,
  SERVER,
  type Setter,
  UPSTREAM,
} from './conf/command.ts'
import type { Directive } from './conf/directive.ts'
import { block, flag, number, path, time } from './conf/setters.ts'
import { parseInteger } from './conf/values.ts'
import { type ErrorLogFile, isLevel, type Level } from './error-log.ts'
import { parseSyslog, SYSLOG } from './syslog.ts'
import { tuningCommands } from './tuning.ts'
import { findGroup, findUser } from './users.ts'

/** Whom the process turns into once files are read and sockets are bound. */
export interface Account {
  user: string
  group: string
  uid: number
  gid: number
}

/** The merged configuration of main, events and below. Fields of main hold everywhere. */
export interface CoreConf {
  /** null: none named, or the process may not change its user anyway. */
  user: Account | null
  workerProcesses: number
  /** null: the limit stays as it is. */
  workerRlimitNofile: number | null
  /** Set in `events`; see `workerConnections`. */
  workerConnections: number
  errorLog: readonly ErrorLogFile[]
  /** Absolute path. */
  pid: string
  daemon: boolean
  masterProcess: boolean
  /** Milliseconds that a worker which ends waits for what is in flight; 0: as long as it takes. */
  workerShutdownTimeout: number
  /** null: the working directory stays as it is. */
  workingDirectory: string | null
}

const DEFAULT_ERROR_LOG = 'logs/error.log'
const DEFAULT_PID = 'logs/weir.pid'
const ANY_CONTEXT =
  MAIN | EVENTS | HTTP | SERVER | LOCATION | UPSTREAM | IF_IN_SERVER | IF_IN_LOCATION | LIMIT_EXCEPT

const commands: Command[] = [
  { name: 'daemon', in: MAIN, args: 1, set: flag(), default: true },
  { name: 'error_log', in: MAIN | HTTP_ANY, args: [1, Infinity], set: addErrorLog, repeat: true },
  { name: 'events', in: MAIN, args: 0, set: block(), block: EVENTS },
  { name: 'http', in: MAIN, args: 0, set: block(), block: HTTP },
  // The parser has resolved the well-formed ones; this entry is for the words about the others.
  { name: 'include', in: ANY_CONTEXT, args: 1, set: block(), repeat: true },
  { name: 'master_process', in: MAIN, args: 1, set: flag(), default: true },
  { name: 'pid', in: MAIN, args: 1, set: path() },
  { name: 'user', in: MAIN, args: [1, 2], set: account(), default: null },
  { name: 'worker_connections', in: EVENTS, args: 1, set: connections(), default: 512 },
  { name: 'worker_processes', in: MAIN, args: 1, set: processes(), default: 1 },
  { name: 'worker_rlimit_nofile', in: MAIN, args: 1, set: number(), default: null },
  { name: 'worker_shutdown_timeout', in: MAIN, args: 1, set: time(), default: 0 },
  { name: 'working_directory', in: MAIN, args: 1, set: path(), default: null },
  ...tuningCommands,
]

export const core: ConfModule<CoreConf> = {
  name: 'core',
  index: nextModuleIndex(),
  commands,
  finish: finishCore,
}

/** `worker_connections` of a built configuration, from its `events` block. */
export function workerConnections(root: Scope): number {
  const events = root.children.find((scope) => scope.kind === EVENTS)
  return (events ?? root).conf(core).workerConnections
}

function finishCore(conf: CoreConf, scope: Scope, context: BuildContext): void {
  if (scope.kind !== MAIN) return
  if (!scope.children.some((child) => child.kind === EVENTS)) {
    context.error('no "events" section in configuration', null)
  }
  conf.pid ??= context.path(DEFAULT_PID)
  // As in nginx, the main context always has a file: what is said when syslog cannot be reached goes there.
  if (!conf.errorLog?.some(({ syslog }) => syslog === undefined)) {
    const file = errorLogFile(context.options.errorLog ?? DEFAULT_ERROR_LOG, 'error', context)
    conf.errorLog = [...(conf.errorLog ?? []), file]
  }
}

function addErrorLog(directive: Directive, context: BuildContext, previous: unknown): ErrorLogFile[] {
  const [name, ...levels] = directive.args as [string, ...string[]]
  const files = (previous as ErrorLogFile[] | undefined) ?? []
  if (name.startsWith('memory:')) {
    context.error(`"error_log ${name}" is not supported by weir: log to a file or to syslog`)
  }
  if (!name.startsWith(SYSLOG)) return [...files, errorLogFile(name, errorLevel(levels, context), context)]
  const syslog = parseSyslog(name, context)
  return [...files, { path: null, level: errorLevel(levels, context), syslog }]
}

const debugParts = ['core', 'alloc', 'mutex', 'event', 'http', 'mail', 'stream'].map(
  (part) => `debug_${part}`,
)

/** One level; or several `debug_...` words, which are all `debug` here. */
function errorLevel(words: string[], context: BuildContext): Level {
  let level: Level | null = null
  let debugging = false
  for (const word of words) {
    if (isLevel(word)) {
      if (level !== null || debugging) context.error(`duplicate log level "${word}"`)
      level = word
    } else if (debugParts.includes(word) && level === null) {
      debugging = true
    } else {
      context.error(`invalid log level "${word}"`)
    }
  }
  return debugging ? 'debug' : (level ?? 'error')
}

function errorLogFile(name: string, level: Level, context: BuildContext): ErrorLogFile {
  if (name === 'stderr') return { path: null, level }
  const path = context.path(name)
  context.logFiles.add(path)
  return { path, level }
}

function processes(): Setter {
  return (directive, context) => {
    const word = directive.args[0]!
    if (word === 'auto') return availableParallelism()
    // nginx starts without any worker for 0, and serves nothing.
    return parseInteger(word) || context.error(`"${directive.name}" directive invalid value`)
  }
}

function connections(): Setter {
  return (directive, context) => {
    const word = directive.args[0]!
    return parseInteger(word) ?? context.error(`invalid number "${word}"`)
  }
}

function account(): Setter {
  return (directive, context) => {
    if (process.geteuid?.() !== 0) {
      context.warn(
        'the "user" directive makes sense only if the master process runs with super-user privileges, ignored',
      )
      return null
    }
    const [user, group = user] = directive.args as [string, string?]
    const uid = findUser(user) ?? context.error(`getpwnam("${user}") failed`)
    const gid = findGroup(group) ?? context.error(`getgrnam("${group}") failed`)
    return { user, group, uid, gid } satisfies Account
  }
}
