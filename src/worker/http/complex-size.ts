// Sizes that may hold variables, as `limit_rate`: a number where none stands in it, else a value for each request.

import type { Setter } from '../../shared/conf/command.ts'
import { parseSize } from '../../shared/conf/values.ts'
import { type ComplexValue, compileValue } from './complex-value.ts'
import type { Request } from './request.ts'

/** Bytes, or what gives them for a request. */
export type ComplexSize = number | ComplexValue

/** Setter of a size that may hold variables. */
export function complexSize(...[directive, context]: Parameters<Setter>): ComplexSize {
  const value = compileValue(directive.args[0]!, context)
  if (value.constant === null) return value
  return parseSize(value.constant) ?? context.error(`"${directive.name}" directive invalid value`)
}

/** The size for a request; 0, which is logged, where its variables make none. */
export function evaluateSize(r: Request, size: ComplexSize): number {
  if (typeof size === 'number') return size
  const text = size.evaluate(r)
  const bytes = parseSize(text)
  if (bytes === null) r.log('error', `invalid size "${text}"`)
  return bytes ?? 0
}
