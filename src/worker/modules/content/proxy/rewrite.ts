// How `proxy_redirect`, `proxy_cookie_domain` and `proxy_cookie_path` say what becomes what: a text or a regular
// expression and its replacement, both with variables.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import type { Setter } from '../../../../shared/conf/command.ts'
import { asciiLower } from '../../../../shared/latin1.ts'
import { compileValue } from '../../../http/complex-value.ts'
import { fieldValue } from '../../../http/fields.ts'
import { compileRegex, matchRegex, type Regex, RegexLimitError } from '../../../http/regex.ts'
import type { Request } from '../../../http/request.ts'

/** What becomes of `text`; null: the rule does not apply to it. */
export type RewriteRule = (r: Request, text: string) => string | null

/** The first rule that applies gives the text; null: none does. */
export function rewrite(r: Request, rules: readonly RewriteRule[], text: string): string | null {
  for (const rule of rules) {
    const result = rule(r, text)
    if (result !== null) return result
  }
  return null
}

/** A constant text at the beginning is replaced. */
export function constantRule(from: string, to: string): RewriteRule {
  return (_r, text) => (text.startsWith(from) ? to + text.slice(from.length) : null)
}

/** The text at the beginning is replaced. */
function prefixRule(from: string, to: string, context: BuildContext): RewriteRule {
  const pattern = compileValue(from, context)
  const replacement = compileValue(to, context)
  if (pattern.constant !== null && replacement.constant !== null) {
    return constantRule(pattern.constant, fieldValue(replacement.constant))
  }
  return (r, text) => {
    const prefix = pattern.evaluate(r)
    return text.startsWith(prefix) ? fieldValue(replacement.evaluate(r)) + text.slice(prefix.length) : null
  }
}

/** A whole domain is replaced, in any case; the dot before it stays. */
export function domainRule(from: string, to: string, context: BuildContext): RewriteRule {
  const pattern = compileValue(from.replace(/^\./, ''), context)
  const replacement = compileValue(to.replace(/^\./, ''), context)
  return (r, text) => {
    const dot = text.startsWith('.') ? '.' : ''
    if (asciiLower(text.slice(dot.length)) !== asciiLower(pattern.evaluate(r))) return null
    return dot + fieldValue(replacement.evaluate(r))
  }
}

/** A text that the expression matches is replaced as a whole. */
export function regexRule(
  pattern: string,
  ignoreCase: boolean,
  to: string,
  context: BuildContext,
): RewriteRule {
  const regex = compileRegex(pattern, ignoreCase, context)
  const replacement = compileValue(to, context)
  return (r, text) => (matches(r, regex, text) ? fieldValue(replacement.evaluate(r)) : null)
}

/** As nginx: a match that has to be given up is none. */
export function matches(r: Request, regex: Regex, text: string): boolean {
  try {
    return matchRegex(r, regex, text)
  } catch (error) {
    if (!(error instanceof RegexLimitError)) throw error
    r.log('alert', error.message)
    return false
  }
}

/** A text, or `~` and `~*` before an expression. */
export function textOrRegex(from: string, to: string, context: BuildContext): RewriteRule {
  if (from.startsWith('~*')) return regexRule(from.slice(2), true, to, context)
  if (from.startsWith('~')) return regexRule(from.slice(1), false, to, context)
  return prefixRule(from, to, context)
}

/** Setter of directives that stand several times, each with a rule, or once with `off`: an empty list. */
export function rulesOrOff<T>(
  rule: (args: readonly string[], context: BuildContext) => T,
  word?: (word: string, context: BuildContext) => T | null,
): Setter {
  return (directive, context, previous) => {
    const rules = previous as readonly T[] | undefined
    const [first] = directive.args as [string]
    const duplicate = (): never => context.error(`"${directive.name}" directive is duplicate`)
    if (rules?.length === 0) duplicate()
    if (directive.args.length > 1) return [...(rules ?? []), rule(directive.args, context)]
    if (first === 'off') return rules === undefined ? OFF : duplicate()
    const named = word?.(first, context) ?? null
    return named === null ? context.error(`invalid parameter "${first}"`) : [...(rules ?? []), named]
  }
}

/** `off`, which is not the same as no directive. */
export const OFF: readonly never[] = Object.freeze([])
