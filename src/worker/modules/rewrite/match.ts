// How the rewrite module matches a regular expression: captures of a match are kept, those of the match before it are
// gone where there is none, and `rewrite_log` tells of both.

import { matchRegex, type Regex } from '../../http/regex.ts'
import type { Request } from '../../http/request.ts'
import { rewrite } from './rewrite.ts'

/** Matches `text` and keeps the captures. Throws RegexLimitError. */
export function matches(r: Request, regex: Regex, text: string): boolean {
  const found = matchRegex(r, regex, text)
  if (!found) r.captures = null
  if (r.conf(rewrite).rewriteLog) {
    r.log('notice', `"${regex.pattern}" ${found ? 'matches' : 'does not match'} "${text}"`)
  }
  return found
}

/** Says what a rewriting has come to, with `rewrite_log on`. */
export function note(r: Request, message: string): void {
  if (r.conf(rewrite).rewriteLog) r.log('notice', message)
}
