// Character classes: `[...]` with ranges, escapes and POSIX names.

import { addSet, type ByteSet, emptySet, foldCase, inverted, POSIX } from './bytes.ts'
import { readEscape } from './escapes.ts'
import type { Reader } from './reader.ts'

/** What a hyphen in the class would mean now. */
type RangeState = 'none' | 'possible' | 'started'

/** The byte and the other case are what makes a class; `[` has been taken. */
export function readClass(reader: Reader): ByteSet {
  const opening = reader.peek()
  if ((opening === ':' || opening === '.' || opening === '=') && posixEnd(reader, reader.at) >= 0) {
    reader.fail(opening === ':' ? 12 : 13, reader.at - 1)
  }
  const negated = reader.skip('^')
  if (reader.ended) reader.fail(6)
  const set = new ClassReader(reader).read()
  if (reader.flags.ignoreCase) foldCase(set)
  return negated ? inverted(set) : set
}

/** Where the `:]` stands that ends the POSIX name whose `:` is at `start`; -1: it is none. */
function posixEnd({ text }: Reader, start: number): number {
  const terminator = text[start]
  for (let at = start + 1; text.length - at >= 2; at++) {
    if (text[at] === '\\' && (text[at + 1] === ']' || text[at + 1] === '\\')) at++
    else if ((text[at] === '[' && text[at + 1] === terminator) || text[at] === ']') return -1
    else if (text[at] === terminator && text[at + 1] === ']') return at
  }
  return -1
}

class ClassReader {
  readonly #reader: Reader
  readonly #set = emptySet()
  #state: RangeState = 'none'
  #last = 0

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** Everything to the closing bracket, which may be a member when it is the first. */
  read(): ByteSet {
    const reader = this.#reader
    do {
      this.#member()
      if (reader.ended) reader.fail(6)
    } while (reader.peek() !== ']' || reader.quoting)
    reader.at++
    if (this.#state === 'started') this.#set[0x2d] = 1
    return this.#set
  }

  #member(): void {
    const reader = this.#reader
    const character = reader.take()
    if (reader.quoting) {
      if (character === '\\' && reader.skip('E')) reader.quoting = false
      else this.#byte(character.charCodeAt(0))
    } else if (reader.flags.extendedMore && (character === ' ' || character === '\t')) {
      // Blanks mean nothing under (?xx).
    } else if (character === '[' && this.#posix()) {
      // Taken as a whole.
    } else if (character === '-' && this.#state === 'possible') this.#state = 'started'
    else if (character === '\\') this.#escape()
    else this.#byte(character.charCodeAt(0))
  }

  #byte(byte: number): void {
    if (this.#state === 'started') {
      if (this.#last > byte) this.#reader.fail(8, this.#reader.at - 1)
      this.#set.fill(1, this.#last, byte + 1)
      this.#state = 'none'
    } else {
      this.#set[byte] = 1
      this.#last = byte
      this.#state = 'possible'
    }
  }

  #posix(): boolean {
    const reader = this.#reader
    const opening = reader.peek()
    if (reader.text.length - reader.at < 3 || !/[:.=]/.test(opening)) return false
    const end = posixEnd(reader, reader.at)
    if (end < 0) return false
    if (this.#state === 'started') reader.fail(50)
    if (opening !== ':') reader.fail(13, reader.at - 1)
    reader.at++
    const negated = reader.skip('^')
    const name = reader.text.slice(reader.at, end)
    const set = Object.hasOwn(POSIX, name) ? POSIX[name]! : reader.fail(30)
    reader.at = end + 2
    this.#noRangeFrom()
    const folded = set.slice()
    if (reader.flags.ignoreCase) foldCase(folded)
    addSet(this.#set, negated ? inverted(folded) : folded)
    return true
  }

  #escape(): void {
    const reader = this.#reader
    const found = readEscape(reader, true)
    if (found.type === 'byte') return this.#byte(found.byte)
    if (found.type === 'special') {
      if (found.letter === 'b') return this.#byte(8)
      if (found.letter === 'E') {
        if (reader.ended) reader.fail(1)
        return
      }
      if (found.letter === 'Q') {
        reader.quoting = true
        return
      }
      if ('BRX'.includes(found.letter)) reader.fail(7, reader.at - 1)
    }
    if (this.#state === 'started') reader.fail(50)
    if (found.type !== 'set') return reader.fail(7, reader.at - 1)
    if (found.letter === 'N') reader.fail(71)
    this.#noRangeFrom()
    addSet(this.#set, found.set)
  }

  /** A set cannot be where a range starts. */
  #noRangeFrom(): void {
    const reader = this.#reader
    this.#state = 'none'
    if (reader.at < reader.text.length - 1 && reader.peek() === '-' && reader.peek(1) !== ']') reader.fail(50)
  }
}
