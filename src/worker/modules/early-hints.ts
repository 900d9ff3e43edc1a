// `early_hints`: whether the 103 (Early Hints) responses of backends are for the client (RFC 8297).

import { HTTP_ANY, type Setter } from '../../shared/conf/command.ts'
import { type ComplexValue, compileValue } from '../http/complex-value.ts'
import { defineModule, type Module } from '../http/module.ts'
import type { Request } from '../http/request.ts'

interface EarlyHintsConf {
  /** One that is neither empty nor 0 is enough. */
  earlyHints: readonly ComplexValue[]
}

export const earlyHints: Module<EarlyHintsConf> = defineModule<EarlyHintsConf>({
  name: 'early_hints',
  commands: [
    { name: 'early_hints', in: HTTP_ANY, args: [1, Infinity], set: addConditions, repeat: true, default: [] },
  ],
})

/** As in nginx, the conditions of several lines count together. */
function addConditions(...[directive, context, previous]: Parameters<Setter>): ComplexValue[] {
  const conditions = directive.args.map((text) => compileValue(text, context))
  return [...((previous as ComplexValue[] | undefined) ?? []), ...conditions]
}

/** Whether hints of a backend go to the client of `r`. */
export function wantsEarlyHints(r: Request): boolean {
  for (const condition of r.conf(earlyHints).earlyHints) {
    const value = condition.evaluate(r)
    if (value !== '' && value !== '0') return true
  }
  return false
}
