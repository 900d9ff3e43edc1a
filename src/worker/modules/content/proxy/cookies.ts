// `proxy_cookie_domain`, `proxy_cookie_path` and `proxy_cookie_flags`: attributes of cookies that a backend sets.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { asciiLower } from '../../../../shared/latin1.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { compileRegex, type Regex } from '../../../http/regex.ts'
import type { Request } from '../../../http/request.ts'
import {
  domainRule,
  matches,
  type RewriteRule,
  regexRule,
  rewrite,
  rulesOrOff,
  textOrRegex,
} from './rewrite.ts'

/** Flags for the cookies of a name. */
export interface FlagRule {
  /** The name in any case, or an expression. */
  name: ComplexValue | Regex
  flags: readonly ComplexValue[]
}

/** What a location does with cookies. */
export interface CookiePlan {
  domains: readonly RewriteRule[]
  paths: readonly RewriteRule[]
  flags: readonly FlagRule[]
}

/** A part of a cookie between semicolons. */
interface Attribute {
  name: string
  /** null without `=`. */
  value: string | null
}

/** Setter of `proxy_cookie_domain`; its expressions match in any case. */
export const setCookieDomain = rulesOrOff(([from, to], context) =>
  from!.startsWith('~') ? regexRule(from!.slice(1), true, to!, context) : domainRule(from!, to!, context),
)

/** Setter of `proxy_cookie_path`. */
export const setCookiePath = rulesOrOff(([from, to], context) => textOrRegex(from!, to!, context))

/** Setter of `proxy_cookie_flags`; its expressions match in any case. */
export const setCookieFlags = rulesOrOff<FlagRule>(([name, ...flags], context) => ({
  name: cookieName(name!, context),
  flags: flags.map((flag) => compileValue(flag, context)),
}))

function cookieName(text: string, context: BuildContext): ComplexValue | Regex {
  return text.startsWith('~') ? compileRegex(text.slice(1), true, context) : compileValue(text, context)
}

/** Null where cookies pass as they are. */
export function makeCookiePlan(plan: CookiePlan): CookiePlan | null {
  return plan.domains.length + plan.paths.length + plan.flags.length > 0 ? plan : null
}

/** The value of a Set-Cookie field, rewritten; null: it stays as it is. */
export function rewriteCookie(r: Request, plan: CookiePlan, cookie: string): string | null {
  let attributes = cookie.split(';').map(parseAttribute)
  const [pair] = attributes as [Attribute]
  if (pair.value === null) return null
  let changed = false
  for (let index = 1; index < attributes.length; index++) {
    const attribute = attributes[index]!
    if (attribute.value === null) continue
    const name = attribute.name.toLowerCase()
    const rules = name === 'domain' ? plan.domains : name === 'path' ? plan.paths : NONE
    const value = rewrite(r, rules, attribute.value)
    if (value === null) continue
    attribute.value = value
    changed = true
  }
  const flags = wantedFlags(r, plan.flags, pair.name)
  if (flags.size > 0) {
    attributes = setFlags(attributes, flags)
    changed = true
  }
  if (!changed) return null
  return attributes.map(({ name, value }) => (value === null ? name : `${name}=${value}`)).join('; ')
}

const NONE: readonly RewriteRule[] = []

/** Blanks around names and values are not part of them. */
function parseAttribute(text: string): Attribute {
  const equals = text.indexOf('=')
  if (equals < 0) return { name: trimSpaces(text), value: null }
  return { name: trimSpaces(text.slice(0, equals)), value: trimSpaces(text.slice(equals + 1)) }
}

/** By hand: an expression would look at a run of blanks within once for each of them. */
function trimSpaces(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charCodeAt(start) === 32) start++
  while (end > start && text.charCodeAt(end - 1) === 32) end--
  return text.slice(start, end)
}

/** Words of `proxy_cookie_flags`. Of those that ask for a SameSite, the first here counts. */
const SAME_SITE: ReadonlyMap<string, string> = new Map([
  ['samesite=strict', 'Strict'],
  ['samesite=lax', 'Lax'],
  ['samesite=none', 'None'],
])
const FLAGS = new Set(['secure', 'nosecure', 'httponly', 'nohttponly', 'nosamesite', ...SAME_SITE.keys()])

/** The flags that the first rule for a cookie's name asks for; words that are none are skipped. */
function wantedFlags(r: Request, rules: readonly FlagRule[], cookie: string): Set<string> {
  const wanted = new Set<string>()
  const rule = rules.find(({ name }) =>
    'evaluate' in name ? sameText(name.evaluate(r), cookie) : matches(r, name, cookie),
  )
  for (const flag of rule?.flags ?? []) {
    const word = flag.evaluate(r).toLowerCase()
    if (FLAGS.has(word)) wanted.add(word)
  }
  return wanted
}

/**
 * Takes the flags out of the attributes, changes them or adds what is missing. `wanted` is used up: as in nginx, an
 * attribute that comes twice satisfies a flag once.
 */
function setFlags(attributes: readonly Attribute[], wanted: Set<string>): Attribute[] {
  const kept: Attribute[] = []
  attributes.forEach((attribute, index) => {
    const name = index === 0 ? '' : attribute.name.toLowerCase()
    if (name === 'secure' || name === 'httponly') {
      if (wanted.delete(name) || !wanted.has(`no${name}`)) kept.push(attribute)
    } else if (name === 'samesite') {
      const site = takeSite(wanted)
      if (site === null) {
        if (!wanted.has('nosamesite')) kept.push(attribute)
      } else if (sameText(attribute.value ?? '', site)) kept.push(attribute)
      else kept.push({ name: 'SameSite', value: site })
    } else kept.push(attribute)
  })
  if (wanted.has('secure')) kept.push({ name: 'Secure', value: null })
  if (wanted.has('httponly')) kept.push({ name: 'HttpOnly', value: null })
  const site = takeSite(wanted)
  if (site !== null) kept.push({ name: 'SameSite', value: site })
  return kept
}

function takeSite(wanted: Set<string>): string | null {
  for (const [flag, site] of SAME_SITE) if (wanted.delete(flag)) return site
  return null
}

function sameText(one: string, other: string): boolean {
  return one.length === other.length && asciiLower(one) === asciiLower(other)
}
