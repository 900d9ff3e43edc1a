// `satisfy`: whether all modules of the access phase have to allow a request, or any of them; the phase as one handler.

import type { Scope } from '../../../shared/conf/build.ts'
import { HTTP_ANY } from '../../../shared/conf/command.ts'
import { oneOf, time } from '../../../shared/conf/setters.ts'
import { DECLINED, defineModule, type Handler, OK, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { delayRefusals } from './auth-delay.ts'

const FORBIDDEN = 403
const UNAUTHORIZED = 401

interface SatisfyConf {
  satisfy: 'all' | 'any'
  /** Milliseconds that a 401 of the phase waits; 0: none. */
  authDelay: number
}

export const satisfy = defineModule<SatisfyConf>({
  name: 'satisfy',
  commands: [
    { name: 'satisfy', in: HTTP_ANY, args: 1, set: oneOf({ all: 'all', any: 'any' }), default: 'all' },
    { name: 'auth_delay', in: HTTP_ANY, args: 1, set: time(), default: 0 },
  ],
})

/** The access phase of `scope` as the handlers it needs: with `satisfy any`, one that asks `handlers` in turn. */
export function accessPhase(scope: Scope, handlers: readonly Handler[]): readonly Handler[] {
  if (handlers.length === 0) return []
  // Subrequests are allowed what the request that makes them is.
  const { satisfy: which, authDelay } = scope.conf(satisfy)
  const steps: readonly Handler[] = which === 'all' ? handlers : [(r) => anyOf(r, handlers, 0, 0)]
  const delayed = authDelay === 0 ? steps : steps.map((step) => delayRefusals(step, authDelay))
  return delayed.map((step) => (r) => (r.parent === null ? step(r) : DECLINED))
}

/** `refusal`: the status the handlers before `from` refused with; 0: none has. */
function anyOf(
  r: Request,
  handlers: readonly Handler[],
  from: number,
  refusal: number,
): Result | Promise<Result> {
  let refused = refusal
  for (let index = from; index < handlers.length; index++) {
    const result = handlers[index]!(r)
    if (result instanceof Promise) {
      return result.then((value) =>
        isVerdict(value) ? allow(r, value) : anyOf(r, handlers, index + 1, worse(refused, value)),
      )
    }
    if (isVerdict(result)) return allow(r, result)
    refused = worse(refused, result)
  }
  if (refused === 0) return DECLINED
  if (refused === FORBIDDEN) r.log('error', 'access forbidden by rule')
  return refused
}

/** Not DECLINED and not a refusal that another module may overrule. */
function isVerdict(result: Result): boolean {
  return result !== DECLINED && result !== FORBIDDEN && result !== UNAUTHORIZED
}

function allow(r: Request, result: Result): Result {
  // The challenge of a module that refused is not for a request that another one allows.
  if (result === OK) r.response.remove('www-authenticate')
  return result
}

/** A challenge is the better answer: the client can do something about it. */
function worse(before: number, result: Result): number {
  if (result === DECLINED) return before
  return before === UNAUTHORIZED ? before : result
}
