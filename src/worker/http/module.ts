// What a worker module adds to its directives: variables, phase handlers, filters, and its part of the log phase.

import type { BuildContext, ConfModule, Scope } from '../../shared/conf/build.ts'
import type { Command } from '../../shared/conf/command.ts'
import { nextModuleIndex } from '../../shared/conf/command.ts'
import type { Request } from './request.ts'

/** The handler has nothing to say: the next one is asked. */
export const DECLINED = -5
/** The handler has taken the request over and will end it by itself. */
export const DONE = -4
/** The phase is satisfied. In the content phase: the response is complete. */
export const OK = 0

/** OK, DECLINED, DONE, or a status code (200 and up) to end the request with. */
export type Result = number

export type Handler = (r: Request) => Result | Promise<Result>

/** Phases in the order they run (nginx's, without those that are the engine's own). */
export const PHASES = [
  'postRead',
  'serverRewrite',
  'rewrite',
  'preaccess',
  'access',
  'precontent',
  'content',
] as const
export type Phase = (typeof PHASES)[number]

/** Reads a variable: its value as latin1 text, or null where it is not found. Compiled into every place that names it. */
export type VariableReader = (r: Request) => string | null

/** Gives the reader of a variable called PREFIX + `suffix`, as `$arg_name`. */
export type VariableFamily = (suffix: string, context: BuildContext) => VariableReader

/** A part of a module that takes part in a request only where `when` says so; asked once per location. */
export interface Participant<C> {
  when(conf: C): boolean
  run: Handler
}

export interface HeaderFilter<C> {
  when(conf: C): boolean
  /** May change `r.response` and put a body filter in front of `r.out`; runs once, before the head is sent. */
  run(r: Request): void
}

export interface Module<C = unknown> extends ConfModule<C> {
  readonly variables: Readonly<Record<string, VariableReader>>
  readonly families: Readonly<Record<string, VariableFamily>>
  readonly phases: Readonly<Partial<Record<Phase, Participant<C>>>>
  /** Makes all content of a location by itself, in place of the content phase, where `when` says so: `proxy_pass`. */
  readonly contentHandler: Participant<C> | null
  readonly headerFilter: HeaderFilter<C> | null
  /** Runs when the request has ended, in module order. */
  readonly log: { when(conf: C): boolean; run(r: Request): void } | null
}

/** What a module declares; everything but name and commands may be left out. */
export interface ModuleDefinition<C> {
  name: string
  commands: readonly Command[]
  finish?: (conf: C, scope: Scope, context: BuildContext) => void
  variables?: Record<string, VariableReader>
  families?: Record<string, VariableFamily>
  phases?: Partial<Record<Phase, Participant<C>>>
  contentHandler?: Participant<C>
  headerFilter?: HeaderFilter<C>
  log?: { when(conf: C): boolean; run(r: Request): void }
}

export function defineModule<C>(definition: ModuleDefinition<C>): Module<C> {
  return {
    name: definition.name,
    commands: definition.commands,
    index: nextModuleIndex(),
    finish: definition.finish,
    variables: definition.variables ?? {},
    families: definition.families ?? {},
    phases: definition.phases ?? {},
    contentHandler: definition.contentHandler ?? null,
    headerFilter: definition.headerFilter ?? null,
    log: definition.log ?? null,
  }
}
