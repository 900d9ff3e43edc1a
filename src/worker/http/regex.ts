// Regular expressions of the configuration, compiled when it is built.

import type { BuildContext } from '../../shared/conf/build.ts'
import { Regex } from './regex/regex.ts'
import type { Request } from './request.ts'
import { declareCapture } from './variables.ts'

export { type Captures, Regex, RegexLimitError } from './regex/regex.ts'

/** Compiles a PCRE pattern as far as JavaScript says the same; `ignoreCase` for `~*`. Named captures become variables. */
export function compileRegex(pattern: string, ignoreCase: boolean, context: BuildContext): Regex {
  const translated = pattern.replace(/\(\?P</g, '(?<').replace(/\(\?'(\w+)'/g, '(?<$1>')
  let regex: RegExp
  try {
    regex = new RegExp(translated, ignoreCase ? 'i' : '')
  } catch (error) {
    context.error(`invalid regular expression "${pattern}": ${(error as Error).message}`)
  }
  const groups = [...translated.matchAll(/\\.|\((?!\?)|\(\?<([A-Za-z_]\w*)>/g)].filter(
    (match) => match[0][0] === '(',
  )
  const names: [string, number][] = []
  groups.forEach((match, index) => {
    if (match[1] !== undefined) names.push([match[1].toLowerCase(), index + 1])
  })
  for (const [name] of names) declareCapture(context, name)
  return new Regex(pattern, names, regex)
}

/** Matches `text` and keeps the captures on the request, as nginx does. Throws RegexLimitError. */
export function matchRegex(r: Request, regex: Regex, text: string): boolean {
  const match = regex.exec(text)
  if (match === null) return false
  r.captures = match
  const { names } = regex
  if (names.length > 0) {
    r.named ??= {}
    for (const [name, index] of names) r.named[name] = match[index] ?? ''
  }
  return true
}
