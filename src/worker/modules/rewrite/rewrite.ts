// The rewrite module: `rewrite`, `if`, `set`, `break` and `return`, run in the order they stand, at the server's level
// and then in the location; a changed URI looks for its location again.

import {
  HTTP_ANY,
  IF_IN_LOCATION,
  IF_IN_SERVER,
  LOCATION,
  SERVER,
  type Setter,
} from '../../../shared/conf/command.ts'
import { flag } from '../../../shared/conf/setters.ts'
import { compileValue } from '../../http/complex-value.ts'
import { fieldValue } from '../../http/fields.ts'
import { DECLINED, defineModule, type Module, type Result } from '../../http/module.ts'
import { enterLocation } from '../../http/phases.ts'
import { planOfBlock } from '../../http/plan.ts'
import { compileRegex } from '../../http/regex.ts'
import type { Request } from '../../http/request.ts'
import { declareVariable } from '../../http/variables.ts'
import { assignRate } from '../filter/limit-rate.ts'
import { compileCondition } from './condition.ts'
import { matches, note } from './match.ts'
import { existingProgram, NEXT, type Program, programOf, type Step } from './program.ts'
import { compileRedirect, compileReplacement } from './replacement.ts'
import { setReturn } from './return.ts'

interface RewriteConf {
  rewriteLog: boolean
  uninitializedVariableWarn: boolean
  /** The steps of the block, settled by `finish`; null: none, or they are an `if`'s, which runs them itself. */
  program: Program | null
}

/** Where steps may stand. */
const STEPS = SERVER | LOCATION | IF_IN_SERVER | IF_IN_LOCATION
const ONCE_EACH = { repeat: true, inherit: false } as const

export const rewrite: Module<RewriteConf> = defineModule<RewriteConf>({
  name: 'rewrite',
  commands: [
    { name: 'rewrite', in: STEPS, args: [2, 3], set: addRewrite, ...ONCE_EACH },
    { name: 'return', in: STEPS, args: [1, 2], set: setReturn, ...ONCE_EACH },
    { name: 'break', in: STEPS, args: 0, set: addBreak, ...ONCE_EACH },
    { name: 'set', in: STEPS, args: 2, set: addSet, ...ONCE_EACH },
    { name: 'if', in: SERVER, args: [1, Infinity], block: IF_IN_SERVER, set: addIf, ...ONCE_EACH },
    { name: 'if', in: LOCATION, args: [1, Infinity], block: IF_IN_LOCATION, set: addIf, ...ONCE_EACH },
    {
      name: 'rewrite_log',
      in: HTTP_ANY | IF_IN_SERVER | IF_IN_LOCATION,
      args: 1,
      set: flag(),
      default: false,
    },
    {
      name: 'uninitialized_variable_warn',
      in: HTTP_ANY | IF_IN_SERVER | IF_IN_LOCATION,
      args: 1,
      set: flag(),
      default: true,
    },
  ],
  finish(conf, scope) {
    conf.program = (scope.kind & (SERVER | LOCATION)) === 0 ? null : existingProgram(scope)
  },
  phases: {
    serverRewrite: { when: (conf) => conf.program !== null, run: runProgram },
    rewrite: { when: (conf) => conf.program !== null, run: runProgram },
  },
})

function runProgram(r: Request): Result {
  return r.conf(rewrite).program!.handle(r)
}

// --- directives

function addBreak(...[, context]: Parameters<Setter>): true {
  programOf(context.scope).add((r) => {
    r.uriChanged = false
    return DECLINED
  })
  return true
}

function addIf(...[directive, context]: Parameters<Setter>): true {
  const block = context.scope
  const condition = compileCondition(directive.args, context)
  const body = programOf(block)
  programOf(block.parent!).add((r) => {
    if (!condition(r)) return NEXT
    const plan = planOfBlock(block)
    if (plan !== null) enterLocation(r, plan)
    return body.run(r)
  })
  return true
}

function addSet(...[directive, context]: Parameters<Setter>): true {
  const [word, text] = directive.args as [string, string]
  if (!word.startsWith('$')) context.error(`invalid variable name "${word}"`)
  const name = word.slice(1)
  const value = compileValue(text, context)
  programOf(context.scope).add(assignment(name, context, (r) => value.evaluate(r)))
  return true
}

function assignment(name: string, context: Parameters<Setter>[1], evaluate: (r: Request) => string): Step {
  const variable = declareVariable(context, name)
  if (variable.name === 'args') {
    return (r) => {
      r.args = evaluate(r)
      r.targetValid = false
      return NEXT
    }
  }
  if (variable.name === 'limit_rate') {
    return (r) => {
      assignRate(r, evaluate(r))
      return NEXT
    }
  }
  variable.assignable((r) => uninitialized(r, variable.name))
  return (r) => {
    variable.assign(r, evaluate(r))
    return NEXT
  }
}

function uninitialized(r: Request, name: string): string {
  if (r.conf(rewrite).uninitializedVariableWarn) r.log('warn', `using uninitialized "${name}" variable`)
  return ''
}

const REDIRECT = /^(http:\/\/|https:\/\/|\$scheme)/

function addRewrite(...[directive, context]: Parameters<Setter>): true {
  const [pattern, replacement, word] = directive.args as [string, string, string | undefined]
  if (replacement === '') context.error('empty replacement')
  const regex = compileRegex(pattern, false, context)
  let status = REDIRECT.test(replacement) ? 302 : 0
  if (word === 'redirect') status = 302
  else if (word === 'permanent') status = 301
  else if (word !== undefined && word !== 'last' && word !== 'break') {
    context.error(`invalid parameter "${word}"`)
  }
  const program = programOf(context.scope)
  if (status !== 0) {
    const evaluate = compileRedirect(replacement, context)
    program.add((r) => {
      if (!matches(r, regex, r.uri)) return NEXT
      leaveTarget(r, false)
      const url = evaluate(r)
      note(r, `rewritten redirect: "${url}"`)
      r.response.location = fieldValue(url)
      return status
    })
    return true
  }
  const { keepsArgs, evaluate } = compileReplacement(replacement, context)
  program.add((r) => {
    if (!matches(r, regex, r.uri)) return NEXT
    leaveTarget(r, word === 'break')
    const { uri, args } = evaluate(r)
    if (args !== null) r.args = keepsArgs && r.args !== '' ? `${args}&${r.args}` : args
    else if (!keepsArgs) r.args = ''
    note(r, `rewritten data: "${uri}", args: "${r.args}"`)
    r.uri = uri
    if (uri === '') {
      r.log('error', 'the rewritten URI has a zero length')
      return 500
    }
    return word === undefined ? NEXT : DECLINED
  })
  return true
}

/** The URI is no longer what the client asked for; `stays`: nor is another location to be looked for. */
function leaveTarget(r: Request, stays: boolean): void {
  r.internal = true
  r.targetValid = false
  r.uriChanged = !stays
  if (stays) r.locationValid = false
}
