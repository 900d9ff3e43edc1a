// `auth_request`: another location says by its status whether a request is let in.

import { HTTP_ANY, type Setter } from '../../../shared/conf/command.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { defineModule, type Module, OK, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { subrequest } from '../../http/subrequest.ts'
import { type DeclaredVariable, declareVariable } from '../../http/variables.ts'
import { assignRate } from '../filter/limit-rate.ts'

interface Assignment {
  variable: DeclaredVariable
  value: ComplexValue
}

interface AuthRequestConf {
  /** false: off. */
  authRequest: string | false
  authRequestSet: readonly Assignment[]
}

export const authRequest: Module<AuthRequestConf> = defineModule<AuthRequestConf>({
  name: 'auth_request',
  commands: [
    { name: 'auth_request', in: HTTP_ANY, args: 1, set: setUri, default: false },
    { name: 'auth_request_set', in: HTTP_ANY, args: 2, set: addAssignment, repeat: true, default: [] },
  ],
  phases: { access: { when: (conf) => conf.authRequest !== false, run: handleAuthRequest } },
})

function setUri(...[directive]: Parameters<Setter>): string | false {
  const uri = directive.args[0]!
  return uri === 'off' ? false : uri
}

function addAssignment(...[directive, context, previous]: Parameters<Setter>): Assignment[] {
  const [word, text] = directive.args as [string, string]
  if (!word.startsWith('$')) context.error(`invalid variable name "${word}"`)
  const variable = declareVariable(context, word.slice(1))
  variable.assignable(() => null)
  const assignment = { variable, value: compileValue(text, context) }
  return [...((previous as Assignment[] | undefined) ?? []), assignment]
}

function handleAuthRequest(r: Request): Promise<Result> {
  return new Promise((settle) => {
    const started = subrequest(r, r.conf(authRequest).authRequest as string, null, (sub) => {
      for (const { variable, value } of r.conf(authRequest).authRequestSet) {
        const text = value.evaluate(sub)
        if (variable.name === 'limit_rate') assignRate(r, text)
        else variable.assign(r, text)
      }
      settle(verdict(r, sub))
    })
    if (!started) settle(500)
  })
}

function verdict(r: Request, sub: Request): Result {
  const { status } = sub.response
  if (status === 403) return status
  if (status === 401) {
    // The challenges are the client's to answer (RFC 9110 section 11.6.1).
    r.response.lines += sub.response.linesOf('www-authenticate')
    return status
  }
  if (status >= 200 && status < 300) return OK
  r.log('error', `auth request unexpected status: ${status}`)
  return 500
}
