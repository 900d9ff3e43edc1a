// `auth_basic`: users with passwords. Who they are stands in a file that is read as requests come, by the worker and so
// with the rights of its user.

import { HTTP_ANY, LIMIT_EXCEPT, type Setter } from '../../../shared/conf/command.ts'
import { errnoText } from '../../../shared/errno.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { basicCredentials } from '../../http/credentials.ts'
import { fieldValue } from '../../http/fields.ts'
import { CLIENT_CLOSED_REQUEST, finalize } from '../../http/finalize.ts'
import { DECLINED, DONE, defineModule, type Module, OK, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { UserFileError, userFile } from './auth-basic-file.ts'
import { formOf, type Pending, type Verdict, verify } from './auth-basic-verify.ts'

interface AuthBasicConf {
  /** The realm; false: off. A value of `off` means that too. */
  authBasic: ComplexValue | false
  /** Gives an absolute path. */
  authBasicUserFile: ComplexValue | null
}

const CONTEXTS = HTTP_ANY | LIMIT_EXCEPT

export const authBasic: Module<AuthBasicConf> = defineModule<AuthBasicConf>({
  name: 'auth_basic',
  commands: [
    { name: 'auth_basic', in: CONTEXTS, args: 1, set: setRealm, default: false },
    { name: 'auth_basic_user_file', in: CONTEXTS, args: 1, set: setUserFile, default: null },
  ],
  phases: {
    access: {
      when: ({ authBasic: realm, authBasicUserFile: file }) => realm !== false && file !== null,
      run: handleAuthBasic,
    },
  },
})

function setRealm(...[directive, context]: Parameters<Setter>): ComplexValue | false {
  const text = directive.args[0]!
  return text === 'off' ? false : compileValue(text, context)
}

function setUserFile(...[directive, context]: Parameters<Setter>): ComplexValue {
  const { constant, evaluate } = compileValue(directive.args[0]!, context)
  if (constant !== null) {
    const path = context.confPath(constant)
    return { constant: path, evaluate: () => path }
  }
  const { confPrefix } = context.options
  return {
    constant,
    evaluate: (r) => {
      const path = evaluate(r)
      return path.startsWith('/') ? path : confPrefix + path
    },
  }
}

function handleAuthBasic(r: Request): Result | Promise<Result> {
  const conf = r.conf(authBasic)
  // Without a realm this is not asked.
  const realm = conf.authBasic === false ? 'off' : conf.authBasic.evaluate(r)
  if (realm === 'off') return DECLINED
  const credentials = basicCredentials(r)
  if (credentials === null) {
    r.log('info', 'no user/password was provided for basic authentication')
    return challenge(r, realm)
  }
  const { user, password } = credentials
  const path = conf.authBasicUserFile!.evaluate(r)
  let stored: string | null
  try {
    stored = userFile(path).passwordOf(user)
  } catch (error) {
    return unusable(r, path, error)
  }
  if (stored === null) {
    r.log('error', `user "${user}" was not found in "${path}"`)
    return challenge(r, realm)
  }
  const form = formOf(stored)
  const answer = (verdict: Verdict): Result => {
    // The client may have gone while the pool was at work.
    if (r.ended) return DONE
    if (verdict === true) return OK
    if (verdict === 'unsupported') {
      r.log('crit', `user "${user}": passwords of the form "${form}" are not supported, in "${path}"`)
      return 500
    }
    r.log('error', `user "${user}": password mismatch`)
    return challenge(r, realm)
  }
  const verdict = verify(password, stored, r.remoteAddress)
  return typeof verdict === 'object' ? waitFor(r, verdict).then(answer) : answer(verdict)
}

/** Waits for the thread pool, and meanwhile for the client to go away. */
function waitFor(r: Request, pending: Pending): Promise<Verdict> {
  r.source = {
    resume() {},
    clientGone: () => finalize(r, CLIENT_CLOSED_REQUEST),
    stop: () => pending.leave(),
  }
  return pending.verdict.finally(() => (r.source = null))
}

function challenge(r: Request, realm: string): Result {
  r.response.add('WWW-Authenticate', `Basic realm="${fieldValue(realm)}"`)
  return 401
}

function unusable(r: Request, path: string, error: unknown): Result {
  if (!(error instanceof UserFileError)) throw error
  const { call, cause, missing } = error
  r.log(missing ? 'error' : 'crit', `${call} "${path}" failed (${errnoText(cause)})`)
  return missing ? 403 : 500
}
