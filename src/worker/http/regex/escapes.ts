// Escapes: what a backslash and the characters behind it stand for.

import { type ByteSet, ESCAPED_SETS } from './bytes.ts'
import { UnsupportedPattern } from './errors.ts'
import type { Reader } from './reader.ts'

/** One byte, a set of bytes, a back reference, or the letter of an escape with a meaning of its own. */
export type Escape =
  | { type: 'byte'; byte: number }
  | { type: 'set'; letter: string; set: ByteSet }
  | { type: 'back'; group: number }
  | { type: 'special'; letter: string }

const CONTROLS: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 }
const UNKNOWN = /[A-Za-z]/
const REFUSED = 'FLlUu'
const SPECIAL = 'AbBCEGKQRXZgkzpP'
const MAX_GROUP = 65535
const COUNTED = /^\{\d+(,\d*)?\}/

/** Reads an escape; the backslash has been taken. */
export function readEscape(reader: Reader, inClass: boolean): Escape {
  if (reader.ended) reader.fail(1)
  const letter = reader.take()
  if (letter >= '1' && letter <= '9') return digits(reader, letter, inClass)
  if (letter === '0') return byte(octal(reader, 0, 2))
  if (!UNKNOWN.test(letter)) return byte(letter.charCodeAt(0))
  const control = CONTROLS[letter]
  if (control !== undefined) return byte(control)
  if (letter === 'x') return hexadecimal(reader)
  if (letter === 'o') return bracedOctal(reader)
  if (letter === 'c') return controlCharacter(reader)
  if (REFUSED.includes(letter)) reader.fail(37)
  if (letter === 'N' && reader.peek() === '{' && !COUNTED.test(reader.text.slice(reader.at)))
    notNewline(reader)
  const set = ESCAPED_SETS[letter]
  if (set !== undefined) return { type: 'set', letter, set }
  // A subroutine or a back reference cannot stand in a class.
  if (inClass && letter === 'g') return byte(0x67)
  if (!SPECIAL.includes(letter)) reader.fail(3, reader.at - 1)
  if (letter === 'p' || letter === 'P') throw new UnsupportedPattern(`\\${letter}`)
  return { type: 'special', letter }
}

function byte(value: number): Escape {
  return { type: 'byte', byte: value }
}

function notNewline(reader: Reader): never {
  reader.fail(reader.text.startsWith('{U+', reader.at) ? 93 : 37)
}

/** `\1` is a group, or an octal number where there are not that many groups. */
function digits(reader: Reader, first: string, inClass: boolean): Escape {
  if (!inClass) {
    const start = reader.at
    reader.at--
    const group = reader.number(null, 0x7fffffff / 10, 61)!
    if (group < 10 || first >= '8' || group <= reader.groups) {
      if (group > MAX_GROUP) reader.fail(61)
      return { type: 'back', group }
    }
    reader.at = start
  }
  if (first >= '8') return byte(first.charCodeAt(0))
  const value = octal(reader, Number(first), 2)
  if (value > 255) reader.fail(51)
  return byte(value)
}

function octal(reader: Reader, start: number, more: number): number {
  let value = start
  for (let count = 0; count < more && /[0-7]/.test(reader.peek()); count++) {
    value = value * 8 + Number(reader.take())
  }
  return value
}

function hexadecimal(reader: Reader): Escape {
  if (reader.peek() !== '{') {
    let value = 0
    for (let count = 0; count < 2 && /[0-9A-Fa-f]/.test(reader.peek()); count++) {
      value = value * 16 + Number.parseInt(reader.take(), 16)
    }
    return byte(value)
  }
  return braced(reader, 16, /[0-9A-Fa-f]/, 67)
}

function bracedOctal(reader: Reader): Escape {
  if (reader.peek() !== '{') reader.fail(55, reader.ended ? reader.at - 1 : reader.at)
  return braced(reader, 8, /[0-7]/, 64)
}

function braced(reader: Reader, base: number, digit: RegExp, wrong: 64 | 67): Escape {
  reader.at++
  if (reader.ended || reader.peek() === '}') reader.fail(78)
  let value = 0
  while (digit.test(reader.peek())) {
    value = value * base + Number.parseInt(reader.take(), base)
    if (value > 255) {
      while (digit.test(reader.peek())) reader.at++
      reader.fail(34)
    }
  }
  if (reader.peek() !== '}') reader.fail(wrong, reader.ended ? reader.at - 1 : reader.at)
  reader.at++
  return byte(value)
}

function controlCharacter(reader: Reader): Escape {
  if (reader.ended) reader.fail(2)
  const code = reader.take().toUpperCase().charCodeAt(0)
  if (code < 32 || code > 126) reader.fail(68, reader.at - 1)
  return byte(code ^ 0x40)
}
