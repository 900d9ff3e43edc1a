// Regular expressions of the configuration, compiled when it is built.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Request } from './request.ts'
import { declareCapture } from './variables.ts'

/** Compiles a PCRE pattern as far as JavaScript says the same; `ignoreCase` for `~*`. Named captures become variables. */
export function compileRegex(pattern: string, ignoreCase: boolean, context: BuildContext): RegExp {
  const translated = pattern.replace(/\(\?P</g, '(?<').replace(/\(\?'(\w+)'/g, '(?<$1>')
  let regex: RegExp
  try {
    regex = new RegExp(translated, ignoreCase ? 'i' : '')
  } catch (error) {
    context.error(`invalid regular expression "${pattern}": ${(error as Error).message}`)
  }
  for (const [, name] of translated.matchAll(/\(\?<([A-Za-z_]\w*)>/g))
    declareCapture(context, name!.toLowerCase())
  return regex
}

/** Matches `text` and keeps the captures on the request, as nginx does. */
export function matchRegex(r: Request, regex: RegExp, text: string): boolean {
  const match = regex.exec(text)
  if (match === null) return false
  r.captures = match
  if (match.groups !== undefined) keepNamed(r, match.groups)
  return true
}

function keepNamed(r: Request, groups: Record<string, string | undefined>): void {
  r.named ??= {}
  for (const [name, value] of Object.entries(groups)) r.named[name.toLowerCase()] = value
}
