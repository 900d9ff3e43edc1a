// `limit_except`: a block of a location for requests with other methods than those it names.

import type { Scope } from '../../../shared/conf/build.ts'
import { LIMIT_EXCEPT, LOCATION, type Setter } from '../../../shared/conf/command.ts'
import { defineModule } from '../../http/module.ts'

/** The methods that the block leaves alone. */
export type LimitExcept = ReadonlySet<string>

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'MKCOL',
  'COPY',
  'MOVE',
  'OPTIONS',
  'PROPFIND',
  'PROPPATCH',
  'LOCK',
  'UNLOCK',
  'PATCH',
]

const excepted = new WeakMap<Scope, LimitExcept>()

/** What the `limit_except` that opened `scope` names. */
export function limitExceptOf(scope: Scope): LimitExcept {
  return excepted.get(scope)!
}

export const limitExcept = defineModule<Record<string, never>>({
  name: 'limit_except',
  commands: [
    {
      name: 'limit_except',
      in: LOCATION,
      args: [1, Infinity],
      block: LIMIT_EXCEPT,
      inherit: false,
      set: setMethods,
    },
  ],
})

function setMethods(...[directive, context]: Parameters<Setter>): true {
  const methods = new Set<string>()
  for (const word of directive.args) {
    const method = word.toUpperCase()
    if (!METHODS.includes(method)) context.error(`invalid method "${word}"`)
    methods.add(method)
  }
  // GET stands for both, as in nginx.
  if (methods.has('GET')) methods.add('HEAD')
  excepted.set(context.scope, methods)
  return true
}
