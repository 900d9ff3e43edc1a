// What is settled about servers and locations before the first request: merged configurations, the handlers and
// filters that apply, the order to ask locations in. Built once from the scopes of a Cycle.

import type { Scope } from '../../shared/conf/build.ts'
import { IF_IN_LOCATION, LIMIT_EXCEPT, LOCATION } from '../../shared/conf/command.ts'
import type { ErrorLog } from '../../shared/error-log.ts'
import { type LimitExcept, limitExceptOf } from '../modules/access/limit-except.ts'
import { accessPhase } from '../modules/access/satisfy.ts'
import { http2Switch } from '../modules/http2.ts'
import { isInternal } from '../modules/internal.ts'
import { LocationTree } from './locations.ts'
import type { Handler, HeaderFilter, Module, Phase } from './module.ts'
import type { Request } from './request.ts'

/** A location, a block in one (`if`, `limit_except`), or a server where no location is chosen yet. */
export interface LocationPlan {
  /** The location's argument without its modifier; '' for a server. */
  readonly name: string
  readonly confs: readonly unknown[]
  readonly errorLog: ErrorLog
  /** Only redirects of ours lead here. */
  readonly internal: boolean
  /** Handlers of the rewrite phase. */
  readonly rewrite: readonly Handler[]
  /** Handlers of the preaccess to content phases, in order. */
  readonly handlers: readonly Handler[]
  /** How many of `handlers` are before the content phase: an OK there goes on, in content it ends the request. */
  readonly beforeContent: number
  /** What makes the content in place of the content phase, or null. */
  readonly contentHandler: Handler | null
  /** Where requests with other methods than the excepted ones go, or null. */
  readonly limitExcept: { readonly methods: LimitExcept; readonly plan: LocationPlan } | null
  readonly filters: readonly ((r: Request) => void)[]
  readonly log: readonly ((r: Request) => void)[]
  /** Nested locations. */
  readonly locations: LocationTree
}

export interface ServerPlan {
  readonly scope: Scope
  readonly plan: LocationPlan
  /** First server_name as written, for logs and `$server_name`. */
  readonly firstName: string
  /** `http2 on`: connections may speak HTTP/2. */
  readonly http2: boolean
  /** Handlers of the post_read and server_rewrite phases. */
  readonly handlers: readonly Handler[]
  /** How many of `handlers` are of the post_read phase, which runs once for a request. */
  readonly afterRead: number
}

/** What the plans of one Cycle are made with. */
export interface PlanContext {
  modules: readonly Module[]
  /** The error log of a scope; scopes with the same `error_log` lines share one. */
  errorLog(scope: Scope): ErrorLog
}

export function planServer(scope: Scope, firstName: string, context: PlanContext): ServerPlan {
  const afterRead = handlers(scope, ['postRead'], context.modules)
  return {
    scope,
    firstName: firstName.replace(/^\./, ''),
    plan: planLocation(scope, '', context),
    http2: scope.conf(http2Switch).http2,
    handlers: [...afterRead, ...handlers(scope, ['serverRewrite'], context.modules)],
    afterRead: afterRead.length,
  }
}

/** Plans of the `if` blocks in locations. */
const blocks = new WeakMap<Scope, LocationPlan>()

/** The plan of an `if` block; null for one of a server, which changes nothing about where a request is. */
export function planOfBlock(scope: Scope): LocationPlan | null {
  return blocks.get(scope) ?? null
}

export function planLocation(scope: Scope, name: string, context: PlanContext): LocationPlan {
  const { modules } = context
  const before = [
    ...handlers(scope, ['preaccess'], modules),
    ...accessPhase(scope, handlers(scope, ['access'], modules)),
    ...handlers(scope, ['precontent'], modules),
  ]
  const content = handlers(scope, ['content'], modules)
  const plan: LocationPlan = {
    name,
    confs: scope.confs,
    errorLog: context.errorLog(scope),
    internal: isInternal(scope),
    rewrite: handlers(scope, ['rewrite'], modules),
    handlers: [...before, ...content],
    beforeContent: before.length,
    contentHandler: contentHandler(scope, modules),
    limitExcept: limitExcept(scope, name, context),
    filters: filters(scope, modules),
    log: logs(scope, modules),
    locations: new LocationTree(
      scope.children.filter((child) => child.kind === LOCATION),
      (child, childName) => planLocation(child, childName, context),
    ),
  }
  if (scope.kind === IF_IN_LOCATION) blocks.set(scope, plan)
  for (const child of scope.children) if (child.kind === IF_IN_LOCATION) planLocation(child, name, context)
  return plan
}

function handlers(scope: Scope, phases: readonly Phase[], modules: readonly Module[]): Handler[] {
  const list: Handler[] = []
  for (const phase of phases) {
    for (const module of modules) {
      const participant = module.phases?.[phase]
      if (participant?.when(scope.conf(module))) list.push(participant.run)
    }
  }
  return list
}

/** The last directive of its kind in a location would win in nginx; the module list's first does here. */
function contentHandler(scope: Scope, modules: readonly Module[]): Handler | null {
  for (const { contentHandler: participant, index } of modules) {
    if (participant?.when(scope.confs[index])) return participant.run
  }
  return null
}

function limitExcept(scope: Scope, name: string, context: PlanContext): LocationPlan['limitExcept'] {
  const block = scope.children.find((child) => child.kind === LIMIT_EXCEPT)
  if (block === undefined) return null
  return { methods: limitExceptOf(block), plan: planLocation(block, name, context) }
}

/** In module order, the last module first, as nginx chains its filters: the list names the innermost last. */
function filters(scope: Scope, modules: readonly Module[]): ((r: Request) => void)[] {
  const list: ((r: Request) => void)[] = []
  for (const module of modules) {
    const filter: HeaderFilter<unknown> | null | undefined = module.headerFilter
    if (filter?.when(scope.conf(module))) list.push((r) => filter.run(r))
  }
  return list
}

function logs(scope: Scope, modules: readonly Module[]): ((r: Request) => void)[] {
  const list: ((r: Request) => void)[] = []
  for (const module of modules) {
    const log = module.log
    if (log?.when(scope.conf(module))) list.push((r) => log.run(r))
  }
  return list
}
