// The directive tree: what the parser makes of nginx.conf and the master sends to every worker. Plain data only.

/** One directive with its place; `block` is null for a simple one, the directives inside `{}` otherwise. */
export interface Directive {
  name: string
  args: string[]
  /** Path as it is shown in messages. */
  file: string
  line: number
  block: Directive[] | null
}

/** A configuration error: start and reload only. `message` is in nginx's words, with ` in FILE:LINE` at its end. */
export class ConfError extends Error {
  readonly file: string | null
  readonly line: number

  constructor(message: string, at: { file: string; line: number } | null, hint = '') {
    super(at === null ? message + hint : `${message} in ${at.file}:${at.line}${hint}`)
    this.name = 'ConfError'
    this.file = at?.file ?? null
    this.line = at?.line ?? 0
  }
}
