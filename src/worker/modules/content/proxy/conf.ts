// What the proxy module's directives say where a request is: the merged fields of its command table.

import type { ComplexValue } from '../../../http/complex-value.ts'
import type { LocalBind } from '../../../upstream/local-address.ts'
import type { FlagRule } from './cookies.ts'
import type { ProxyPass } from './pass.ts'
import type { ProxyPlan } from './plan.ts'
import type { ResponseConf } from './response-commands.ts'
import type { RewriteRule } from './rewrite.ts'

export interface SetHeader {
  name: string
  value: ComplexValue
}

/** How fields of the levels around one are inherited: as nginx does, not at all, or besides its own. */
export type SetHeaderInherit = 'on' | 'off' | 'merge'

export interface ProxyConf extends ResponseConf {
  proxyPass: ProxyPass | undefined
  proxyMethod: ComplexValue | undefined
  proxySetHeader: readonly SetHeader[]
  proxySetHeaderInherit: SetHeaderInherit
  proxyForwardedHeaders: boolean
  proxyPassRequestHeaders: boolean
  proxyPassRequestBody: boolean
  proxySetBody: ComplexValue | undefined
  proxyPassHeader: readonly string[]
  proxyIgnoreHeaders: number
  proxyRedirect: readonly RewriteRule[] | undefined
  proxyCookieDomain: readonly RewriteRule[]
  proxyCookiePath: readonly RewriteRule[]
  proxyCookieFlags: readonly FlagRule[]
  proxyHttpVersion: 0 | 1
  /** false: `off`. */
  proxyBind: LocalBind | false
  proxySocketKeepalive: boolean
  proxyConnectTimeout: number
  proxySendTimeout: number
  proxyReadTimeout: number
  /** Settled by `finish`: the rules of `proxy_redirect` in force. */
  redirects: readonly RewriteRule[]
  /** Settled by `finish` where there is a proxyPass. */
  plan: ProxyPlan | null
}
