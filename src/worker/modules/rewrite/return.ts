// `return`: ends a request with a status, a redirect or a text.

import type { Setter } from '../../../shared/conf/command.ts'
import { compileValue } from '../../http/complex-value.ts'
import { fieldValue } from '../../http/fields.ts'
import { finalize, sendContent } from '../../http/finalize.ts'
import { DONE, OK } from '../../http/module.ts'
import { contentType, coreHttp } from '../core.ts'
import { programOf, type Step } from './program.ts'

const REDIRECTS = [301, 302, 303, 307, 308]

/** Setter of `return`: a step of its block. */
export function setReturn(...[directive, context]: Parameters<Setter>): true {
  const parsed = parseReturn(directive.args as [string, string | undefined], (message) =>
    context.error(message),
  )
  const { status } = parsed
  const text = parsed.text === null ? null : compileValue(parsed.text, context)
  // An error without a text of its own: `error_page` may have one.
  const plain = status >= 400 && (text === null || text.constant === '')
  const step: Step = (r) => {
    if (plain) return status
    if (!r.stream.discardBody(r)) return 400
    // The text may name the status.
    r.response.status = status
    const value = text?.evaluate(r) ?? ''
    if (REDIRECTS.includes(status)) {
      r.response.location = fieldValue(value)
      return status
    }
    r.response.contentType ??= contentType(r.conf(coreHttp), r.uri)
    // Whatever the phase: the request is answered.
    if (sendContent(r, value)) finalize(r, OK)
    return DONE
  }
  programOf(context.scope).add(step)
  return true
}

function parseReturn(
  [first, second]: [string, string | undefined],
  error: (message: string) => never,
): { status: number; text: string | null } {
  if (/^\d+$/.test(first)) {
    const status = Number(first)
    if (status > 999) error(`invalid return code "${first}"`)
    return { status, text: second ?? null }
  }
  if (second !== undefined || !/^(http:\/\/|https:\/\/|\$scheme)/.test(first))
    error(`invalid return code "${first}"`)
  return { status: 302, text: first }
}
