// Assertions: what must be true of a place in the text.

import type { Assertion } from './ast.ts'
import { WORD } from './bytes.ts'

const NEWLINE = 10

/** Their numbers in a program. */
export const ASSERTIONS: readonly Assertion[] = [
  'start',
  'line start',
  'end',
  'line end',
  'very end',
  'word boundary',
  'no word boundary',
]

/** Whether assertion number `kind` is true at `position`. */
export function holds(kind: number, text: string, position: number): boolean {
  switch (ASSERTIONS[kind]) {
    case 'start':
      return position === 0
    case 'line start':
      // Not after a newline that ends the text.
      return position === 0 || (text.charCodeAt(position - 1) === NEWLINE && position < text.length)
    case 'end':
      return (
        position === text.length || (position === text.length - 1 && text.charCodeAt(position) === NEWLINE)
      )
    case 'line end':
      return position === text.length || text.charCodeAt(position) === NEWLINE
    case 'very end':
      return position === text.length
    case 'word boundary':
      return isWord(text, position - 1) !== isWord(text, position)
    default:
      return isWord(text, position - 1) === isWord(text, position)
  }
}

function isWord(text: string, position: number): boolean {
  return position >= 0 && position < text.length && WORD[text.charCodeAt(position)] === 1
}
