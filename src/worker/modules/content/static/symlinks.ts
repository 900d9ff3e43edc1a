// `disable_symlinks`: which symbolic links on the way to a file are followed.

import type { Setter } from '../../../../shared/conf/command.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import type { Request } from '../../../http/request.ts'
import type { LinkRule } from './guarded-open.ts'

/** What one `disable_symlinks` says. */
export class LinkPolicy {
  readonly #owned: boolean
  /** How the paths begin whose beginning is trusted; null: none is. */
  readonly #from: ComplexValue | null
  /** For paths of which nothing is trusted: the most. */
  readonly #whole: LinkRule

  constructor(owned: boolean, from: ComplexValue | null) {
    this.#owned = owned
    this.#from = from
    this.#whole = this.#rule(0)
  }

  /** How links of `path` (latin1) are looked at; null: like any others. */
  ruleFor(r: Request, path: string): LinkRule | null {
    const from = this.#from === null ? '' : this.#from.evaluate(r)
    if (from === '' || !path.startsWith(from)) return this.#whole
    const { length } = from
    if (length === path.length) return null
    if (path[length] === '/') return this.#rule(length)
    return from.endsWith('/') ? this.#rule(length - 1) : this.#whole
  }

  #rule(from: number): LinkRule {
    const owned = this.#owned
    return { owned, from, key: `\0${owned ? 'owned' : 'none'} ${from}\0` }
  }
}

/** `off` (false), `on` or `if_not_owner`, these with `from=` perhaps. */
export function setDisableSymlinks(...[directive, context]: Parameters<Setter>): LinkPolicy | false {
  let which: 'off' | 'on' | 'if_not_owner' | null = null
  let from: ComplexValue | null = null
  const { args } = directive
  for (const word of args) {
    if (word === 'off' || word === 'on' || word === 'if_not_owner') which = word
    else if (word.startsWith('from=')) from = compileValue(word.slice(5), context)
    else context.error(`invalid parameter "${word}"`)
  }
  if (which === null) {
    return context.error('"disable_symlinks" must have "off", "on" or "if_not_owner" parameter')
  }
  if (args.length === 2) {
    if (from === null) context.error(`duplicate parameters "${args[0]} ${args[1]}"`)
    if (which === 'off') context.error('"from=" cannot be used with "off" parameter')
  }
  return which === 'off' ? false : new LinkPolicy(which === 'if_not_owner', from)
}
