// The condition of `if`: a variable, a comparison of one, a match, or a question about a file.

import { accessSync, constants, type Stats, statSync } from 'node:fs'
import type { BuildContext } from '../../../shared/conf/build.ts'
import { errnoText } from '../../../shared/errno.ts'
import { utf8 } from '../../../shared/latin1.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import type { VariableReader } from '../../http/module.ts'
import { compileRegex } from '../../http/regex.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'
import { matches } from './match.ts'

/** Whether the block of an `if` runs. */
export type Condition = (r: Request) => boolean

/** Compiles the arguments of `if`, parentheses included. Errors are nginx's. */
export function compileCondition(args: readonly string[], context: BuildContext): Condition {
  const words = withoutParentheses(args, context)
  const [first = ''] = words
  const invalid = (): never => context.error(`invalid condition "${first}"`)
  if (first.length > 1 && first.startsWith('$')) {
    if (words.length !== 1 && words.length !== 3) invalid()
    const read = variable(first, context)
    return words.length === 1 ? isTrue(read) : comparison(read, words[1]!, words[2]!, context)
  }
  const question = /^(!?)-(.)$/s.exec(first)
  if (question === null || words.length !== 2) return invalid()
  const test = FILE_TESTS[question[2]!]
  if (test === undefined) return invalid()
  return fileQuestion(test, question[1] === '!', compileValue(words[1]!, context))
}

function withoutParentheses(args: readonly string[], context: BuildContext): string[] {
  const words = [...args]
  const first = words[0]!
  if (!first.startsWith('(')) context.error(`invalid condition "${first}"`)
  if (first === '(') words.shift()
  else words[0] = first.slice(1)
  const last = words.at(-1) ?? ''
  if (!last.endsWith(')')) context.error(`invalid condition "${last}"`)
  if (last === ')') words.pop()
  else words[words.length - 1] = last.slice(0, -1)
  return words
}

function variable(word: string, context: BuildContext): VariableReader {
  const name = word.slice(1)
  return variableReader(context, name)
}

/** nginx: neither empty nor "0". */
function isTrue(read: VariableReader): Condition {
  return (r) => {
    const value = read(r)
    return value !== null && value !== '' && value !== '0'
  }
}

function comparison(
  read: VariableReader,
  operator: string,
  operand: string,
  context: BuildContext,
): Condition {
  if (operator === '=' || operator === '!=') {
    const expected = compileValue(operand, context)
    const equal = operator === '='
    return (r) => ((read(r) ?? '') === expected.evaluate(r)) === equal
  }
  const match = /^(!?)~(\*?)$/.exec(operator)
  if (match === null) return context.error(`unexpected "${operator}" in condition`)
  const regex = compileRegex(operand, match[2] === '*', context)
  const wanted = match[1] === ''
  return (r) => matches(r, regex, read(r) ?? '') === wanted
}

const FILE_TESTS: Record<string, (path: string, stats: Stats) => boolean> = {
  f: (_path, stats) => stats.isFile(),
  d: (_path, stats) => stats.isDirectory(),
  e: () => true,
  x: (path) => executable(path),
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Errors that say that there is no such file; others are logged. */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])

function fileQuestion(
  test: (path: string, stats: Stats) => boolean,
  negative: boolean,
  file: ComplexValue,
): Condition {
  return (r) => {
    const path = file.evaluate(r)
    let found = false
    try {
      // As in nginx, the file is looked at here and now.
      const name = utf8(path)
      const stats = path.includes('\0') ? undefined : statSync(name, { throwIfNoEntry: false })
      found = stats !== undefined && test(name, stats)
    } catch (error) {
      const problem = error as NodeJS.ErrnoException
      if (!MISSING.has(problem.code ?? '')) r.log('crit', `stat() "${path}" failed (${errnoText(problem)})`)
    }
    return found !== negative
  }
}
