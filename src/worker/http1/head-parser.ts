// Heads of HTTP/1 messages: request line or status line, then header fields up to the empty line. Strict
// (RFC 9112 sections 2.2, 3, 4, 5: every line ends in CRLF, no folding, no blank before the colon, no control
// characters) and resumable: text may come in pieces cut anywhere.

import { Fields, nextHash } from '../http/fields.ts'

/** The head is not complete yet. */
export const INCOMPLETE = 0

const COLON = 58
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
      const end = this.#lineEnd(text, start)
      if (end < 0) return end === -1 ? INCOMPLETE : this.#refuse('line ending')
      if (end === start) {
        this.#position = end + 2
        return this.#position
      }
      if (fields.count >= MAX_FIELDS) return this.#refuse('too many fields')
      const wrong = addField(fields, text, start, end, this.#dropOdd)
      if (wrong >= 0) {
        this.broken = brokenLine(text, start, wrong)
        return this.#refuse('field')
      }
      this.#position = end + 2
    }
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
 * Adds the field that stands in `text[start, end)`, the line without its end. Returns -1, or the position of the first
 * character that may not be there.
 */
export function addField(fields: Fields, text: string, start: number, end: number, dropOdd: boolean): number {
  let hash = 0
  let odd = false
  let at = start
  for (; at < end; at++) {
    const code = text.charCodeAt(at)
    const kind = charClass[code]
    if (kind !== NAME) {
      if (kind !== ODD) break
      odd = true
    }
    hash = nextHash(hash, code)
  }
  if (at === start || at === end || text.charCodeAt(at) !== COLON) return at
  const nameEnd = at++
  // As nginx: blanks around a value are spaces; a tab is part of it.
  while (at < end && text.charCodeAt(at) === SPACE) at++
  let valueEnd = end
  while (valueEnd > at && text.charCodeAt(valueEnd - 1) === SPACE) valueEnd--
  for (let index = at; index < valueEnd; index++) {
    if (charClass[text.charCodeAt(index)] === CONTROL) return index
  }
  if (!odd || !dropOdd) fields.add(start, nameEnd, at, valueEnd, hash)
  return -1
}

/** A line up to the character at `at`, which is wrong, as nginx shows it: `Bad\x20...`. */
export function brokenLine(text: string, start: number, at: number): string {
  const code = text.charCodeAt(at)
  return `${text.slice(start, at)}\\x${code < 16 ? '0' : ''}${code.toString(16)}...`
}
