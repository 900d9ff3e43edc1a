// `proxy_pass`: its argument taken apart and checked, and the URI a backend is asked for by it.

import type { BuildContext, Scope } from '../../../../shared/conf/build.ts'
import { LOCATION, type Setter } from '../../../../shared/conf/command.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { locationConf } from '../../../http/location-conf.ts'
import type { Request } from '../../../http/request.ts'
import { escapeUri } from '../../../http/uri.ts'
import type { UpstreamName } from '../../../upstream/states.ts'
import {
  parseUpstreamUrl,
  type Scheme,
  splitScheme,
  type UpstreamUrl,
  type UrlError,
} from '../../../upstream/url.ts'

/** The argument of `proxy_pass`, taken apart. */
export interface ProxyPass {
  /** As written. */
  url: string
  /** The whole URL where variables stand in it, else null. */
  value: ComplexValue | null
  /** null with variables. */
  target: PassTarget | null
  /** The URI part; null when there is none, or only a request tells. */
  uri: string | null
  /** What the location's prefix is, for replacing it; '' where it is none. */
  prefix: string
}

/** A whole URL that requests are passed to. */
export interface PassTarget extends UpstreamUrl {
  /** By TLS: `https://`. */
  readonly scheme: Scheme
}

/** Setter of `proxy_pass`. */
export function setProxyPass(...[directive, context]: Parameters<Setter>): ProxyPass {
  const url = directive.args[0]!
  const location = locationConf(context.scope.within(LOCATION)!)
  const { kind } = context.scope
  const byPrefix = kind === LOCATION && location.regex === null && location.modifier !== '@'
  if (kind === LOCATION && byPrefix) location.redirectSlash = location.pattern.endsWith('/')
  const prefix = byPrefix ? location.pattern : ''
  if (url.includes('$')) {
    return { url, value: compileValue(url, context), target: null, uri: null, prefix }
  }
  const target = parseConstant(url, context)
  if (target.uri !== '' && !byPrefix) {
    context.error(
      '"proxy_pass" cannot have URI part in location given by regular expression, ' +
        'or inside named location, or inside "if" statement, or inside "limit_except" block',
    )
  }
  return { url, value: null, target, uri: uriPart(target), prefix }
}

function parseConstant(url: string, context: BuildContext): PassTarget {
  const scheme = splitScheme(url, 'http') ?? context.error('invalid URL prefix')
  const target = parseUpstreamUrl(scheme.rest, scheme.defaultPort, true)
  if ('error' in target) context.error(`${target.error} in upstream "${scheme.rest}"`)
  return { ...target, scheme }
}

function uriPart({ uri }: UpstreamUrl): string | null {
  return uri === '' ? null : uri.startsWith('?') ? `/${uri}` : uri
}

/** A URL that variables gave; null when it is none, which is logged. */
export function evaluatePass(r: Request, value: ComplexValue): PassTarget | null {
  const url = value.evaluate(r)
  const scheme = splitScheme(url, 'http')
  if (scheme === null) {
    r.log('error', `invalid URL prefix in "${url}"`)
    return null
  }
  const target: UpstreamUrl | UrlError = parseUpstreamUrl(scheme.rest, scheme.defaultPort, true)
  if (!('error' in target)) return { ...target, scheme }
  r.log('error', `${target.error} in upstream "${scheme.rest}"`)
  return null
}

/** `$proxy_host` and `$proxy_port`. */
export function nameOf({ host, path, port, portText, scheme: { defaultPort } }: PassTarget): UpstreamName {
  if (path !== null) return { host: 'localhost', port: '' }
  const written = portText !== '' && port !== defaultPort
  return { host: written ? `${host}:${portText}` : host, port: written ? portText : String(defaultPort) }
}

/** nginx's rules: without a URI part the target goes on as it came; with one it takes the place of the prefix. */
export function requestUri(r: Request, uri: string | null, prefix: string): string {
  if (uri === null && r.targetValid) return r.client.target
  // A URI that `rewrite ... break` has made takes the place of the whole.
  const replaces = uri !== null && r.locationValid
  const rest = replaces ? r.uri.slice(prefix.length) : r.uri
  const path = (replaces ? uri : '') + (r.quoted || r.internal ? escapeUri(rest) : rest)
  return r.args === '' ? path : `${path}?${r.args}`
}

/** The URI part that variables gave goes on as it is: only what would break the request line is escaped. */
export function evaluatedUri(r: Request, target: UpstreamUrl): string {
  const uri = uriPart(target)
  if (uri === null) return requestUri(r, null, '')
  return /[\0-\x20\x7f]/.test(uri) ? uri.replace(/[\0-\x20\x7f]/g, percentEscape) : uri
}

function percentEscape(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** The pass in force in a scope: blocks within a location share its own unless they have another. */
export function passIn(
  scope: Scope,
  own: ProxyPass | undefined,
  outer: ProxyPass | undefined,
): ProxyPass | undefined {
  return own ?? (scope.kind === LOCATION ? undefined : outer)
}
