// `sticky route`: the servers have told the client themselves; variables find it again in the client's requests.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { firstValue, lookupVariable } from './lookup.ts'
import type { Stickiness } from './stickiness.ts'

export class StickyRoute implements Stickiness {
  readonly #lookup: readonly VariableReader[]

  constructor(lookup: readonly VariableReader[]) {
    this.#lookup = lookup
  }

  boundTo(r: Request): string {
    return firstValue(this.#lookup, r)
  }
}

/** Reads the words behind `sticky route`. */
export function stickyRoute(args: readonly string[], context: BuildContext): StickyRoute {
  for (const text of args) if (!text.startsWith('$')) context.error(`invalid variable name "${text}"`)
  return new StickyRoute(args.map((text) => lookupVariable(text, context)))
}
