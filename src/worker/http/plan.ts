// What is settled about servers and locations before the first request: merged configurations, the handlers and
// filters that apply, the order to ask locations in. Built once from the scopes of a Cycle.

import type { Scope } from '../../shared/conf/build.ts'
import { LOCATION } from '../../shared/conf/command.ts'
import type { ErrorLog } from '../../shared/error-log.ts'
import { LocationTree } from './locations.ts'
import type { Handler, HeaderFilter, Module, Phase } from './module.ts'
import type { Request } from './request.ts'

/** A location, or a server where no location is chosen yet. */
export interface LocationPlan {
  /** The location's argument without its modifier; '' for a server. */
  readonly name: string
  readonly confs: readonly unknown[]
  readonly errorLog: ErrorLog
  /** Handlers of the rewrite to content phases, in order. */
  readonly handlers: readonly Handler[]
  /** How many of `handlers` are before the content phase: an OK there goes on, in content it ends the request. */
  readonly beforeContent: number
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
  /** Handlers of the post_read and server_rewrite phases. */
  readonly handlers: readonly Handler[]
}

/** What the plans of one Cycle are made with. */
export interface PlanContext {
  modules: readonly Module[]
  /** The error log of a scope; scopes with the same `error_log` lines share one. */
  errorLog(scope: Scope): ErrorLog
}

export function planServer(scope: Scope, firstName: string, context: PlanContext): ServerPlan {
  return {
    scope,
    firstName: firstName.replace(/^\./, ''),
    plan: planLocation(scope, '', context),
    handlers: handlers(scope, ['postRead', 'serverRewrite'], context.modules),
  }
}

export function planLocation(scope: Scope, name: string, context: PlanContext): LocationPlan {
  const before = handlers(scope, ['rewrite', 'preaccess', 'access', 'precontent'], context.modules)
  const content = handlers(scope, ['content'], context.modules)
  return {
    name,
    confs: scope.confs,
    errorLog: context.errorLog(scope),
    handlers: [...before, ...content],
    beforeContent: before.length,
    filters: filters(scope, context.modules),
    log: logs(scope, context.modules),
    locations: new LocationTree(
      scope.children.filter((child) => child.kind === LOCATION),
      (child, childName) => planLocation(child, childName, context),
    ),
  }
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
