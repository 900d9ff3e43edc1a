// Locations that send the same to their backends share one plan: with thousands of them, what a request reads is then
// memory that other requests have read a moment ago. Asked when the plans of locations are made.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import type { ComplexValue } from '../../../http/complex-value.ts'
import type { NameSet } from '../../../http/fields.ts'
import type { RequestPlan } from './request.ts'

const plans = new WeakMap<BuildContext, Map<string, RequestPlan>>()
const numbers = new WeakMap<ComplexValue | NameSet, number>()
let last = 0

/** `plan`, or one of the same configuration that says the same. */
export function sharedPlan(plan: RequestPlan, context: BuildContext): RequestPlan {
  let known = plans.get(context)
  if (known === undefined) plans.set(context, (known = new Map()))
  const key = keyOf(plan)
  const other = known.get(key)
  if (other === undefined) known.set(key, plan)
  return other ?? plan
}

/** Texts as they are, values and sets by what object they are: equal ones are one object already. */
function keyOf({ steps, ownFields, method, body, block, ...rest }: RequestPlan): string {
  const parts = steps.map(({ value, ...texts }) => ({ ...texts, value: numberOf(value) }))
  // The block says what the steps do.
  const http2 = block !== null
  return JSON.stringify([parts, numberOf(ownFields), numberOf(method), numberOf(body), http2, rest])
}

function numberOf(object: ComplexValue | NameSet | null): number {
  if (object === null) return 0
  let number = numbers.get(object)
  if (number === undefined) numbers.set(object, (number = ++last))
  return number
}
