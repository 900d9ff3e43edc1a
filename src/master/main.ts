// The command line: says what is asked for, tests a configuration, signals a running weir, or becomes its master.

import './signals.ts'
import { constants } from 'node:os'
import { errnoText } from '../shared/errno.ts'
import { reportToStderr } from '../shared/error-log.ts'
import { describeFailure } from '../shared/failure.ts'
import { version } from '../shared/version.ts'
import { configureArguments } from './built-in.ts'
import { buildLoaded, logsToStderr, readSource, startError, wantsDaemon } from './cycle.ts'
import { isDetached, reportStarted, runDetached } from './daemon.ts'
import { type Demo, startDemo } from './demo/demo.ts'
import { Master } from './master.ts'
import { MasterLog } from './master-log.ts'
import { helpText, type Options, parseOptions, SIGNALS, type SignalWord, UsageError } from './options.ts'
import { findPaths, type Paths, packageRoot } from './paths.ts'
import { readPid } from './pid.ts'
import { testConfiguration } from './test-configuration.ts'

process.exitCode = await main(process.argv.slice(2))
// Handles of Node's own (a channel to the parent) must not keep an ended weir alive.
process.exit()

async function main(words: string[]): Promise<number> {
  let options: Options
  try {
    options = parseOptions(words)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    say(`weir: ${error.message}\n`)
    return 1
  }
  if (options.version) {
    sayVersion(options)
    if (!options.test) return 0
  }
  if (options.demo) return runDemo(options)
  const paths = findPaths(options)
  if (options.test) return testConfiguration(options, paths)
  if (options.signal !== null) return signalMaster(options.signal, options, paths)
  return run(options, paths)
}

/** Standard error, as everything nginx says; paths are binary strings. */
function say(text: string): void {
  process.stderr.write(text, 'latin1')
}

function sayVersion(options: Options): void {
  say(`weir version: weir/${version}\n`)
  if (options.configureArguments) {
    say(`running on Node.js ${process.version} with V8 ${process.versions.v8}\n`)
    say(`configure arguments: ${configureArguments()}\n`)
  }
  if (options.help) say(helpText(packageRoot))
}

/** `-s`: the configuration says where the pid file is. */
async function signalMaster(word: SignalWord, options: Options, paths: Paths): Promise<number> {
  let path: string
  try {
    path = (await buildLoaded(readSource(options, paths), paths, null)).core.pid
  } catch (error) {
    reportToStderr('emerg', startError(error))
    return 1
  }
  try {
    const pid = readPid(path)
    try {
      process.kill(pid, SIGNALS[word])
    } catch (error) {
      reportToStderr(
        'alert',
        `kill(${pid}, ${constants.signals[SIGNALS[word]]}) failed (${errnoText(error)})`,
      )
      return 1
    }
  } catch (error) {
    reportToStderr('error', startError(error))
    return 1
  }
  return 0
}

async function run(options: Options, paths: Paths, demo: Demo | null = null): Promise<number> {
  let source: ReturnType<typeof readSource>
  try {
    source = readSource(options, paths)
  } catch (error) {
    reportToStderr('emerg', startError(error))
    return 1
  }
  if (demo === null && !isDetached && wantsDaemon(source)) return runDetached(logsToStderr(source))
  process.title = `weir: master process ${process.argv.slice(2).join(' ')}`.trimEnd()
  const log = new MasterLog()
  const master = await Master.start(options, paths, source, log)
  if (master === null) return 1
  log.started()
  let code = 0
  process.on('uncaughtException', (error) => {
    log.report('emerg', `master ended on ${describeFailure(error)}`)
    code = 1
    void master.stop()
  })
  reportStarted()
  if (demo !== null) process.stdout.write(demo.introduction)
  await master.ended
  return code
}

/** The demo stays in the foreground, whatever its configuration says. */
async function runDemo(options: Options): Promise<number> {
  let demo: Demo
  try {
    demo = await startDemo(options.demoPort)
  } catch (error) {
    reportToStderr('emerg', (error as Error).message)
    return 1
  }
  const code = await run(
    options,
    findPaths({ ...options, prefix: demo.prefix, confFile: demo.confFile }),
    demo,
  )
  const lastWord = await demo.stop()
  if (lastWord !== null) process.stdout.write(`${lastWord}\n`)
  return code
}
