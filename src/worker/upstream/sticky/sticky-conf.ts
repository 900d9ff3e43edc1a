// The `sticky` directive of upstream{}: its methods by their first word.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Setter } from '../../../shared/conf/command.ts'
import { stickyCookie } from './cookie.ts'
import { stickyLearn } from './learn.ts'
import { stickyRoute } from './route.ts'
import type { Stickiness } from './stickiness.ts'

/** Reads the words behind that of the method. Throws a ConfError for those that make no sense. */
type Method = (args: readonly string[], context: BuildContext) => Stickiness

const methods: Readonly<Record<string, Method>> = {
  cookie: stickyCookie,
  route: stickyRoute,
  learn: stickyLearn,
}

/** Setter of `sticky`. */
export function setSticky(...[directive, context]: Parameters<Setter>): Stickiness {
  const [word, ...args] = directive.args as [string, ...string[]]
  if (!Object.hasOwn(methods, word)) context.error(`unknown parameter "${word}"`)
  return methods[word]!(args, context)
}
