// A backend's response head on its way to the client: which fields pass, and what is rewritten.

import { parseHttpDate } from '../../../../shared/http-date.ts'
import type { Fields } from '../../../http/fields.ts'
import { hashName } from '../../../http/fields.ts'
import type { Request } from '../../../http/request.ts'
import type { Response } from '../../../http/response.ts'
import type { PeerHead } from '../../../upstream/wire.ts'
import { askForCharset } from '../../filter/charset.ts'
import { acceptRate } from '../../filter/limit-rate.ts'
import { redirects } from '../../redirects.ts'
import { type CookiePlan, makeCookiePlan, rewriteCookie } from './cookies.ts'
import { hiddenFields } from './passed-fields.ts'
import { rewriteRefresh } from './redirect.ts'
import { IGNORABLE, type ResponseConf } from './response-commands.ts'
import { type RewriteRule, rewrite } from './rewrite.ts'

export interface ResponsePlan {
  /** What is not simply passed on, by hash of the name. */
  fields: ReadonlyMap<number, readonly FieldRule[]>
  redirects: readonly RewriteRule[]
  cookies: CookiePlan | null
  /** False where the backend's is passed, as in nginx even if it sends none. */
  ownServer: boolean
  ownDate: boolean
  /** A part of whatever it sends may be asked for. */
  forceRanges: boolean
}

type Treatment =
  | 'pass'
  | 'hide'
  | 'charset'
  | 'charset, passed'
  | 'redirect'
  | 'buffering'
  | 'buffering, passed'
  | 'rate'
  | 'rate, passed'
  | 'type'
  | 'encoding'
  | 'location'
  | 'refresh'
  | 'cookie'

interface FieldRule {
  /** Lower case. */
  name: string
  treatment: Treatment
  /** A bit of its own where a response may have one field of this name: as nginx, others are dropped; else 0. */
  single: number
}

/** About the connection to the backend and the framing on it: never passed. */
const CONNECTION_FIELDS = ['connection', 'content-length', 'keep-alive', 'transfer-encoding']
const SINGLE_FIELDS = [
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'refresh',
  'server',
  'status',
  'x-accel-buffering',
  'x-accel-charset',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-redirect',
]

export function makeResponsePlan(conf: ResponseConf): ResponsePlan {
  const passed = new Set(conf.proxyPassHeader.map((name) => name.toLowerCase()))
  const cookies = makeCookiePlan({
    domains: conf.proxyCookieDomain,
    paths: conf.proxyCookiePath,
    flags: conf.proxyCookieFlags,
  })
  const treatments = new Map<string, Treatment>()
  for (const name of SINGLE_FIELDS) treatments.set(name, 'pass')
  treatments.set('content-type', 'type')
  treatments.set('content-encoding', 'encoding')
  if (conf.redirects.length > 0) treatments.set('location', 'location').set('refresh', 'refresh')
  if (cookies !== null) treatments.set('set-cookie', 'cookie')
  for (const name of hiddenFields(conf)) treatments.set(name, 'hide')
  if ((conf.proxyIgnoreHeaders & IGNORABLE['x-accel-charset']) === 0) {
    const hidden = treatments.get('x-accel-charset') === 'hide'
    treatments.set('x-accel-charset', hidden ? 'charset' : 'charset, passed')
  }
  if ((conf.proxyIgnoreHeaders & IGNORABLE['x-accel-redirect']) === 0) {
    treatments.set('x-accel-redirect', 'redirect')
  }
  if ((conf.proxyIgnoreHeaders & IGNORABLE['x-accel-buffering']) === 0) {
    const hidden = treatments.get('x-accel-buffering') === 'hide'
    treatments.set('x-accel-buffering', hidden ? 'buffering' : 'buffering, passed')
  }
  if (conf.proxyForceRanges) treatments.set('accept-ranges', 'hide')
  if ((conf.proxyIgnoreHeaders & IGNORABLE['x-accel-limit-rate']) === 0) {
    const hidden = treatments.get('x-accel-limit-rate') === 'hide'
    treatments.set('x-accel-limit-rate', hidden ? 'rate' : 'rate, passed')
  }
  for (const name of CONNECTION_FIELDS) treatments.set(name, 'hide')
  return {
    fields: fieldRules(treatments),
    redirects: conf.redirects,
    cookies,
    ownServer: !passed.has('server'),
    ownDate: !passed.has('date'),
    forceRanges: conf.proxyForceRanges,
  }
}

/** Rules by what they say: locations share them, so that each response reads the same memory. */
const knownRules = new Map<string, ReadonlyMap<number, FieldRule[]>>()

function fieldRules(treatments: ReadonlyMap<string, Treatment>): ReadonlyMap<number, FieldRule[]> {
  const key = [...treatments].join('\n')
  const known = knownRules.get(key)
  if (known !== undefined) return known
  const rules = new Map<number, FieldRule[]>()
  for (const [name, treatment] of treatments) {
    const rule = {
      name,
      treatment,
      single: SINGLE_FIELDS.includes(name) ? 1 << SINGLE_FIELDS.indexOf(name) : 0,
    }
    const hash = hashName(name)
    rules.set(hash, [...(rules.get(hash) ?? []), rule])
  }
  knownRules.set(key, rules)
  return rules
}

/** Fills `r.response` from the backend's head. Not null: what is to make the response instead. */
export function processHead(r: Request, head: PeerHead, plan: ResponsePlan): string | null {
  const { response } = r
  const upstream = r.upstream!
  const before = response.lines
  const lines = passedLines(r, head.fields, plan)
  if (upstream.redirect !== null) return leave(r, head.fields, plan, before)
  response.status = head.status
  response.statusLine = head.statusLine
  response.fromBackend = true
  response.contentLength = head.chunked ? -1 : head.contentLength
  response.ownServer = plan.ownServer
  response.ownDate = plan.ownDate
  if (plan.forceRanges) offerRanges(response, head.fields)
  // What the phases before have put there stays.
  response.lines += lines
  return null
}

/** `proxy_force_ranges`: of one range, as nginx has it, which needs to know the content's age. */
function offerRanges(response: Response, fields: Fields): void {
  response.allowRanges = response.singleRange = true
  const modified = fields.get('last-modified')
  if (modified !== null) response.modifiedTime = parseHttpDate(modified)
}

/** What goes to the client, as nginx has it, whoever makes the response; the type does, too. */
const LEFT = ['set-cookie', 'content-disposition', 'cache-control', 'expires', 'accept-ranges'].map(
  (name) => ({
    name,
    hash: hashName(name),
  }),
)

/** Takes from the head of a response that another location makes what stays with it, and gives the name of that. */
function leave(r: Request, fields: Fields, plan: ResponsePlan, before: string): string {
  const { response } = r
  const upstream = r.upstream!
  const target = upstream.redirect!
  const { contentType, overrideCharset } = response
  upstream.redirect = null
  response.clear()
  response.contentType = contentType
  response.overrideCharset = overrideCharset
  response.lines = before
  for (let index = 0; index < fields.count; index++) {
    const hash = fields.hash(index)
    const found = LEFT.find((field) => field.hash === hash && fields.is(index, field.name))
    if (found === undefined) continue
    const value = fields.value(index)
    const rewritten = found.name === 'set-cookie' && plan.cookies !== null
    const line = `${fields.name(index)}: ${(rewritten ? rewriteCookie(r, plan.cookies!, value) : null) ?? value}\r\n`
    if (found.name !== 'accept-ranges') response.addLasting(line, '')
    else if (!plan.forceRanges) response.lines += line
  }
  return target
}

/** Neighbours that pass as they stand are taken in one piece. */
function passedLines(r: Request, fields: Fields, plan: ResponsePlan): string {
  const { text, count } = fields
  let lines = ''
  let from = -1
  let to = 0
  let seen = 0
  for (let index = 0; index < count; index++) {
    const rule = ruleOf(plan, fields, index)
    let line: string | null = null
    if (rule !== null) {
      if ((seen & rule.single) !== 0) {
        warnOfDuplicate(r, fields, index, rule.name)
        line = ''
      } else {
        seen |= rule.single
        line = treat(r, fields, index, rule.treatment, plan)
      }
    }
    if (line === null && fields.canonical(index)) {
      const start = fields.start(index)
      if (from >= 0 && start !== to) {
        lines += text.slice(from, to)
        from = -1
      }
      if (from < 0) from = start
      to = fields.end(index) + 2
      continue
    }
    if (from >= 0) {
      lines += text.slice(from, to)
      from = -1
    }
    lines += line ?? `${fields.name(index)}: ${fields.value(index)}\r\n`
  }
  return from >= 0 ? lines + text.slice(from, to) : lines
}

function ruleOf(plan: ResponsePlan, fields: Fields, index: number): FieldRule | null {
  const rules = plan.fields.get(fields.hash(index))
  if (rules === undefined) return null
  for (const rule of rules) if (fields.is(index, rule.name)) return rule
  return null
}

/** The line that takes the field's place, '' for none; null: it passes as it is. */
function treat(
  r: Request,
  fields: Fields,
  index: number,
  treatment: Treatment,
  plan: ResponsePlan,
): string | null {
  const { response } = r
  switch (treatment) {
    case 'hide':
      return ''
    case 'type':
      response.contentType = fields.value(index) || null
      return ''
    case 'charset':
      askForCharset(r, fields.value(index))
      return ''
    case 'charset, passed':
      askForCharset(r, fields.value(index))
      return null
    case 'buffering':
      takeBuffering(r, fields.value(index))
      return ''
    case 'buffering, passed':
      takeBuffering(r, fields.value(index))
      return null
    case 'redirect':
      r.upstream!.redirect = fields.value(index)
      return ''
    case 'rate':
      acceptRate(r, fields.value(index))
      return ''
    case 'rate, passed':
      acceptRate(r, fields.value(index))
      return null
    case 'encoding':
      response.contentEncoding = fields.value(index)
      return null
    case 'location': {
      const url = rewrite(r, plan.redirects, fields.value(index))
      if (url === null) return null
      if (!url.startsWith('/') || !r.conf(redirects).absoluteRedirect) return replaced(fields, index, url)
      // Sent as a URL of this server, as every redirect of its own.
      response.location = url
      return ''
    }
    case 'refresh':
      return replaced(fields, index, rewriteRefresh(r, plan.redirects, fields.value(index)))
    case 'cookie':
      return replaced(fields, index, rewriteCookie(r, plan.cookies!, fields.value(index)))
    case 'pass':
      return null
  }
}

/** X-Accel-Buffering: whatever it says else means nothing. */
function takeBuffering(r: Request, value: string): void {
  const word = value.toLowerCase()
  if (word === 'yes' || word === 'no') r.upstream!.buffering = word === 'yes'
}

function replaced(fields: Fields, index: number, value: string | null): string | null {
  return value === null ? null : `${fields.name(index)}: ${value}\r\n`
}

function warnOfDuplicate(r: Request, fields: Fields, index: number, name: string): void {
  const first = fields.indexOf(name, fields.hash(index))
  r.log(
    'warn',
    `upstream sent duplicate header line: "${fields.name(index)}: ${fields.value(index)}", ` +
      `previous value: "${fields.name(first)}: ${fields.value(first)}", ignored`,
  )
}
