// Regular expressions of the configuration: PCRE2 patterns, compiled when it is built. The folder regex/ has the parts.

import type { BuildContext } from '../../shared/conf/build.ts'
import { PatternError, UnsupportedPattern } from './regex/errors.ts'
import { Regex } from './regex/regex.ts'
import type { Request } from './request.ts'
import { declareCapture } from './variables.ts'

export { type Captures, Regex, RegexLimitError } from './regex/regex.ts'

/** Those of one configuration: servers that are much alike have the same ones. */
const compiled = new WeakMap<BuildContext, Map<string, Regex>>()

/** Compiles a PCRE2 pattern, or reports what is wrong with it; `ignoreCase` for `~*`. Named groups become variables. */
export function compileRegex(pattern: string, ignoreCase: boolean, context: BuildContext): Regex {
  const key = (ignoreCase ? '~*' : '~') + pattern
  let known = compiled.get(context)
  if (known === undefined) compiled.set(context, (known = new Map()))
  let regex = known.get(key)
  if (regex === undefined) known.set(key, (regex = compile(pattern, ignoreCase, context)))
  for (const [name] of regex.names) declareCapture(context, name)
  return regex
}

function compile(pattern: string, ignoreCase: boolean, context: BuildContext): Regex {
  try {
    return new Regex(pattern, ignoreCase)
  } catch (error) {
    if (error instanceof UnsupportedPattern) return context.error(error.message)
    if (!(error instanceof PatternError)) throw error
    const rest = error.offset === pattern.length ? '' : ` at "${pattern.slice(error.offset)}"`
    return context.error(`pcre2_compile() failed: ${error.message} in "${pattern}"${rest}`)
  }
}

/** Matches `text` and keeps the captures on the request, as nginx does. Throws RegexLimitError. */
export function matchRegex(r: Request, regex: Regex, text: string): boolean {
  const match = regex.exec(text)
  if (match === null) return false
  // Also those of a pattern without groups: $1 is empty after it.
  r.captures = match
  const { names } = regex
  if (names.length > 0) {
    r.named ??= Object.create(null) as Record<string, string | undefined>
    for (const [name, index] of names) r.named[name] = match[index] ?? ''
  }
  return true
}
