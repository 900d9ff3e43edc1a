// A compiled regular expression: V8's for texts on which it is quick, our own matcher for the others.

import { longestSafeText } from './cost.ts'
import { mindsLastNewline, toJavaScript } from './javascript.ts'
import { Matcher } from './matcher.ts'
import { parsePattern } from './parser.ts'
import { compileProgram, type Program } from './program.ts'

/** Text of the whole match and of each group; undefined: the group took no part. */
export type Captures = readonly (string | undefined)[]

/** A match was given up: it would have held the worker for too long. The message is nginx's for its log. */
export class RegexLimitError extends Error {
  /** PCRE2's number for it. */
  readonly code: number

  constructor(code: number, text: string, pattern: string) {
    super(`pcre2_match() failed: ${code} on "${text}" using "${pattern}"`)
    this.code = code
  }
}

const NEWLINE = 10

/** A regular expression of the configuration. */
export class Regex {
  /** As written in the configuration. */
  readonly pattern: string
  /** Number of groups. */
  readonly groups: number
  /** Named groups with their numbers, in lower case as variables are; a name may come twice. */
  readonly names: readonly (readonly [name: string, index: number])[]
  readonly #program: Program
  /** null: JavaScript cannot say it. */
  readonly #script: RegExp | null
  /** Longest text for `#script`. */
  readonly #longest: number
  readonly #mindsLastNewline: boolean

  /** Throws PatternError and UnsupportedPattern. */
  constructor(pattern: string, ignoreCase: boolean) {
    const parsed = parsePattern(pattern, ignoreCase)
    this.pattern = pattern
    this.groups = parsed.groups
    this.names = parsed.names.map(([name, index]) => [name.toLowerCase(), index])
    this.#program = compileProgram(parsed)
    this.#longest = longestSafeText(parsed)
    this.#script = this.#longest > 0 ? script(toJavaScript(parsed)) : null
    this.#mindsLastNewline = mindsLastNewline(parsed)
  }

  /** Finds the first match in `text` (latin1); null: there is none. Throws RegexLimitError. */
  exec(text: string): Captures | null {
    return this.#script !== null && this.#isQuick(text) ? this.#script.exec(text) : this.execSlowly(text)
  }

  /** Whether there is a match in `text` (latin1). Throws RegexLimitError. */
  test(text: string): boolean {
    return this.#script !== null && this.#isQuick(text)
      ? this.#script.test(text)
      : this.execSlowly(text) !== null
  }

  /** The source of V8's expression; null: everything goes to our own matcher. */
  get script(): string | null {
    return this.#script?.source ?? null
  }

  /** `exec` with our own matcher, whatever the pattern. */
  execSlowly(text: string): Captures | null {
    const found = new Matcher(this.#program, text).exec()
    if (typeof found === 'number') throw new RegexLimitError(found, text, this.pattern)
    return found
  }

  #isQuick(text: string): boolean {
    const { length } = text
    if (length > this.#longest) return false
    return !this.#mindsLastNewline || length === 0 || text.charCodeAt(length - 1) !== NEWLINE
  }
}

/** V8 refuses some, "too large" among the reasons, when it first runs them. */
function script(source: string | null): RegExp | null {
  if (source === null) return null
  try {
    const regex = new RegExp(source)
    regex.test('')
    return regex
  } catch {
    return null
  }
}
