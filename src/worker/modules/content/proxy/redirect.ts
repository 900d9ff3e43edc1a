// `proxy_redirect`: URLs of the backend in Location and Refresh become those of the location they came through.

import type { BuildContext, Scope } from '../../../../shared/conf/build.ts'
import type { Setter } from '../../../../shared/conf/command.ts'
import type { Request } from '../../../http/request.ts'
import type { ProxyPass } from './pass.ts'
import { constantRule, OFF, type RewriteRule, rewrite, rulesOrOff, textOrRegex } from './rewrite.ts'

/** Setter of `proxy_redirect`; `passOf` gives the `proxy_pass` that stands before it in a block. */
export function setRedirect(passOf: (scope: Scope) => ProxyPass | undefined): Setter {
  return rulesOrOff<RewriteRule>(
    ([from, to], context) => textOrRegex(from!, to!, context),
    (word, context) => (word === 'default' ? checkedDefault(passOf(context.scope), context) : null),
  )
}

function checkedDefault(pass: ProxyPass | undefined, context: BuildContext): RewriteRule {
  if (pass === undefined) {
    context.error('"proxy_redirect default" should be placed after the "proxy_pass" directive')
  }
  const rule = defaultRule(pass)
  if (rule === null) {
    context.error('"proxy_redirect default" cannot be used with "proxy_pass" directive with variables')
  }
  return rule
}

/** The URL of `proxy_pass` becomes the location's prefix; null: it is known for each request only. */
function defaultRule(pass: ProxyPass): RewriteRule | null {
  const { url, value, uri, prefix } = pass
  if (value !== null) return null
  return uri === null ? constantRule(`${url}/`, '/') : constantRule(url, prefix)
}

/**
 * The rules of a level: `own`, else those in force around it (`outer`: as nginx, even the default ones of another
 * `proxy_pass`), else the default ones.
 */
export function redirectRules(
  own: readonly RewriteRule[] | undefined,
  outer: readonly RewriteRule[] | undefined,
  pass: ProxyPass | undefined,
): readonly RewriteRule[] {
  if (own !== undefined) return own
  if (outer !== undefined && (outer === OFF || outer.length > 0)) return outer
  const rule = pass === undefined ? null : defaultRule(pass)
  return rule === null ? [] : [rule]
}

/** The value of a Refresh field, `SECONDS; url=URL`, rewritten; null: it stays. */
export function rewriteRefresh(r: Request, rules: readonly RewriteRule[], value: string): string | null {
  const at = value.toLowerCase().indexOf('url=')
  if (at < 0) return null
  const url = rewrite(r, rules, value.slice(at + 4))
  return url === null ? null : value.slice(0, at + 4) + url
}
