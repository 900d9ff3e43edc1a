// Directives about the response of a backend: which fields pass, and what is rewritten in them.

import type { Scope } from '../../../../shared/conf/build.ts'
import { type Command, HTTP_ANY } from '../../../../shared/conf/command.ts'
import { bitmask, flag, strings } from '../../../../shared/conf/setters.ts'
import { type FlagRule, setCookieDomain, setCookieFlags, setCookiePath } from './cookies.ts'
import type { ProxyPass } from './pass.ts'
import { setRedirect } from './redirect.ts'
import { OFF, type RewriteRule } from './rewrite.ts'

export interface ResponseConf {
  proxyHideHeader: readonly string[]
  proxyPassHeader: readonly string[]
  /** Bits of IGNORABLE. */
  proxyIgnoreHeaders: number
  proxyForceRanges: boolean
  proxyInterceptErrors: boolean
  proxyPassTrailers: boolean
  /** What this very level says; see `redirects`. */
  proxyRedirect: readonly RewriteRule[] | undefined
  proxyCookieDomain: readonly RewriteRule[]
  proxyCookiePath: readonly RewriteRule[]
  proxyCookieFlags: readonly FlagRule[]
  /** Settled by `finish`: the rules of `proxy_redirect` in force. */
  redirects: readonly RewriteRule[]
}

/** Words of `proxy_ignore_headers`, each a bit: fields of a backend that would have an effect here. */
export const IGNORABLE = {
  'x-accel-redirect': 1,
  'x-accel-expires': 2,
  'x-accel-limit-rate': 4,
  'x-accel-buffering': 8,
  'x-accel-charset': 16,
  expires: 32,
  'cache-control': 64,
  'set-cookie': 128,
  vary: 256,
}

/** `passOf` gives the `proxy_pass` that stands in a block, as far as it has been read. */
export function responseCommands(passOf: (scope: Scope) => ProxyPass | undefined): Command[] {
  const rules = { in: HTTP_ANY, args: [1, 2], repeat: true, default: OFF } as const
  return [
    { name: 'proxy_hide_header', in: HTTP_ANY, args: 1, set: strings(), repeat: true, default: [] },
    { name: 'proxy_pass_header', in: HTTP_ANY, args: 1, set: strings(), repeat: true, default: [] },
    {
      name: 'proxy_ignore_headers',
      in: HTTP_ANY,
      args: [1, Infinity],
      set: bitmask(IGNORABLE),
      repeat: true,
      default: 0,
    },
    { name: 'proxy_force_ranges', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'proxy_intercept_errors', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'proxy_pass_trailers', in: HTTP_ANY, args: 1, set: flag(), default: false },
    {
      name: 'proxy_redirect',
      in: HTTP_ANY,
      args: [1, 2],
      set: setRedirect(passOf),
      repeat: true,
      inherit: false,
    },
    { name: 'proxy_cookie_domain', ...rules, set: setCookieDomain },
    { name: 'proxy_cookie_path', ...rules, set: setCookiePath },
    { name: 'proxy_cookie_flags', ...rules, args: [1, 4], set: setCookieFlags },
  ]
}
