// Variables: which names exist and how each is read. A place that names one gets its reader when the configuration is
// built; nothing is looked up or evaluated for a request that does not use it.

import { hostname } from 'node:os'
import type { BuildContext } from '../../shared/conf/build.ts'
import type { Directive } from '../../shared/conf/directive.ts'
import type { Module, VariableFamily, VariableReader } from './module.ts'
import { isNginxVariable } from './nginx-variables.ts'
import type { Request } from './request.ts'

/** Names of one list of modules, with the named captures its regular expressions define. */
export class VariableTable {
  readonly #exact = new Map<string, VariableReader>()
  readonly #families: [prefix: string, family: VariableFamily][] = []

  constructor(modules: readonly Module[]) {
    for (const module of modules) {
      for (const [name, reader] of Object.entries(module.variables)) this.#exact.set(name, reader)
      for (const [prefix, family] of Object.entries(module.families)) this.#families.push([prefix, family])
    }
  }

  /** All names, families as `http_NAME`; for the directory of variables. */
  names(): string[] {
    return [...this.#exact.keys(), ...this.#families.map(([prefix]) => `${prefix}NAME`)].sort()
  }

  find(name: string, context: BuildContext): VariableReader | null {
    const exact = this.#exact.get(name)
    if (exact !== undefined) return exact
    for (const [prefix, family] of this.#families) {
      if (name.startsWith(prefix) && name.length > prefix.length) return family(name.slice(prefix.length), context)
    }
    return null
  }
}

/** Names of one configuration that are no variables of a module. */
interface Declared {
  captures: Set<string>
  /** Named before anything declared them, with the directive that did. */
  pending: Map<string, Directive | null>
}

const declared = new WeakMap<BuildContext, Declared>()
let table: VariableTable | null = null

/** Sets the modules whose variables configurations may use; called by the module list. */
export function useVariables(modules: readonly Module[]): void {
  table = new VariableTable(modules)
}

/** All variables there are. */
export function variableNames(): string[] {
  return table?.names() ?? []
}

function of(context: BuildContext): Declared {
  let entry = declared.get(context)
  if (entry === undefined) declared.set(context, (entry = { captures: new Set(), pending: new Map() }))
  return entry
}

/** A regular expression of this configuration captures `name`: it may be used as a variable. */
export function declareCapture(context: BuildContext, name: string): void {
  of(context).captures.add(name)
}

/** Refuses names that nothing in the configuration declares; called once all directives are set. */
export function checkVariables(context: BuildContext): void {
  const { captures, pending } = of(context)
  for (const [name, directive] of pending) {
    if (captures.has(name)) continue
    if (isNginxVariable(name)) context.error(`the "${name}" variable is not supported by weir yet`, directive)
    context.error(`unknown "${name}" variable`, directive)
  }
}

/** The reader of `$name`. A name unknown so far may be declared later in the file; see checkVariables. */
export function variableReader(context: BuildContext, name: string): VariableReader {
  if (/^[1-9]$/.test(name)) return numberedCapture(Number(name))
  const lower = name.toLowerCase()
  const reader = table?.find(lower, context)
  if (reader != null) return reader
  const { captures, pending } = of(context)
  if (!captures.has(lower) && !pending.has(lower)) pending.set(lower, context.directive)
  return (r) => r.named?.[lower] ?? null
}

function numberedCapture(index: number): VariableReader {
  return (r: Request) => r.captures?.[index] ?? null
}

/** This machine's name, as `$hostname`. */
export const hostName = hostname().toLowerCase()
