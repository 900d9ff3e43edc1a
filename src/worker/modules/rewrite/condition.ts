// The condition of `if`: a variable, a comparison of one, a match, or a question about a file.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import type { VariableReader } from '../../http/module.ts'
import { compileRegex } from '../../http/regex.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'
import { type Found, findFile, logUnlessMissing, statFile } from '../content/static/file-test.ts'
import type { OpenFailure } from '../content/static/open-file.ts'
import { matches } from './match.ts'

/** Whether the block of an `if` runs. */
export type Condition = (r: Request) => boolean

/** Compiles the arguments of `if`, parentheses included. Errors are nginx's. */
export function compileCondition(args: readonly string[], context: BuildContext): Condition {
  const words = withoutParentheses(args, context)
  const [first = ')'] = words
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

/** Whether a question about a file is answered with yes; a failure says why it cannot be told. */
type FileTest = (r: Request, path: string) => boolean | OpenFailure

const FILE_TESTS: Record<string, FileTest> = {
  f: whereFound((kind) => kind === 'file'),
  d: whereFound((kind) => kind === 'directory'),
  e: whereFound(() => true),
  x: executable,
}

function whereFound(test: (kind: Found) => boolean): FileTest {
  return (r, path) => {
    const found = findFile(r, path)
    return typeof found === 'string' ? test(found) : (found ?? false)
  }
}

/** As in nginx: by its owner, whoever that is. */
function executable(r: Request, path: string): boolean | OpenFailure {
  const stats = statFile(r, path)
  return stats === null || 'error' in stats ? (stats ?? false) : (stats.mode & 0o100) !== 0
}

function fileQuestion(test: FileTest, negative: boolean, file: ComplexValue): Condition {
  return (r) => {
    const path = file.evaluate(r)
    const answer = test(r, path)
    if (typeof answer === 'boolean') return answer !== negative
    logUnlessMissing(r, path, answer)
    return negative
  }
}
