// `match`: what the answer to a health check has to be like. Read when the configuration is built; the master asks it
// about answers, head first, so that the content need not be waited for where the head has failed.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Setter } from '../../../shared/conf/command.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import { type Fields, hashName } from '../../http/fields.ts'
import type { VariableReader } from '../../http/module.ts'
import { compileRegex } from '../../http/regex.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'
import { isToken } from '../../http1/head-parser.ts'

/** What is looked at, in nginx's words for the log: `while checking body`. */
export type Checked = 'status code' | 'header' | 'body' | 'required variables'

/** What was looked at last, and whether it is as it should be. */
export interface Finding {
  readonly passed: boolean
  readonly checked: Checked
}

type Test<T> = (subject: T) => boolean

export class Match {
  /** '' for the tests of checks that name none. */
  readonly name: string
  readonly status: Test<number>[] = []
  readonly header: Test<Fields>[] = []
  readonly body: Test<string>[] = []
  readonly required: VariableReader[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Content of the answer is asked for. */
  get needsBody(): boolean {
    return this.body.length > 0
  }

  /** Of status and header; `checked` is the status where nothing is said of either. */
  checkHead(status: number, fields: Fields): Finding {
    if (!this.status.every((test) => test(status))) return { passed: false, checked: 'status code' }
    if (this.header.length === 0) return { passed: true, checked: 'status code' }
    return { passed: this.header.every((test) => test(fields)), checked: 'header' }
  }

  /**
   * Of the rest, once `before` has passed; `body` is latin1 text, `r` what variables are read of. Throws RegexLimitError.
   */
  checkRest(before: Finding, body: string, r: Request): Finding {
    if (this.needsBody && !this.body.every((test) => test(body))) return { passed: false, checked: 'body' }
    if (this.required.length > 0) {
      return { passed: this.required.every((read) => isSet(read(r))), checked: 'required variables' }
    }
    return this.needsBody ? { passed: true, checked: 'body' } : before
  }
}

const isSet = (value: string | null) => value !== null && value !== '' && value !== '0'

/** The tests of a check without `match`. */
export function defaultMatch(): Match {
  const match = new Match('')
  match.status.push((status) => status >= 200 && status <= 399)
  return match
}

/** Setter of `match`: all that http{} has by name. */
export function addMatch(...[directive, context, previous]: Parameters<Setter>): ReadonlyMap<string, Match> {
  const [name] = directive.args as [string]
  const matches = new Map(previous as ReadonlyMap<string, Match> | undefined)
  if (matches.has(name)) context.error(`duplicate match "${name}"`)
  matches.set(name, readMatch(name, directive, context))
  return matches
}

function readMatch(name: string, directive: Directive, context: BuildContext): Match {
  const match = new Match(name)
  for (const test of directive.block!) {
    context.directive = test
    if (!Object.hasOwn(tests, test.name)) context.error(`unknown directive "${test.name}"`)
    if (test.block !== null) context.error(`directive "${test.name}" is not terminated by ";"`)
    if (test.args.length === 0) context.error(`invalid number of arguments in "${test.name}" directive`)
    tests[test.name]!(match, test.args, context)
  }
  context.directive = directive
  return match
}

const tests: Readonly<
  Record<string, (match: Match, args: readonly string[], context: BuildContext) => void>
> = {
  status: (match, args, context) => match.status.push(statusTest(args, context)),
  header: (match, args, context) => match.header.push(headerTest(args, context)),
  body: (match, args, context) => match.body.push(bodyTest(args, context)),
  require: (match, args, context) => match.required.push(...args.map((text) => required(text, context))),
}

/** `200`, `200 204`, `200-399`, and each with `!` in front of all. */
function statusTest(args: readonly string[], context: BuildContext): Test<number> {
  const negated = args[0] === '!'
  const words = negated ? args.slice(1) : args
  if (words.length === 0) context.error('invalid number of arguments in "status" directive')
  const ranges = words.map((word) => {
    const [, first, last = first] = /^([1-9]\d\d)(?:-([1-9]\d\d))?$/.exec(word) ?? []
    if (first === undefined || Number(first) > Number(last)) context.error(`invalid status "${word}"`)
    return [Number(first), Number(last)] as const
  })
  const among = (status: number) => ranges.some(([first, last]) => status >= first && status <= last)
  return negated ? (status) => !among(status) : among
}

const OPERATORS = new Set(['=', '!=', '~', '!~', '~*', '!~*'])

/** `NAME`, `! NAME`, `NAME = VALUE`, `NAME ~ REGEX`, and both with `!` before the operator. */
function headerTest(args: readonly string[], context: BuildContext): Test<Fields> {
  const absent = args.length === 2 && args[0] === '!'
  const name = absent ? args[1]! : args[0]!
  if (!absent && args.length !== 1 && args.length !== 3) {
    context.error('invalid number of arguments in "header" directive')
  }
  if (!isToken(name, 0, name.length)) context.error(`invalid header name "${name}"`)
  const lower = name.toLowerCase()
  const hash = hashName(lower)
  if (args.length < 3) return (fields) => fields.indexOf(lower, hash) >= 0 !== absent
  const [, operator, text] = args as [string, string, string]
  if (!OPERATORS.has(operator)) context.error(`invalid operator "${operator}" in "header" directive`)
  const negated = operator.startsWith('!')
  const fits = operator.endsWith('=') ? (value: string) => value === text : matching(operator, text, context)
  // A field that is not there is neither equal nor different.
  return (fields) => {
    const values = valuesOf(fields, lower, hash)
    return values.length > 0 && values.some(fits) !== negated
  }
}

function valuesOf(fields: Fields, name: string, hash: number): string[] {
  const values: string[] = []
  for (let at = fields.indexOf(name, hash); at >= 0; at = fields.indexOf(name, hash, at + 1)) {
    values.push(fields.value(at))
  }
  return values
}

/** `~ REGEX`, `!~ REGEX`. */
function bodyTest(args: readonly string[], context: BuildContext): Test<string> {
  const [operator, pattern] = args as [string, string]
  if (args.length !== 2) context.error('invalid number of arguments in "body" directive')
  if (!OPERATORS.has(operator) || operator.endsWith('=')) {
    context.error(`invalid operator "${operator}" in "body" directive`)
  }
  const fits = matching(operator, pattern, context)
  return operator.startsWith('!') ? (text) => !fits(text) : fits
}

function matching(operator: string, pattern: string, context: BuildContext): Test<string> {
  const regex = compileRegex(pattern, operator.endsWith('*'), context)
  return (text) => regex.test(text)
}

function required(text: string, context: BuildContext): VariableReader {
  const name = /^\$(?:(\w+)|\{(\w+)\})$/.exec(text)
  if (name === null) return context.error(`invalid variable name "${text}"`)
  return variableReader(context, name[1] ?? name[2]!)
}
