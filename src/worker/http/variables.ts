// Variables: which names exist and how each is read. Modules have theirs for every configuration; directives as `map`
// and regular expressions declare more while one is built. A place that names a variable gets its reader then: nothing
// is looked up by name, or evaluated at all, for a request that does not use it.

import { hostname } from 'node:os'
import type { BuildContext } from '../../shared/conf/build.ts'
import { ConfError, type Directive } from '../../shared/conf/directive.ts'
import { nearest } from '../../shared/conf/nearest.ts'
import { asciiLower } from '../../shared/latin1.ts'
import type { Module, VariableFamily, VariableReader } from './module.ts'
import { isChangeable, isFixed, isNginxVariable } from './nginx-variables.ts'
import type { Request } from './request.ts'

/** How deep evaluations may be nested, as in nginx: deeper is a variable that needs itself. */
const MAX_DEPTH = 100

/** Values of declared variables that one request has evaluated. */
export class VariableValues {
  /** By slot; undefined: not yet. */
  readonly bySlot: (string | null | undefined)[] = []
  /** Evaluations under way. */
  depth = 0
  /** The outermost of them has been found to need itself. */
  cycle = false
}

/** The names of one list of modules. */
export class VariableTable {
  readonly #exact = new Map<string, VariableReader>()
  readonly #families: [prefix: string, family: VariableFamily][] = []

  constructor(modules: readonly Module[]) {
    for (const module of modules) {
      for (const [name, reader] of Object.entries(module.variables)) this.#exact.set(name, reader)
      for (const [prefix, family] of Object.entries(module.families)) this.#families.push([prefix, family])
    }
    // The longest prefix decides.
    this.#families.sort(([left], [right]) => right.length - left.length)
  }

  /** All names, families as `http_NAME`; for the directory of variables. */
  names(): string[] {
    return [...this.#exact.keys(), ...this.#families.map(([prefix]) => `${prefix}NAME`)].sort()
  }

  exact(name: string): VariableReader | null {
    return this.#exact.get(name) ?? null
  }

  /** The reader of `name` in the configuration of `context`, or null. */
  inFamily(name: string, context: BuildContext): VariableReader | null {
    for (const [prefix, family] of this.#families) {
      if (name.startsWith(prefix)) return family(name.slice(prefix.length), context)
    }
    return null
  }
}

/** A variable that a configuration declares, or may yet declare behind the place that names it. */
export class DeclaredVariable {
  readonly name: string
  /** Where its value is kept among the VariableValues of a request. */
  readonly slot: number
  /** Evaluated whenever it is read, not once for a request. */
  volatile = false
  /** A regular expression captures it: what one has captured is its value, whatever else declares it. */
  captured = false
  /** The directive that named it first. */
  readonly usedBy: Directive | null
  #evaluate: VariableReader | null
  #read: VariableReader | null = null

  /** `builtin`: what reads it where the configuration declares nothing. */
  constructor(name: string, slot: number, builtin: VariableReader | null, usedBy: Directive | null) {
    this.name = name
    this.slot = slot
    this.usedBy = usedBy
    this.#evaluate = builtin
    if (builtin !== null) this.#read = builtin
  }

  get known(): boolean {
    return this.#evaluate !== null || this.captured
  }

  /** Declares it: the last of several definitions counts, as in nginx. */
  define(evaluate: VariableReader): void {
    this.#evaluate = evaluate
    this.#read = null
  }

  /** A regular expression captures it; where none has matched it is not found from here on. */
  capture(): void {
    this.captured = true
    this.define(() => null)
  }

  /** A directive assigns values to it; `initial` reads it where none has been, unless it is declared otherwise. */
  assignable(initial: VariableReader): void {
    if (this.#evaluate === null) this.#evaluate = initial
    this.#read = null
  }

  /** Its value from now on, whatever it was before. */
  assign(r: Request, value: string): void {
    const values = (r.values ??= new VariableValues())
    values.bySlot[this.slot] = value
    if (this.captured && r.named !== null) r.named[this.name] = value
  }

  /** All definitions are known. */
  link(): void {
    if (this.#read !== null) return
    const { name } = this
    const evaluate = this.#evaluate!
    const value: VariableReader = this.volatile
      ? (r) => this.#evaluateIn(r, (r.values ??= new VariableValues()), evaluate)
      : (r) => {
          const values = (r.values ??= new VariableValues())
          const known = values.bySlot[this.slot]
          return known === undefined ? this.#evaluateIn(r, values, evaluate) : known
        }
    this.#read = this.captured ? (r) => r.named?.[name] ?? value(r) : value
  }

  read(r: Request): string | null {
    return this.#read === null ? null : this.#read(r)
  }

  #evaluateIn(r: Request, values: VariableValues, evaluate: VariableReader): string | null {
    if (values.depth === MAX_DEPTH) {
      values.cycle = true
      r.log('error', `cycle while evaluating variable "${this.name}"`)
      return null
    }
    // On the way back out of a cycle nothing is tried again: it could double with every level.
    if (values.cycle && this.volatile) return null
    values.depth++
    let value: string | null = null
    try {
      value = evaluate(r)
    } finally {
      values.depth--
      if (values.depth === 0) values.cycle = false
    }
    if (!this.volatile) values.bySlot[this.slot] = value
    return value
  }
}

/** What one configuration declares or names. */
interface Declared {
  variables: Map<string, DeclaredVariable>
  linked: boolean
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
  if (entry === undefined) declared.set(context, (entry = { variables: new Map(), linked: false }))
  return entry
}

function variable(context: BuildContext, name: string): DeclaredVariable {
  const { variables, linked } = of(context)
  let found = variables.get(name)
  if (found === undefined) {
    const builtin = table?.exact(name) ?? table?.inFamily(name, context) ?? null
    found = new DeclaredVariable(name, variables.size, builtin, context.directive)
    variables.set(name, found)
    if (linked) refuseUnknown(context, found)
  }
  return found
}

/**
 * Declares the variable `name` (without `$`, in any case) for this configuration; what it is read by is for the caller
 * to `define`. Variables of modules cannot be declared again, but for those that nginx lets be changed.
 */
export function declareVariable(context: BuildContext, name: string): DeclaredVariable {
  if (name === '') context.error('invalid variable name "$"')
  const lower = asciiLower(name)
  const builtin = table?.exact(lower) != null || isFixed(lower)
  if (builtin && !isChangeable(lower)) context.error(`the duplicate "${name}" variable`)
  return variable(context, lower)
}

/** A regular expression of this configuration captures `name`: it may be used as a variable. */
export function declareCapture(context: BuildContext, name: string): void {
  declareVariable(context, name).capture()
}

/** Refuses names that nothing in the configuration declares; called once all directives are set. */
export function checkVariables(context: BuildContext): void {
  const entry = of(context)
  for (const found of entry.variables.values()) {
    refuseUnknown(context, found)
    found.link()
  }
  entry.linked = true
}

function refuseUnknown(context: BuildContext, { name, known, usedBy }: DeclaredVariable): void {
  if (known) return
  if (isNginxVariable(name)) context.error(`the "${name}" variable is not supported by weir yet`, usedBy)
  throw new ConfError(`unknown "${name}" variable`, usedBy, hint(context, name))
}

function hint(context: BuildContext, name: string): string {
  const declared = [...of(context).variables.values()].filter(({ known }) => known)
  const similar = nearest(name, [...declared.map((found) => found.name), ...variableNames()])
  return similar === null ? '' : `, did you mean "${similar}"?`
}

/**
 * The reader of `$name`, or `${name}`. A name that a directive may declare, here or later in the file, is read through
 * its declaration; see checkVariables.
 */
export function variableReader(context: BuildContext, name: string): VariableReader {
  const lower = asciiLower(name)
  const builtin = table?.exact(lower) ?? null
  if (builtin !== null && !isChangeable(lower)) return builtin
  const found = variable(context, lower)
  return (r) => found.read(r)
}

/** The reader of `$1` to `$9`: a capture of the last regular expression that matched. */
export function captureReader(index: number): VariableReader {
  return (r: Request) => r.captures?.[index] ?? null
}

/** This machine's name, as `$hostname`. */
export const hostName = hostname().toLowerCase()
