// AST -> the source of a JavaScript regular expression that finds the same, where there is one. It is for texts that
// do not end in a newline if the pattern has `$`: there the two languages differ.

import { type Node, type Pattern, some } from './ast.ts'
import { ALL, type ByteSet, inverted, onlyByte } from './bytes.ts'
import { fixedLength } from './lookbehind.ts'
import { alwaysSet, groupsIn, nullable } from './shape.ts'

/** The source; null: JavaScript cannot say it. */
export function toJavaScript({ root, sharedNumbers }: Pattern): string | null {
  return sharedNumbers || some(root, inexpressible) ? null : source(root)
}

/** Whether what `pattern` finds depends on a newline at the end of the text. */
export function mindsLastNewline({ root }: Pattern): boolean {
  return some(root, (node) => node.type === 'assert' && node.kind === 'end')
}

function inexpressible(node: Node): boolean {
  switch (node.type) {
    case 'atomic':
    case 'back':
    case 'call':
    case 'condition':
    case 'keep':
      return true
    case 'assert':
      return node.kind === 'line start' || node.kind === 'line end'
    case 'look':
      // JavaScript looks back from right to left.
      return !node.ahead && (fixedLength(node.body) === null || groupsIn(node.body).size > 0)
    case 'repeat':
      return node.mode === 'possessive' || (node.max > 1 && !sameRepeat(node.body))
    default:
      return false
  }
}

/**
 * JavaScript forgets what groups have captured at each turn of a loop and refuses a turn that takes nothing; PCRE keeps
 * and ends the loop.
 */
function sameRepeat(body: Node): boolean {
  if (nullable(body)) return false
  const always = alwaysSet(body)
  for (const index of groupsIn(body)) if (!always.has(index)) return false
  return true
}

function source(node: Node): string {
  switch (node.type) {
    case 'set':
      return setSource(node.set)
    case 'sequence':
      return node.items.map((item) => (item.type === 'choice' ? group(item) : source(item))).join('')
    case 'choice':
      return node.branches.map(source).join('|')
    case 'capture':
      return `(${source(node.body)})`
    case 'repeat':
      return repeatSource(node)
    case 'assert':
      return ASSERTIONS[node.kind] ?? ''
    case 'look':
      return `(?${node.ahead ? '' : '<'}${node.negative ? '!' : '='}${source(node.body)})`
    default:
      return '(?!)'
  }
}

const ASSERTIONS: Readonly<Record<string, string>> = {
  start: '^',
  end: '$',
  'very end': '$',
  'word boundary': '\\b',
  'no word boundary': '\\B',
}

function group(node: Node): string {
  return node.type === 'set' || node.type === 'capture' ? source(node) : `(?:${source(node)})`
}

function repeatSource({ body, min, max, mode }: Extract<Node, { type: 'repeat' }>): string {
  const lazy = mode === 'lazy' ? '?' : ''
  if (max === 0) return `${group(body)}{0}`
  if (max === 1 && min === 0) {
    // A choice, because JavaScript's `?` refuses what is empty.
    if (nullable(body)) return mode === 'lazy' ? `(?:|${source(body)})` : `(?:${source(body)}|)`
    return `${group(body)}?${lazy}`
  }
  if (max === 1) return group(body)
  if (max === Number.POSITIVE_INFINITY) {
    return group(body) + (min === 0 ? '*' : min === 1 ? '+' : `{${min},}`) + lazy
  }
  return `${group(body)}{${min}${min === max ? '' : `,${max}`}}${lazy}`
}

function setSource(set: ByteSet): string {
  const only = onlyByte(set)
  if (only >= 0) return byteSource(only)
  const members = set.reduce((count, member) => count + member, 0)
  if (members === 0) return '(?!)'
  if (members === ALL.length) return '[^]'
  return members > 128 ? `[^${rangesSource(inverted(set))}]` : `[${rangesSource(set)}]`
}

function rangesSource(set: ByteSet): string {
  let text = ''
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte] === 0) continue
    const from = byte
    while (byte < 255 && set[byte + 1] === 1) byte++
    text += byteSource(from)
    if (byte > from) text += (byte > from + 1 ? '-' : '') + byteSource(byte)
  }
  return text
}

function byteSource(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[A-Za-z0-9_]/.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`
}
