// Which requests may be answered with gzip: nginx's ngx_http_gzip_ok, and the directives it obeys. gunzip asks the same.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { type Command, HTTP_ANY, type Setter } from '../../../../shared/conf/command.ts'
import { bitmask, flag, oneOf } from '../../../../shared/conf/setters.ts'
import { parseHttpDate } from '../../../../shared/http-date.ts'
import { hashName } from '../../../http/fields.ts'
import { compileRegex, type Regex, RegexLimitError } from '../../../http/regex.ts'
import type { Request } from '../../../http/request.ts'
import { now } from '../../../tick.ts'
import { isMsie6 } from '../../user-agent.ts'
import { qualityOf } from './quality.ts'

export interface GzipOkConf {
  gzipVary: boolean
  /** Least minor version of HTTP/1. */
  gzipHttpVersion: number
  gzipProxied: number
  gzipDisable: Disable
}

/** What `gzip_disable` says of User-Agents. */
export interface Disable {
  /** undefined: this level does not say. */
  msie6: boolean | undefined
  regexes: readonly Regex[]
}

const PROXIED = {
  off: 1,
  expired: 2,
  'no-cache': 4,
  'no-store': 8,
  private: 16,
  no_last_modified: 32,
  no_etag: 64,
  auth: 128,
  any: 256,
}
const NOTHING: Disable = { msie6: false, regexes: [] }

export const gzipOkCommands: readonly Command[] = [
  { name: 'gzip_vary', in: HTTP_ANY, args: 1, set: flag(), default: false },
  { name: 'gzip_http_version', in: HTTP_ANY, args: 1, set: oneOf({ '1.0': 0, '1.1': 1 }), default: 1 },
  {
    name: 'gzip_proxied',
    in: HTTP_ANY,
    args: [1, Infinity],
    set: bitmask(PROXIED),
    repeat: true,
    default: PROXIED.off,
  },
  { name: 'gzip_disable', in: HTTP_ANY, args: [1, Infinity], set: disable, repeat: true, default: NOTHING },
]

function disable(...[directive, context, previous]: Parameters<Setter>): Disable {
  const { msie6, regexes } = (previous as Disable | undefined) ?? { msie6: undefined, regexes: [] }
  const patterns = directive.args.filter((word) => word !== 'msie6')
  return {
    msie6: patterns.length < directive.args.length ? true : msie6,
    regexes: [...regexes, ...patterns.map((pattern) => regexOf(pattern, context))],
  }
}

function regexOf(pattern: string, context: BuildContext): Regex {
  return compileRegex(pattern, true, context)
}

/** `msie6` holds for the levels within, whatever expressions these have. */
export function inheritMsie6(conf: GzipOkConf, outer: GzipOkConf | undefined): void {
  const { msie6, regexes } = conf.gzipDisable
  if (msie6 === undefined) conf.gzipDisable = { msie6: outer?.gzipDisable.msie6 ?? false, regexes }
}

const ACCEPT_ENCODING = hashName('accept-encoding')
const VIA = hashName('via')

/** The client's first `Accept-Encoding`; '' for none. */
export function acceptEncoding(r: Request): string {
  const index = r.fields.indexOf('accept-encoding', ACCEPT_ENCODING)
  return index < 0 ? '' : r.fields.value(index)
}

/** Whether the client of the request takes gzip, and is to get it. */
export function gzipOk(r: Request, conf: GzipOkConf): boolean {
  return qualityOf(acceptEncoding(r), 'gzip') > 0 && gzipAllowed(r, conf)
}

/** Whether a client that takes gzip is to get it. */
export function gzipAllowed(r: Request, conf: GzipOkConf): boolean {
  const { gzipDisable } = conf
  const { msie6, regexes } = gzipDisable
  const agent = msie6 || regexes.length > 0 ? r.fields.get('user-agent') : null
  if (msie6 && agent !== null && isMsie6(agent)) return false
  if (r.client.minor < conf.gzipHttpVersion) return false
  if (r.fields.indexOf('via', VIA) >= 0 && !proxiedOk(r, conf.gzipProxied)) return false
  return agent === null || !disabledFor(r, agent, regexes)
}

/** As with nginx, an expression that has to be given up refuses. */
function disabledFor(r: Request, agent: string, regexes: readonly Regex[]): boolean {
  try {
    return regexes.some((regex) => regex.exec(agent) !== null)
  } catch (error) {
    if (!(error instanceof RegexLimitError)) throw error
    r.log('alert', error.message)
    return true
  }
}

/** For requests that came by a proxy: one that keeps the response must not give it to others. */
function proxiedOk(r: Request, words: number): boolean {
  if (words & PROXIED.off) return false
  if (words & PROXIED.any) return true
  if (words & PROXIED.auth && r.fields.get('authorization') !== null) return true
  const { response } = r
  // As nginx: by what a backend or `expires` says.
  const expires = response.expiresAdded ? null : response.get('expires')
  if (expires !== null) return (words & PROXIED.expired) !== 0 && hasExpired(r, expires)
  const control = response.get('cache-control')
  if (control !== null) return uncached(response.lines, words)
  // As nginx: a file has none in this sense.
  if (words & PROXIED.no_last_modified && response.get('last-modified') !== null) return false
  return !(words & PROXIED.no_etag) || response.get('etag') === null
}

function hasExpired(r: Request, expires: string): boolean {
  const at = parseHttpDate(expires)
  if (at < 0) return false
  const { response } = r
  const sent = response.ownDate ? null : (response.get('date') ?? '')
  return at < (sent === null ? Math.floor(now() / 1000) : parseHttpDate(sent))
}

const CONTROL = /^cache-control: (.*)\r\n/gim
const WORDS = [
  [PROXIED['no-cache'], /(?:^|[;,]) *no-cache *(?:$|,)/i],
  [PROXIED['no-store'], /(?:^|[;,]) *no-store *(?:$|,)/i],
  [PROXIED.private, /(?:^|[;,]) *private *(?:$|,)/i],
] as const

function uncached(lines: string, words: number): boolean {
  for (const [, value = ''] of lines.matchAll(CONTROL)) {
    for (const [bit, word] of WORDS) if (words & bit && word.test(value)) return true
  }
  return false
}
