// Complex values: arguments with variables in them, compiled to one function each when the configuration is built.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { VariableReader } from './module.ts'
import type { Request } from './request.ts'
import { captureReader, variableReader } from './variables.ts'

/** A compiled argument. */
export interface ComplexValue {
  /** The text where no variable stands in it, else null. */
  readonly constant: string | null
  /** The value for a request; variables that are not found are empty. */
  evaluate(r: Request): string
}

/** Compiled values of one configuration by their text: thousands of locations say the same few things. */
const compiled = new WeakMap<BuildContext, Map<string, ComplexValue>>()

/** Compiles `text`; the same text gives the same value. Errors are those of the directive being set. */
export function compileValue(text: string, context: BuildContext): ComplexValue {
  let values = compiled.get(context)
  if (values === undefined) compiled.set(context, (values = new Map()))
  let value = values.get(text)
  if (value === undefined) values.set(text, (value = compile(text, context)))
  return value
}

function compile(text: string, context: BuildContext): ComplexValue {
  const parts = splitVariables(text, context).map((part) => (typeof part === 'string' ? part : part.read))
  if (parts.every((part) => typeof part === 'string')) {
    const constant = parts.join('')
    return { constant, evaluate: () => constant }
  }
  return { constant: null, evaluate: joiner(parts) }
}

/** A variable in an argument. */
export interface VariablePart {
  /** Lower case. */
  name: string
  read: VariableReader
}

/** Texts and variables in order. */
export function splitVariables(text: string, context: BuildContext): (string | VariablePart)[] {
  const parts: (string | VariablePart)[] = []
  const pattern = /\$(?:([1-9])|(\{?)(\w*))/g
  let from = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match.index > from) parts.push(text.slice(from, match.index))
    const [, digit, brace = '', name = ''] = match
    // Only one digit is the number of a capture: "$12" is $1 and "2".
    if (digit !== undefined) parts.push({ name: digit, read: captureReader(Number(digit)) })
    else {
      const closed = brace === '' || text[pattern.lastIndex] === '}'
      if (name === '' && (closed || pattern.lastIndex === text.length)) context.error('invalid variable name')
      if (!closed) context.error(`the closing bracket in "${name}" variable is missing`)
      parts.push({ name: name.toLowerCase(), read: variableReader(context, name) })
      pattern.lastIndex += brace.length
    }
    from = pattern.lastIndex
  }
  if (from < text.length || parts.length === 0) parts.push(text.slice(from))
  return parts
}

function joiner(parts: (string | VariableReader)[]): (r: Request) => string {
  const [first, second, third] = parts as [
    string | VariableReader,
    string | VariableReader,
    string | VariableReader,
  ]
  if (parts.length === 1 && typeof first !== 'string') return (r) => first(r) ?? ''
  if (parts.length === 2 && typeof first === 'string' && typeof second !== 'string') {
    return (r) => first + (second(r) ?? '')
  }
  if (parts.length === 2 && typeof first !== 'string' && typeof second !== 'string') {
    return (r) => (first(r) ?? '') + (second(r) ?? '')
  }
  if (
    parts.length === 3 &&
    typeof first === 'string' &&
    typeof second !== 'string' &&
    typeof third !== 'string'
  ) {
    return (r) => first + (second(r) ?? '') + (third(r) ?? '')
  }
  return (r) => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : (part(r) ?? '')
    return text
  }
}
