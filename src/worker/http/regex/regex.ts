// A compiled regular expression, and what can go wrong when it is used.

/** Text of the whole match and of each group; undefined: the group took no part. */
export type Captures = readonly (string | undefined)[]

/** A match was given up: it would have held the worker for too long. */
export class RegexLimitError extends Error {
  /** PCRE2's number for it. */
  readonly code: number

  constructor(code: number, text: string, pattern: string) {
    super(`pcre2_match() failed: ${code} on "${text}" using "${pattern}"`)
    this.code = code
  }
}

/** A regular expression of the configuration. */
export class Regex {
  /** As written in the configuration. */
  readonly pattern: string
  /** Named groups: lower case as variables are, and number; a name may come twice. */
  readonly names: readonly (readonly [name: string, index: number])[]
  readonly #script: RegExp

  constructor(pattern: string, names: readonly (readonly [string, number])[], script: RegExp) {
    this.pattern = pattern
    this.names = names
    this.#script = script
  }

  /** Finds the first match in `text` (latin1); null: there is none. Throws RegexLimitError. */
  exec(text: string): Captures | null {
    return this.#script.exec(text)
  }

  /** Whether there is a match in `text` (latin1). Throws RegexLimitError. */
  test(text: string): boolean {
    return this.#script.test(text)
  }
}
