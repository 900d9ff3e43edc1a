// Names of shared memory: all directives that make some share them, and each name is one directive's.

import type { BuildContext } from './build.ts'

const uses = new WeakMap<BuildContext, Map<string, string>>()

/** The zone `name` is for `use`, a word for the kind of directive; a ConfError where it is for another one already. */
export function claimZoneName(name: string, use: string, context: BuildContext): void {
  let known = uses.get(context)
  if (known === undefined) uses.set(context, (known = new Map()))
  const other = known.get(name)
  if (other !== undefined && other !== use) {
    context.error(`the shared memory zone "${name}" is already declared for a different use`)
  }
  known.set(name, use)
}
