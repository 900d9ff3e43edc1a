// `log_format` and `access_log`: a line a request and log. What a line looks like is in log/format.ts, where it goes in
// log/log-file.ts, log/variable-path.ts and shared/syslog.ts.

import type { BuildContext } from '../../shared/conf/build.ts'
import {
  HTTP,
  HTTP_ANY,
  IF_IN_LOCATION,
  LIMIT_EXCEPT,
  LOCATION,
  SERVER,
  type Setter,
} from '../../shared/conf/command.ts'
import { defineModule } from '../http/module.ts'
import type { Request } from '../http/request.ts'
import { type AccessLog, accessLog, addFormat, declaredBuffering, defaultLog } from './log/access-log.ts'
import * as logFiles from './log/log-file.ts'
import { openLogFileCache } from './log/open-log-file-cache.ts'
import { closeVariableLogs } from './log/variable-path.ts'

interface LogConf {
  /** One entry for each directive of the level that has any; null for `off`. Undefined: the default log. */
  accessLog: readonly (AccessLog | null)[] | undefined
  /** Settled by `finish`. */
  logs: readonly AccessLog[]
}

/** Levels at which requests end. */
const LEVELS = SERVER | LOCATION | IF_IN_LOCATION | LIMIT_EXCEPT

export const log = defineModule<LogConf>({
  name: 'log',
  commands: [
    { name: 'log_format', in: HTTP, args: [2, Infinity], set: addFormat, repeat: true },
    {
      name: 'access_log',
      in: HTTP_ANY | IF_IN_LOCATION | LIMIT_EXCEPT,
      args: [1, Infinity],
      set: addLog,
      repeat: true,
    },
    {
      name: 'open_log_file_cache',
      in: HTTP_ANY,
      args: [1, 4],
      set: openLogFileCache,
      noEffect: 'log files with variables in their names stay open for a second',
    },
  ],
  finish(conf, scope, context) {
    if ((scope.kind & LEVELS) === 0) return
    const logs = conf.accessLog ?? [defaultLog(context)]
    // One `off` turns off all that stand beside it.
    conf.logs = logs.includes(null) ? [] : (logs as readonly AccessLog[])
  },
  log: { when: (conf) => conf.logs.length > 0, run: writeLines },
})

function addLog(...[directive, context, previous]: Parameters<Setter>): (AccessLog | null)[] {
  return [...((previous as (AccessLog | null)[] | undefined) ?? []), accessLog(directive, context)]
}

function writeLines(r: Request): void {
  for (const { condition, format, sink } of r.conf(log).logs) {
    if (condition !== null) {
      const value = condition.evaluate(r)
      if (value === '' || value === '0') continue
    }
    sink.add(format(r), r)
  }
}

/** A configuration begins to serve: logs go to these descriptors, by absolute path, and are buffered as it says. */
export function useLogFiles(descriptors: Record<string, number>, context: BuildContext): void {
  logFiles.useLogFiles(descriptors, declaredBuffering(context))
}

/** Writes to these descriptors from now on; everything gathered or buffered so far goes to the old ones first. */
export function reopenLogFiles(descriptors: Record<string, number>): void {
  logFiles.reopenLogFiles(descriptors)
  closeVariableLogs()
}

/** Writes everything gathered or buffered: for the end of the thread. */
export function flushLogFiles(): void {
  logFiles.flushLogFiles()
  closeVariableLogs()
}
