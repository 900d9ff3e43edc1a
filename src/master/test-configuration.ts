// `-t` and `-T`: everything a start does up to the sockets, then what was found, in nginx's words.

import { unknownDirectives } from '../shared/conf/build.ts'
import type { Directive } from '../shared/conf/directive.ts'
import { reportToStderr } from '../shared/error-log.ts'
import { modules } from '../worker/modules.ts'
import { buildLoaded, dump, type LoadedCycle, readSource, type Source, startError } from './cycle.ts'
import { bindForTest } from './listen.ts'
import { closeLogFiles, openLogFiles } from './master-log.ts'
import type { Options } from './options.ts'
import type { Paths } from './paths.ts'
import { checkFileLimit } from './privileges.ts'
import { makeTempFolders } from './temp-folders.ts'

/** Returns the exit code. */
export async function testConfiguration(options: Options, paths: Paths): Promise<number> {
  const { confFile } = paths
  const failed = `weir: configuration file ${confFile} test failed\n`
  let loaded: LoadedCycle
  let source: Source | null = null
  try {
    source = readSource(options, paths)
    loaded = await buildLoaded(source, paths, null)
  } catch (error) {
    reportToStderr('emerg', startError(error))
    reportUnknown(source?.tree ?? [], startError(error))
    say(failed)
    return 1
  }
  reportFindings(loaded, options.quiet)
  if (!options.quiet) say(`weir: the configuration file ${confFile} syntax is ok\n`)
  try {
    makeTempFolders(loaded.cycle.context.tempFolders.keys(), loaded.core.user)
    closeLogFiles(openLogFiles(loaded.cycle.context.logFiles, {}, paths.prefix), {})
    bindForTest(loaded.addresses)
  } catch (error) {
    reportToStderr('emerg', startError(error))
    say(failed)
    return 1
  }
  if (!options.quiet) say(`weir: configuration file ${confFile} test is successful\n`)
  if (options.dump) process.stdout.write(dump(loaded.source, options), 'latin1')
  return 0
}

/** nginx ends at the first error; a file that was written for nginx may have more directives that weir lacks. */
function reportUnknown(tree: Directive[], reported: string): void {
  for (const { message } of unknownDirectives(tree, modules)) {
    if (message !== reported) reportToStderr('emerg', message)
  }
}

function reportFindings({ core, cycle, workerConnections }: LoadedCycle, quiet: boolean): void {
  const limits = checkFileLimit(core.workerRlimitNofile, workerConnections, core.workerProcesses)
  for (const warning of [...cycle.context.warnings, ...limits]) reportToStderr('warn', warning)
  if (quiet) return
  for (const notice of cycle.context.notices) reportToStderr('notice', notice)
}

function say(text: string): void {
  process.stderr.write(text, 'latin1')
}
