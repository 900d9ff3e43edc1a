// The head of a request for a backend as a header block (RFC 9113 section 8.3): what the configuration sets, made
// beforehand where it is constant, and the client's fields.

import { asciiLower } from '../../../shared/latin1.ts'
import type { ComplexValue } from '../../http/complex-value.ts'
import { fieldValue, type NameSet } from '../../http/fields.ts'
import type { Request } from '../../http/request.ts'
import { field, isSensitive, linesBlock } from '../../http2/hpack/literals.ts'

/** A field that the configuration sets. */
export interface SetField {
  readonly name: string
  readonly value: ComplexValue
}

/** What of the heads of requests is known before there is one. */
export interface BlockPlan {
  readonly authority: ComplexValue
  /** Fields that are the same for every request. */
  readonly constant: string
  /** The others; names in lower case. Those whose value is empty are not sent. */
  readonly steps: readonly SetField[]
  /** Client fields that are not passed on; null: none is. */
  readonly ownFields: NameSet | null
}

/** About a connection of HTTP/1, or made from what is sent (RFC 9113 section 8.2.2). */
const NEVER = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** `fields` may have a Host, which is left out: `authority` says what that would. */
export function makeBlockPlan(
  fields: readonly SetField[],
  authority: ComplexValue,
  ownFields: NameSet | null,
): BlockPlan {
  const steps: SetField[] = []
  let constant = ''
  for (const { name, value } of fields) {
    const lower = asciiLower(name)
    if (NEVER.has(lower) || (lower === 'te' && value.constant !== null && value.constant !== 'trailers'))
      continue
    if (value.constant === null) steps.push({ name: lower, value })
    else if (value.constant !== '') constant += setField(lower, value.constant)
  }
  return { authority, constant, steps, ownFields }
}

/** The block for a request of `length` bytes of content; -1: nobody knows, or there is nothing to be said of it. */
export function requestBlock(
  r: Request,
  method: string,
  scheme: 'http' | 'https',
  path: string,
  plan: BlockPlan,
  length: number,
): string {
  const authority = plan.authority.constant ?? fieldValue(plan.authority.evaluate(r))
  let block = field(':method', method) + field(':scheme', scheme) + field(':path', path)
  if (authority !== '') block += field(':authority', authority)
  block += plan.constant
  for (const { name, value } of plan.steps) {
    const text = fieldValue(value.evaluate(r))
    if (text !== '' && (name !== 'te' || text === 'trailers')) block += setField(name, text)
  }
  if (length >= 0) block += field('content-length', String(length))
  return plan.ownFields === null ? block : block + linesBlock(r.fields.lines(plan.ownFields))
}

/** No blanks stand around a value (RFC 9113 section 8.2.1). */
function setField(name: string, value: string): string {
  const text = value.trim()
  return field(name, text, isSensitive(name, text))
}
