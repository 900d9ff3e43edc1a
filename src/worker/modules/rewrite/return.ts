// `return`: ends a request with a status, a redirect or a text.

import { LOCATION, SERVER, type Setter } from '../../../shared/conf/command.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { fieldValue } from '../../http/fields.ts'
import { finalize, sendContent } from '../../http/finalize.ts'
import { DONE, defineModule, OK, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { contentType, coreHttp } from '../core.ts'

interface Return {
  status: number
  /** null: no text was given. */
  text: ComplexValue | null
}

interface ReturnConf {
  return: Return | undefined
}

const REDIRECTS = [301, 302, 303, 307, 308]

export const returnModule = defineModule<ReturnConf>({
  name: 'rewrite',
  commands: [
    { name: 'return', in: SERVER | LOCATION, args: [1, 2], set: setReturn, repeat: true, inherit: false },
  ],
  phases: {
    serverRewrite: { when: (conf) => conf.return !== undefined, run: handleReturn },
    rewrite: { when: (conf) => conf.return !== undefined, run: handleReturn },
  },
})

/** The first of several wins, as the first one that runs does. */
function setReturn(...[directive, context, previous]: Parameters<Setter>): Return {
  const parsed = parseReturn(directive.args as [string, string | undefined], (message) =>
    context.error(message),
  )
  const text = parsed.text === null ? null : compileValue(parsed.text, context)
  return (previous as Return | undefined) ?? { status: parsed.status, text }
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

function handleReturn(r: Request): Result {
  const { status, text } = r.conf(returnModule).return!
  if (text === null && status >= 400) return status
  r.stream.discardBody(r)
  // The text may name the status.
  r.response.status = status
  const value = text?.evaluate(r) ?? ''
  if (REDIRECTS.includes(status)) {
    r.response.location = fieldValue(value)
    return status
  }
  r.response.contentType = contentType(r.conf(coreHttp), r.uri)
  sendContent(r, value)
  // Whatever the phase: the request is answered.
  finalize(r, OK)
  return DONE
}
