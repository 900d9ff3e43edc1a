// `proxy_pass`: its argument taken apart and checked, and the URI a backend is asked for by it.

import { LOCATION, type Setter } from '../../../../shared/conf/command.ts'
import { locationConf } from '../../../http/location-conf.ts'
import type { Request } from '../../../http/request.ts'
import { escapeUri } from '../../../http/uri.ts'

/** The argument of `proxy_pass`, taken apart. */
export interface ProxyPass {
  /** Host and port as written, or `unix:PATH`: the upstream's name, `$proxy_host`. */
  address: string
  /** The URI part; null when there is none. */
  uri: string | null
  /** What the location's prefix is, for replacing it. */
  prefix: string
}

/** Setter of `proxy_pass`. */
export function setProxyPass(...[directive, context]: Parameters<Setter>): ProxyPass {
  const url = directive.args[0]!
  if (url.includes('$')) context.error('variables in "proxy_pass" are not supported by weir yet')
  if (url.startsWith('https://')) context.error('"https://" in "proxy_pass" is not supported by weir yet')
  if (!url.startsWith('http://')) context.error('invalid URL prefix')
  const { address, uri } = splitUrl(url.slice(7))
  if (address === '') context.error(`no host in upstream "${url.slice(7)}"`)
  const location = locationConf(context.scope.within(LOCATION)!)
  const matchesByPrefix =
    location.regex === null && location.modifier !== '@' && context.scope.kind === LOCATION
  if (uri !== null && !matchesByPrefix) {
    context.error(
      '"proxy_pass" cannot have URI part in location given by regular expression, ' +
        'or inside named location, or inside "if" statement, or inside "limit_except" block',
    )
  }
  location.redirectSlash =
    location.regex === null && location.pattern.endsWith('/') && location.modifier !== '@'
  return { address, uri, prefix: location.pattern }
}

/** `host:port/uri` or `unix:/path:/uri`. */
function splitUrl(rest: string): { address: string; uri: string | null } {
  if (rest.startsWith('unix:')) {
    const colon = rest.indexOf(':', 5)
    if (colon < 0) return { address: rest, uri: null }
    return { address: rest.slice(0, colon), uri: rest.slice(colon + 1) || null }
  }
  const slash = rest.search(/[/?]/)
  if (slash < 0) return { address: rest, uri: null }
  const uri = rest.slice(slash)
  return { address: rest.slice(0, slash), uri: uri.startsWith('?') ? `/${uri}` : uri }
}

/** nginx's rules: without a URI part the target goes on as it came; with one it takes the place of the prefix. */
export function requestUri(r: Request, { uri, prefix }: ProxyPass): string {
  if (uri === null && r.targetValid) return r.client.target
  const rest = r.uri.slice(uri === null ? 0 : prefix.length)
  const path = (uri ?? '') + (r.quoted ? escapeUri(rest) : rest)
  return r.args === '' ? path : `${path}?${r.args}`
}
