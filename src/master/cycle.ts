// Loads a configuration and checks it: the same modules that workers run build it here first.

import { type BuildOptions, buildCycle, type Cycle } from '../shared/conf/build.ts'
import { COMMAND_LINE, ConfError, type Directive } from '../shared/conf/directive.ts'
import { loadConfig, parseText, type SourceFile } from '../shared/conf/parser.ts'
import { allocateZones, resolveHosts } from '../shared/conf/resources.ts'
import { type CoreConf, core, workerConnections } from '../shared/core.ts'
import { describeFailure } from '../shared/failure.ts'
import type { CyclePlan, ListenAddress } from '../shared/messages.ts'
import { listenAddresses } from '../worker/http/servers.ts'
import { modules } from '../worker/modules.ts'
import type { Options } from './options.ts'
import type { Paths } from './paths.ts'

/** `user` may change the account later; a reload still means the same. */
const startedByRoot = process.getuid?.() === 0

/** A configuration file and the command line, as directives: nothing is checked yet. */
export interface Source {
  tree: Directive[]
  files: SourceFile[]
}

/** A configuration that workers can build. */
export interface LoadedCycle {
  generation: number
  source: Source
  cycle: Cycle
  options: BuildOptions
  core: CoreConf
  workerConnections: number
  addresses: ListenAddress[]
}

/** Reads the files. Throws ConfError when the main one cannot be read; what is wrong inside shows in `buildLoaded`. */
export function readSource(options: Options, paths: Paths): Source {
  const { tree, files } = loadConfig(paths.confFile, { confPrefix: paths.confPrefix })
  const given = options.directives.flatMap((text) => parseText(text, COMMAND_LINE, paths.confPrefix))
  const source = { tree: [...given, ...tree], files }
  override(source, options)
  return source
}

/** Checks a configuration and provides what it needs. `previous` keeps its shared memory where it can. Throws ConfError. */
export async function buildLoaded(
  source: Source,
  paths: Paths,
  previous: LoadedCycle | null,
): Promise<LoadedCycle> {
  const options: BuildOptions = { prefix: paths.prefix, confPrefix: paths.confPrefix, startedByRoot }
  if (paths.errorLog !== null) options.errorLog = paths.errorLog
  // The first build tells which names there are, the second one uses them. Zones are for the workers.
  const draft = buildCycle(source.tree, modules, options)
  options.addresses = await resolveHosts(draft)
  const kept = keepAddresses(options.addresses, previous?.options.addresses ?? {})
  const cycle = draft.context.hosts.size === 0 ? draft : buildCycle(source.tree, modules, options)
  for (const host of kept) {
    cycle.context.warn(
      `"${host}" could not be resolved: its last addresses are used`,
      draft.context.hosts.get(host),
    )
  }
  options.files = Object.fromEntries(cycle.context.files)
  options.zones = allocateZones(cycle, previous?.options.zones ?? {})
  return {
    generation: (previous?.generation ?? 0) + 1,
    source,
    cycle,
    options,
    core: cycle.root.conf(core),
    workerConnections: workerConnections(cycle.root),
    addresses: listenAddresses(cycle),
  }
}

/** Gives names without addresses those they had before; returns which. */
function keepAddresses(addresses: Record<string, string[]>, before: Record<string, string[]>): string[] {
  const kept = Object.keys(addresses).filter((host) => addresses[host]!.length === 0 && before[host]?.length)
  for (const host of kept) addresses[host] = before[host]!
  return kept
}

/** What workers get of it. */
export function planOf(loaded: LoadedCycle, logFiles: Record<string, number>): CyclePlan {
  return { generation: loaded.generation, tree: loaded.source.tree, options: loaded.options, logFiles }
}

/** Whether `daemon off` is said: all that is needed before the process that serves is started. */
export function wantsDaemon(source: Source): boolean {
  const said = source.tree.find((directive) => directive.name === 'daemon')
  return said?.args[0]?.toLowerCase() !== 'off'
}

/** Whether the main context logs to the standard error, which a daemon then keeps. */
export function logsToStderr(source: Source): boolean {
  return source.tree.some((directive) => directive.name === 'error_log' && directive.args[0] === 'stderr')
}

/** The text of `-T`: every file as read, and the command line's part. */
export function dump(source: Source, options: Options): string {
  const texts = source.files.map(({ path, text }) => `# configuration file ${path}:\n${text}\n`)
  const flags = overrides(options).map(({ name, value }) => `${name} ${value};\n`)
  if (flags.length > 0) texts.push(`# command line:\n${flags.join('')}\n`)
  return texts.join('')
}

function overrides(options: Options): { name: string; value: string; block: string | null }[] {
  return [
    { name: 'worker_processes', value: options.workerProcesses, block: null },
    { name: 'worker_connections', value: options.workerConnections, block: 'events' },
  ].filter((entry): entry is { name: string; value: string; block: string | null } => entry.value !== null)
}

/** Puts the flags in the place of the directives they win over. */
function override(source: Source, options: Options): void {
  for (const { name, value, block } of overrides(options)) {
    const target =
      block === null ? source.tree : source.tree.find((directive) => directive.name === block)?.block
    // No such block: the build says so.
    if (!target) continue
    const kept = target.filter((directive) => directive.name !== name)
    target.splice(
      0,
      target.length,
      { name, args: [value], file: COMMAND_LINE, line: 0, block: null },
      ...kept,
    )
  }
}

/** The message of an error that ends a start or a reload. Anything but a ConfError is a defect of weir: with its stack. */
export function startError(error: unknown): string {
  if (error instanceof ConfError || (error instanceof Error && error.constructor === Error))
    return error.message
  return describeFailure(error)
}
