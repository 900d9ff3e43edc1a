// Variables that say something of the session a request belongs to.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'

/** What the first of these variables that is not empty holds; '': they all are. */
export function firstValue(readers: readonly VariableReader[], r: Request): string {
  for (const read of readers) {
    const value = read(r)
    if (value !== null && value !== '') return value
  }
  return ''
}

/** The reader of a variable written as `$name`. The whole text is its name, as in nginx: braces do not set it off. */
export function lookupVariable(text: string, context: BuildContext): VariableReader {
  if (text === '$') context.error('invalid variable name "$"')
  return variableReader(context, text.slice(1))
}
