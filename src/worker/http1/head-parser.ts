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

/** Class of each latin1 character: letters, digits and `-`; any other RFC 9110 `tchar`; control characters. */
const charClass = new Uint8Array(256)
for (const char of "!#$%&'*+.^_`|~") charClass[char.charCodeAt(0)] = ODD
for (const char of '-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ') {
  charClass[char.charCodeAt(0)] = NAME
}
for (let code = 0; code < 32; code++) charClass[code] = CONTROL
charClass[TAB] = 0
charClass[127] = CONTROL

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

/** Fields one head may have at most; nginx's `max_headers`. */
const MAX_FIELDS = 1000

/** Reads the lines of one head. The caller appends what arrives to a text and calls `parse` with it again. */
export abstract class HeadParser {
  readonly fields = new Fields()
  error: HeadError | null = null
  /** The line that is wrong, with `error` 'field', as nginx shows it. */
  broken = ''
  readonly #dropOdd: boolean
  #position = 0
  #started = false

  /** `dropOdd`: leave out fields whose names hold more than letters, digits and `-`, as nginx does with requests. */
  constructor(dropOdd: boolean) {
    this.#dropOdd = dropOdd
  }

  /** Takes the first line, which stands in `text[start, end)`; false when it is not well formed. */
  protected abstract startLine(text: string, start: number, end: number): boolean

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
      if (fields.count >= MAX_FIELDS) return this.#refuse('too many fields')
      const next = readField(fields, text, start, this.#dropOdd)
      if (next === INCOMPLETE) return INCOMPLETE
      if (next < 0) return this.#refuseField(text, start, -1 - next)
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
 * the position of the first character that may not be there.
 */
export function readField(fields: Fields, text: string, start: number, dropOdd: boolean): number {
  const length = text.length
  let hash = 0
  let odd = false
  let at = start
  for (; at < length; at++) {
    const code = text.charCodeAt(at)
    const kind = charClass[code]
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
  // As nginx: blanks around a value are spaces; a tab is part of it.
  while (at < length && text.charCodeAt(at) === SPACE) at++
  const valueStart = at
  while (at < length && charClass[text.charCodeAt(at)] !== CONTROL) at++
  if (at === length) return INCOMPLETE
  if (text.charCodeAt(at) !== CR) return -1 - at
  if (at + 1 === length) return INCOMPLETE
  if (text.charCodeAt(at + 1) !== LF) return -1 - at
  let valueEnd = at
  while (valueEnd > valueStart && text.charCodeAt(valueEnd - 1) === SPACE) valueEnd--
  if (!odd || !dropOdd) fields.add(start, nameEnd, valueStart, valueEnd, hash)
  return at + 2
}

/** A line up to the character at `at`, which is wrong, as nginx shows it: `Bad\x20...`. */
export function brokenLine(text: string, start: number, at: number): string {
  const code = text.charCodeAt(at)
  return `${text.slice(start, at)}\\x${code < 16 ? '0' : ''}${code.toString(16)}...`
}
