// Heads of HTTP/1 messages: request line or status line, then header fields up to the empty line. Strict
// (RFC 9112 sections 2.2, 3, 4, 5: every line ends in CRLF, no folding, no blank before the colon, no control
// characters) and resumable: text may come in pieces cut anywhere.

import { Fields, nextHash } from '../http/fields.ts'

/** The head is not complete yet. */
export const INCOMPLETE = 0

const COLON = 58
const CR = 13
const LF = 10
const SPACE = 32
const TAB = 9

const NAME = 1
const ODD = 2
const CONTROL = 3

/** What each latin1 character is in a field name; only control characters matter elsewhere. */
export type NameTable = Uint8Array

function nameTable(plain: string, odd: Iterable<number>): NameTable {
  const table = new Uint8Array(256)
  for (const code of odd) table[code] = ODD
  for (const char of plain) table[char.charCodeAt(0)] = NAME
  for (let code = 0; code < 32; code++) table[code] = CONTROL
  table[TAB] = 0
  table[SPACE] = 0
  table[COLON] = 0
  table[127] = CONTROL
  return table
}

const PLAIN = '-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const everything = Array.from({ length: 256 }, (_, code) => code)

/** RFC 9110's tokens; those with more than letters, digits and `-` are odd. */
export const TOKENS = nameTable(
  PLAIN,
  [..."!#$%&'*+.^_`|~"].map((char) => char.charCodeAt(0)),
)
/** nginx's names: all that is no blank and no control character, odd where a token is. */
export const NAMES = nameTable(PLAIN, everything)
/** The same with `underscores_in_headers on`. */
export const NAMES_WITH_UNDERSCORES = nameTable(`${PLAIN}_`, everything)

const charClass = TOKENS

/** Whether `text[start, end)` is a non-empty token (RFC 9110 section 5.6.2). */
export function isToken(text: string, start: number, end: number): boolean {
  if (end <= start) return false
  for (let index = start; index < end; index++) {
    const kind = charClass[text.charCodeAt(index)]
    if (kind !== NAME && kind !== ODD) return false
  }
  return true
}

/** Whether `text[start, end)` holds no control character but tabs. */
export function isFieldText(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if (charClass[text.charCodeAt(index)] === CONTROL) return false
  }
  return true
}

/** Why a head was refused. */
export type HeadError = 'line ending' | 'start line' | 'field' | 'too many fields'

/** Fields a response's head may have at most. */
const MAX_FIELDS = 1000

/** Reads the lines of one head. The caller appends what arrives to a text and calls `parse` with it again. */
export abstract class HeadParser {
  readonly fields = new Fields()
  error: HeadError | null = null
  /** The line that is wrong, with `error` 'field', as nginx shows it. */
  broken = ''
  /** Which names are odd, whether fields with odd ones are kept, and how many fields there may be. */
  protected names: NameTable = TOKENS
  protected keepOdd = true
  protected maxFields = MAX_FIELDS
  /** `fieldRead` wants to know. */
  protected watching = false
  #position = 0
  #started = false

  /** Takes the first line, which stands in `text[start, end)`; false when it is not well formed. */
  protected abstract startLine(text: string, start: number, end: number): boolean

  /** A field has been added, the last one; called with `watching` set. The line ends before `end`. */
  protected fieldRead(_end: number): void {}

  /** The line `text[start, end)` has been left out, its name being odd. */
  protected fieldDropped(_text: string, _start: number, _end: number): void {}

  /** The start line has been read: what is wrong from here on is in the fields. */
  get inFields(): boolean {
    return this.#started
  }

  /** Start of the line that is not complete yet. */
  get position(): number {
    return this.#position
  }

  reset(): void {
    this.fields.reset('')
    this.#position = 0
    this.#started = false
    this.error = null
  }

  /**
   * Goes on in `text`, which holds the head from its first character on. Returns the position behind the empty line,
   * INCOMPLETE, or -1 with `error` set.
   */
  parse(text: string): number {
    const fields = this.fields
    if (!this.#started) {
      const end = this.#lineEnd(text, this.#position)
      if (end < 0) return end === -1 ? INCOMPLETE : this.#refuse('line ending')
      if (!this.startLine(text, this.#position, end)) return this.#refuse('start line')
      this.#started = true
      this.#position = end + 2
      fields.reset(text)
    }
    fields.text = text
    for (;;) {
      const start = this.#position
      const code = text.charCodeAt(start)
      if (code === CR && start + 1 < text.length) {
        if (text.charCodeAt(start + 1) !== LF) return this.#refuse('line ending')
        this.#position = start + 2
        return this.#position
      }
      if (code === CR || start === text.length) return INCOMPLETE
      const before = fields.count
      const next = readField(fields, text, start, this.names, this.keepOdd)
      if (next === INCOMPLETE) return INCOMPLETE
      if (next < 0) return this.#refuseField(text, start, -1 - next)
      if (fields.count === before) this.fieldDropped(text, start, next)
      else if (before >= this.maxFields) return this.#refuse('too many fields')
      else if (this.watching) this.fieldRead(next)
      this.#position = next
    }
  }

  #refuseField(text: string, start: number, wrong: number): number {
    const code = text.charCodeAt(wrong)
    if (code === LF || (code === CR && text.charCodeAt(wrong + 1) !== LF)) return this.#refuse('line ending')
    this.broken = brokenLine(text, start, wrong)
    return this.#refuse('field')
  }

  /** End of the line that starts at `start`; -1: not complete; -2: a bare CR or LF. */
  #lineEnd(text: string, start: number): number {
    const cr = text.indexOf('\r', start)
    const lf = text.indexOf('\n', start)
    if (lf < 0) return cr >= 0 && cr < text.length - 1 ? -2 : -1
    return cr >= 0 && lf === cr + 1 ? cr : -2
  }

  #refuse(error: HeadError): number {
    this.error = error
    return -1
  }
}

/**
 * Adds the field whose line starts at `start`. Returns the position behind the line, INCOMPLETE, or (negative) -1 less
 * the position of the first character that may not be there. A field with an odd name is not added unless `keepOdd`.
 */
export function readField(
  fields: Fields,
  text: string,
  start: number,
  names: NameTable,
  keepOdd: boolean,
): number {
  const length = text.length
  let hash = 0
  let odd = false
  let at = start
  for (; at < length; at++) {
    const code = text.charCodeAt(at)
    const kind = names[code]
    if (kind !== NAME) {
      if (kind !== ODD) break
      odd = true
    }
    hash = nextHash(hash, code)
  }
  if (at === length) return INCOMPLETE
  if (at === start || text.charCodeAt(at) !== COLON) {
    return text.charCodeAt(at) === CR && at + 1 === length ? INCOMPLETE : -1 - at
  }
  const nameEnd = at++
  while (at < length && isBlank(text.charCodeAt(at))) at++
  const valueStart = at
  while (at < length && charClass[text.charCodeAt(at)] !== CONTROL) at++
  if (at === length) return INCOMPLETE
  if (text.charCodeAt(at) !== CR) return -1 - at
  if (at + 1 === length) return INCOMPLETE
  if (text.charCodeAt(at + 1) !== LF) return -1 - at
  let valueEnd = at
  while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
  if (!odd || keepOdd) fields.add(start, nameEnd, valueStart, valueEnd, hash)
  return at + 2
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/** A line up to the character at `at`, which is wrong, as nginx shows it: `Bad\x20...`. */
export function brokenLine(text: string, start: number, at: number): string {
  const code = text.charCodeAt(at)
  return `${text.slice(start, at)}\\x${code < 16 ? '0' : ''}${code.toString(16)}...`
}
