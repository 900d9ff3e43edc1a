// What a module declares: its directives with contexts, arity, default and setter. conf/build.ts turns a
// directive tree and a list of modules into merged, frozen configurations; nothing else interprets directives.

import type { BuildContext } from './build.ts'
import type { Directive } from './directive.ts'

/** Contexts a directive may stand in; combine with `|`. */
export const MAIN = 1
export const EVENTS = 2
export const HTTP = 4
export const SERVER = 8
export const LOCATION = 16
export const UPSTREAM = 32
export const IF_IN_SERVER = 64
export const IF_IN_LOCATION = 128
export const LIMIT_EXCEPT = 256
/** http, server and location: where most directives stand. */
export const HTTP_ANY = HTTP | SERVER | LOCATION

/** `n` arguments, or from `[min]` to `max` (`Infinity` for any number). */
export type Arity = number | readonly [min: number, max: number]

/**
 * Turns one directive into the value of its field. `previous` is what earlier directives of the same name in the
 * same block gave (only ever defined for a command with `repeat`). Throw with `context.error(...)`.
 */
export type Setter = (directive: Directive, context: BuildContext, previous: unknown) => unknown

export interface Command {
  name: string
  /** Contexts, MAIN | EVENTS | ... */
  in: number
  args: Arity
  set: Setter
  /** The field's value where no level sets it. Default: undefined. */
  default?: unknown
  /** May stand several times in one block (a context: several such blocks in one); otherwise a second one is `"x" directive is duplicate`. */
  repeat?: boolean
  /**
   * The directive opens a block: a context (its directives are configured in a scope of that kind; `set` is called
   * before them), or 'raw' (the setter reads `directive.block` itself, as `map` and `types` do).
   */
  block?: number | 'raw'
  /** false: a level that does not set the field gets the default, not the value of the level around it. */
  inherit?: false
  /** nginx's tuning knob without a counterpart here: checked, ignored, and announced once by `-t` with this reason. */
  noEffect?: string
}

/** The field a directive's value is stored in: the directive's name in camelCase. */
export function fieldName(directive: string): string {
  return directive.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

let modules = 0

/** A new module's `index`: unique among all modules of this thread. */
export function nextModuleIndex(): number {
  return modules++
}
