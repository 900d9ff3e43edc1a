// Directive tree + module list -> scopes with merged, frozen configurations. Used by the master (to check) and by
// every worker (to run): both see the same rules. Two passes, as nginx: first every directive of the tree is set
// where it stands, then the levels are merged from the outside in, so order within a block does not matter.

import { readFileSync } from 'node:fs'
import { utf8 } from '../latin1.ts'
import { type LiveAnswers, type LiveName, liveKey } from '../names/live.ts'
import type { Staples } from '../staples.ts'
import {
  type Arity,
  type Command,
  EVENTS,
  fieldName,
  HTTP,
  IF_IN_LOCATION,
  IF_IN_SERVER,
  LIMIT_EXCEPT,
  LOCATION,
  MAIN,
  SERVER,
  UPSTREAM,
} from './command.ts'
import { ConfError, type Directive, missing, type Place, placeSuffix } from './directive.ts'
import { unknownDirective } from './names.ts'
import { nearest } from './nearest.ts'

/** What conf/build.ts needs to know of a module. The worker's modules add phases, filters and variables. */
export interface ConfModule<C = unknown> {
  readonly name: string
  readonly commands: readonly Command[]
  /** Position in `confs`; given by `defineModule`. */
  readonly index: number
  /** Called for every scope after its fields are merged, outermost first; may add derived fields to `conf`. */
  readonly finish?: Finisher<C>['finish'] | undefined
}

/** Declared as a method, so that one list may hold modules whose configurations differ. */
interface Finisher<C> {
  finish(conf: C, scope: Scope, context: BuildContext): void
}

/** One block of the configuration, with a merged configuration for each module. */
export class Scope {
  /** The context it is: MAIN, HTTP, SERVER... */
  readonly kind: number
  /** null for the main scope. */
  readonly directive: Directive | null
  readonly parent: Scope | null
  readonly children: Scope[] = []
  /** Merged configurations by module index; frozen once built. */
  readonly confs: Record<string, unknown>[] = []
  /** What this very block sets, by module index, before merging. */
  readonly own: (Record<string, unknown> | undefined)[] = []

  constructor(kind: number, directive: Directive | null, parent: Scope | null) {
    this.kind = kind
    this.directive = directive
    this.parent = parent
    parent?.children.push(this)
  }

  conf<C>(module: ConfModule<C>): C {
    return this.confs[module.index] as C
  }

  /** The nearest scope of `kind`, this one included. */
  within(kind: number): Scope | null {
    return this.kind === kind ? this : (this.parent?.within(kind) ?? null)
  }
}

/** Where files named in the configuration are looked for, and what the command line adds. */
export interface BuildOptions {
  /** `-p`: the folder relative paths of logs, temp folders and roots start from; ends with a slash. */
  prefix: string
  /** The folder of the configuration file: relative paths of configuration-time files; ends with a slash. */
  confPrefix: string
  /** `-e`: the error log used where the main context names none; default `logs/error.log`. */
  errorLog?: string
  /** Whether root started weir, whoever it is by now: gives the port of a server without `listen`. Default: as it is. */
  startedByRoot?: boolean
  /** Addresses of the host names in `BuildContext.hosts`, once the master has looked them up. */
  addresses?: Record<string, string[]>
  /** Addresses of live names as they are now; the master keeps this object up to date. */
  live?: LiveAnswers
  /** Shared memory by zone name, once the master has allocated what `BuildContext.zones` asks for. */
  zones?: Record<string, SharedArrayBuffer>
  /** OCSP responses that the master has fetched so far; it keeps this object up to date. */
  staples?: Staples
  /** Contents (latin1) by path of what `BuildContext.fileContent` was asked for in the master. Default: files are read. */
  files?: Record<string, string>
}

/** Handed to setters and `finish`. */
export class BuildContext {
  readonly options: BuildOptions
  /** The scope being configured. */
  scope: Scope
  /** The directive being set; errors without a place of their own are reported here. */
  directive: Directive | null = null
  /** Every log file named, by absolute path: the master opens them, workers get descriptors. */
  readonly logFiles = new Set<string>()
  /** Folders for temporary files, with the lengths of the names of the folders in them: the master makes them. */
  readonly tempFolders = new Map<string, readonly number[]>()
  /** What `-t` says without failing, in nginx's words. */
  readonly notices: string[] = []
  /** What is doubtful but not an error, with its place: nginx's [warn] messages, shown by `-t` and at every start. */
  readonly warnings: string[] = []
  /** Host names whose addresses are needed, with the directive that names each first. */
  readonly hosts = new Map<string, Directive | null>()
  /** Those of them without which the configuration is invalid, with the first directive that cannot do without. */
  readonly needed = new Map<string, Directive | null>()
  /** Names that are looked up while weir runs, by key. */
  readonly live = new Map<string, LiveName>()
  /** Shared memory this configuration needs: bytes by zone name. */
  readonly zones = new Map<string, number>()
  /** Contents of the files asked for so far, by absolute path: certificates, keys... */
  readonly files = new Map<string, string>()
  readonly #announced = new Set<string>()

  constructor(options: BuildOptions, root: Scope) {
    this.options = options
    this.scope = root
  }

  /** Throws a ConfError at `at`, or at the directive being set. */
  error(message: string, at: Place | null = this.directive): never {
    throw new ConfError(message, at)
  }

  /**
   * Throws a ConfError for a parameter (`name` or `name=value`) that is none of `known`, names with their `=` where they
   * take a value, or has a value that makes no sense.
   */
  invalidParameter(parameter: string, known: readonly string[]): never {
    const name = parameter.slice(0, parameter.indexOf('=') + 1) || parameter
    const similar = known.includes(name) ? null : nearest(name, known)
    const hint = similar === null ? '' : `, did you mean "${similar}"?`
    throw new ConfError(`invalid parameter "${parameter}"`, this.directive, hint)
  }

  /** An absolute path for one named relative to the prefix. */
  path(name: string): string {
    return name.startsWith('/') ? name : this.options.prefix + name
  }

  /** An absolute path for one named relative to the configuration's folder. */
  confPath(name: string): string {
    return name.startsWith('/') ? name : this.options.confPrefix + name
  }

  /**
   * Addresses of `host`; none in the master's first build, which finds out what names there are, and none for a host
   * that is not `needed` and cannot be found.
   */
  resolve(host: string, needed = true): string[] {
    if (!this.hosts.has(host)) this.hosts.set(host, this.directive)
    if (needed && !this.needed.has(host)) this.needed.set(host, this.directive)
    return this.options.addresses?.[host] ?? []
  }

  /** Has `name` looked up while weir runs; returns the key of its addresses. */
  follow(name: LiveName): string {
    const key = liveKey(name)
    this.live.set(key, name)
    return key
  }

  /** The zone called `name`, shared by all workers; memory of its own in a build that has no zones yet. */
  zone(name: string, bytes: number): SharedArrayBuffer {
    this.zones.set(name, bytes)
    return this.options.zones?.[name] ?? new SharedArrayBuffer(bytes)
  }

  /**
   * The content (latin1) of a file that belongs to the configuration, by its absolute path. The master reads it, which
   * may be root and keeps secrets away from who weir runs as; workers get it from there. Throws the system's error.
   */
  fileContent(path: string): string {
    let content = this.files.get(path) ?? this.options.files?.[path]
    if (content === undefined) {
      if (this.options.files !== undefined) this.error(`the master did not read "${path}"`)
      content = readFileSync(utf8(path), 'latin1')
    }
    this.files.set(path, content)
    return content
  }

  /** Adds a warning, with its place behind it. */
  warn(message: string, at: Place | null = this.directive): void {
    this.warnings.push(message + placeSuffix(at))
  }

  /** Adds a notice once for each `key`. */
  notice(key: string, text: string): void {
    if (this.#announced.has(key)) return
    this.#announced.add(key)
    this.notices.push(text)
  }
}

/** A built configuration. */
export interface Cycle {
  /** The main scope; `events`, `http` and what is in them are below it. */
  readonly root: Scope
  readonly context: BuildContext
}

const contextNames: [number, string][] = [
  [MAIN, 'main'],
  [EVENTS, 'events'],
  [HTTP, 'http'],
  [SERVER, 'server'],
  [LOCATION, 'location'],
  [UPSTREAM, 'upstream'],
  [IF_IN_SERVER, 'if'],
  [IF_IN_LOCATION, 'if'],
  [LIMIT_EXCEPT, 'limit_except'],
]

/** Names of the contexts in a mask, for messages and tables. */
export function contextList(mask: number): string[] {
  return contextNames.filter(([bit]) => mask & bit).map(([, name]) => name)
}

/** Builds a Cycle, or throws the first ConfError. Has no effect outside of the returned object. */
export function buildCycle(tree: Directive[], modules: readonly ConfModule[], options: BuildOptions): Cycle {
  const root = new Scope(MAIN, null, null)
  const context = new BuildContext(options, root)
  const commands = commandTable(modules)
  configure(root, tree, commands, context)
  merge(root, modules, context)
  return { root, context }
}

/**
 * An error for each name in the tree that is no directive of weir's, at its first place: what `buildCycle` would come to
 * one by one.
 */
export function unknownDirectives(tree: Directive[], modules: readonly ConfModule[]): ConfError[] {
  const commands = commandTable(modules)
  const errors = new Map<string, ConfError>()
  const walk = (directives: Directive[]): void => {
    for (const directive of directives) {
      const { name, block } = directive
      if (directive.broken !== undefined || errors.has(name)) continue
      const entries = commands.get(name)
      if (entries === undefined) errors.set(name, unknownDirective(directive, commands.keys()))
      else if (block !== null && entries.some(({ command }) => typeof command.block === 'number')) walk(block)
    }
  }
  walk(tree)
  return [...errors.values()]
}

interface Entry {
  command: Command
  module: ConfModule
  field: string
}

const tables = new WeakMap<readonly ConfModule[], Map<string, Entry[]>>()

function commandTable(modules: readonly ConfModule[]): Map<string, Entry[]> {
  let table = tables.get(modules)
  if (table !== undefined) return table
  table = new Map()
  for (const module of modules) {
    for (const command of module.commands) {
      const entry = { command, module, field: fieldName(command.name) }
      const entries = table.get(command.name)
      if (entries === undefined) table.set(command.name, [entry])
      else entries.push(entry)
    }
  }
  tables.set(modules, table)
  return table
}

function configure(
  scope: Scope,
  directives: Directive[],
  commands: Map<string, Entry[]>,
  context: BuildContext,
): void {
  for (const directive of directives) {
    context.directive = directive
    context.scope = scope
    if (directive.broken !== undefined) throw new ConfError(directive.broken, directive, directive.hint)
    const entries = commands.get(directive.name)
    if (entries === undefined) throw unknownDirective(directive, commands.keys())
    const entry = entries.find((candidate) => candidate.command.in & scope.kind)
    if (entry === undefined) {
      const hint = `, it belongs in ${placesOf(entries)}`
      throw new ConfError(`"${directive.name}" directive is not allowed here`, directive, hint)
    }
    checkForm(directive, entry.command, commands)
    apply(scope, directive, entry, commands, context)
  }
}

/** The contexts of a directive's commands, for messages; which `if` is told. */
function placesOf(entries: Entry[]): string {
  const mask = entries.reduce((bits, { command }) => bits | command.in, 0)
  const names = contextNames.filter(([bit]) => mask & bit).map(([bit, name]) => places[bit] ?? name)
  return names.join(', ')
}

const places: Record<number, string> = { [IF_IN_SERVER]: 'if in server', [IF_IN_LOCATION]: 'if in location' }

function checkForm(directive: Directive, command: Command, commands: Map<string, Entry[]>): void {
  const { name, args, block } = directive
  const wantsBlock = command.block !== undefined
  if (wantsBlock && block === null) throw new ConfError(`directive "${name}" has no opening "{"`, directive)
  const wrong =
    !wantsBlock && block !== null
      ? `directive "${name}" is not terminated by ";"`
      : `invalid number of arguments in "${name}" directive`
  if (wantsBlock === (block !== null) && fits(args.length, command.args)) return
  // Where a semicolon was forgotten, the directive behind it is among the arguments.
  const next = args.find((argument) => commands.has(argument))
  throw new ConfError(wrong, directive, next === undefined ? '' : missing(`before "${next}"`))
}

function fits(count: number, arity: Arity): boolean {
  return typeof arity === 'number' ? count === arity : count >= arity[0] && count <= arity[1]
}

function apply(
  scope: Scope,
  directive: Directive,
  entry: Entry,
  commands: Map<string, Entry[]>,
  context: BuildContext,
): void {
  const { command, module, field } = entry
  if (command.block === 'raw') rejectBroken(directive.block!)
  let target = scope
  if (typeof command.block === 'number') {
    if (!command.repeat && scope.children.some((child) => child.kind === command.block)) {
      context.error(`"${directive.name}" directive is duplicate`)
    }
    target = new Scope(command.block, directive, scope)
    context.scope = target
  }
  const own = (target.own[module.index] ??= {})
  const previous = own[field]
  if (previous !== undefined && !command.repeat) context.error(`"${directive.name}" directive is duplicate`)
  own[field] = command.set(directive, context, previous)
  if (command.noEffect !== undefined) {
    context.notice(
      directive.name,
      `the "${directive.name}" directive has no effect${placeSuffix(directive)}: ${command.noEffect}`,
    )
  }
  if (target !== scope) configure(target, directive.block ?? [], commands, context)
}

/** Setters of raw blocks see complete ones only. */
function rejectBroken(block: Directive[]): void {
  for (const entry of block) {
    if (entry.broken !== undefined) throw new ConfError(entry.broken, entry, entry.hint)
    if (entry.block !== null) rejectBroken(entry.block)
  }
}

const merged = new WeakMap<ConfModule, { field: string; command: Command }[]>()

/** The fields a module's configuration has on every level; asked for each of perhaps thousands of scopes. */
function mergedFields(module: ConfModule): { field: string; command: Command }[] {
  let fields = merged.get(module)
  if (fields === undefined) {
    fields = module.commands
      .filter(({ noEffect }) => noEffect === undefined)
      .map((command) => ({ field: fieldName(command.name), command }))
    merged.set(module, fields)
  }
  return fields
}

function merge(scope: Scope, modules: readonly ConfModule[], context: BuildContext): void {
  for (const module of modules) {
    const own = scope.own[module.index]
    const outer = scope.parent?.confs[module.index]
    const conf: Record<string, unknown> = {}
    for (const { field, command } of mergedFields(module)) {
      conf[field] =
        own?.[field] ?? (command.inherit === false ? undefined : outer?.[field]) ?? command.default
    }
    scope.confs[module.index] = conf
  }
  context.scope = scope
  for (const module of modules) {
    context.directive = scope.directive
    module.finish?.(scope.confs[module.index], scope, context)
  }
  // Upstreams first: what refers to them may stand before them.
  for (const child of scope.children) if (child.kind === UPSTREAM) merge(child, modules, context)
  for (const child of scope.children) if (child.kind !== UPSTREAM) merge(child, modules, context)
  for (const conf of scope.confs) Object.freeze(conf)
}
