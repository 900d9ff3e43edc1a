// The directive tree: what the parser makes of nginx.conf and the master sends to every worker. Plain data only.

/** One directive with its place; `block` is null for a simple one, the directives inside `{}` otherwise. */
export interface Directive {
  name: string
  args: string[]
  /** Path as it is shown in messages; COMMAND_LINE for those of `-g`. */
  file: string
  /** The line of its `;` or `{`, as nginx counts; 0 on the command line. */
  line: number
  block: Directive[] | null
  /** The line of the block's `}`. */
  endLine?: number
  /**
   * Not a directive, but the place where the text could not be read any further, and why: the last entry of its block.
   * conf/build.ts throws it when it gets there, so errors before it come first, as in nginx.
   */
  broken?: string
  /** What to say behind the place of `broken`. */
  hint?: string
}

/** The "file" of directives given with `-g`. */
export const COMMAND_LINE = 'command line'

/** Where a message points to. */
export interface Place {
  file: string
  line: number
}

/** A configuration error: start and reload only. `message` is in nginx's words, with ` in FILE:LINE` at its end. */
export class ConfError extends Error {
  readonly file: string | null
  readonly line: number
  /** The message without place and hint. */
  readonly reason: string
  readonly hint: string

  constructor(message: string, at: Place | null, hint = '') {
    super(message + placeSuffix(at) + hint)
    this.name = 'ConfError'
    this.file = at?.file ?? null
    this.line = at?.line ?? 0
    this.reason = message
    this.hint = hint
  }
}

/** The hint that a semicolon may be missing. */
export function missing(where: string): string {
  return `, is a ";" missing ${where}?`
}

/** ` in FILE:LINE`, ` in command line`, or nothing for null. */
export function placeSuffix(at: Place | null): string {
  if (at === null) return ''
  return at.file === COMMAND_LINE ? ` in ${COMMAND_LINE}` : ` in ${at.file}:${at.line}`
}
