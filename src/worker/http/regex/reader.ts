// The place in a pattern that is being read, with what the parts of the parser share: options, groups, names.

import { type MESSAGES, PatternError } from './errors.ts'

/** Inline options, `(?imsxnUJ)`. */
export interface Flags {
  readonly ignoreCase: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
  readonly extended: boolean
  /** `(?xx)` */
  readonly extendedMore: boolean
  /** `(?n)`: plain parentheses capture nothing. */
  readonly noCapture: boolean
  /** `(?U)`: quantifiers are lazy unless a `?` follows. */
  readonly ungreedy: boolean
  /** `(?J)`: a name may be given twice. */
  readonly duplicates: boolean
}

const WORD = /[A-Za-z0-9_]/
const MAX_NAME = 32

export class Reader {
  readonly text: string
  at = 0
  flags: Flags
  /** Groups opened so far. */
  groups = 0
  /** Groups by name, in the order they are given. */
  readonly names = new Map<string, number[]>()
  /** Checked when the whole pattern is read, when all groups are known. */
  readonly checks: (() => void)[] = []
  /** Inside of \Q...\E. */
  quoting = false
  sharedNumbers = false

  constructor(text: string, flags: Flags) {
    this.text = text
    this.flags = flags
  }

  get ended(): boolean {
    return this.at >= this.text.length
  }

  /** The character `ahead` of the next one; '' past the end. */
  peek(ahead = 0): string {
    return this.text.charAt(this.at + ahead)
  }

  take(): string {
    return this.text.charAt(this.at++)
  }

  /** Takes `expected` if it is next. */
  skip(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false
    this.at += expected.length
    return true
  }

  fail(number: keyof typeof MESSAGES, at = this.at): never {
    throw new PatternError(number, Math.min(Math.max(at, 0), this.text.length))
  }

  isDigit(ahead = 0): boolean {
    const character = this.peek(ahead)
    return character >= '0' && character <= '9'
  }

  /**
   * A decimal number; null: there is none. With `relative` (groups so far) a sign makes it relative to that. Errors:
   * `tooBig`, or a relative zero or one that leads to no group.
   */
  number(relative: number | null, max: number, tooBig: 5 | 61): number | null {
    let sign = 0
    if (relative !== null && (this.peek() === '+' || this.peek() === '-')) {
      sign = this.take() === '+' ? 1 : -1
    }
    if (!this.isDigit()) {
      if (sign !== 0) this.at--
      return null
    }
    let value = 0
    while (this.isDigit()) {
      value = value * 10 + Number(this.take())
      if (value > max) this.fail(tooBig)
    }
    if (sign === 0) return value
    if (value === 0) this.fail(26)
    if (sign < 0 && value > relative!) this.fail(15)
    const absolute = sign > 0 ? relative! + value : relative! - value + 1
    if (absolute > max) this.fail(61)
    return absolute
  }

  /** A name; the next character is the one before it. `terminator` is taken too, if there is one. */
  name(terminator: string | null): string {
    this.at++
    if (this.ended) this.fail(terminator === null ? 60 : 62)
    if (this.isDigit()) this.fail(44)
    const start = this.at
    while (WORD.test(this.peek())) this.at++
    if (this.at > start + MAX_NAME) this.fail(48)
    const name = this.text.slice(start, this.at)
    if (terminator !== null) {
      if (name === '') this.fail(62)
      if (this.peek() !== terminator) this.fail(42)
      this.at++
    }
    return name
  }

  /** Declares that group `index`, just opened, is called `name`. */
  declareName(name: string, index: number): void {
    const known = this.names.get(name)
    if (known?.includes(index)) return
    if (known !== undefined && !this.flags.duplicates) this.fail(43)
    for (const [other, indexes] of this.names) if (other !== name && indexes.includes(index)) this.fail(65)
    if (known === undefined) this.names.set(name, [index])
    else known.push(index)
  }

  /** The list of groups called `name`, complete when the pattern is read; an error at `at` when there is none then. */
  groupsNamed(name: string, at: number): number[] {
    const groups: number[] = []
    this.checks.push(() => {
      const found = this.names.get(name)
      if (found === undefined) this.fail(15, at)
      groups.push(...found)
    })
    return groups
  }

  /** Group `number` has to exist when the pattern is read. */
  requireGroup(number: number, at: number): void {
    this.checks.push(() => {
      if (number > this.groups) this.fail(15, at)
    })
  }
}
