// What the proxy module's directives say where a request is: the merged fields of its command table.

import type { ComplexValue } from '../../../http/complex-value.ts'
import type { LocalBind } from '../../../upstream/local-address.ts'
import type { ProxyBufferingConf } from './buffering.ts'
import type { ProxyPass } from './pass.ts'
import type { ProxyPlan } from './plan.ts'
import type { ResponseConf } from './response-commands.ts'
import type { UpgradeMode } from './upgrade.ts'

export interface SetHeader {
  name: string
  value: ComplexValue
}

/** How fields of the levels around one are inherited: as nginx does, not at all, or besides its own. */
export type SetHeaderInherit = 'on' | 'off' | 'merge'

export interface ProxyConf extends ResponseConf, ProxyBufferingConf {
  proxyPass: ProxyPass | undefined
  proxyMethod: ComplexValue | undefined
  proxySetHeader: readonly SetHeader[]
  proxySetHeaderInherit: SetHeaderInherit
  proxyForwardedHeaders: boolean
  proxyPassRequestHeaders: boolean
  proxyPassRequestBody: boolean
  proxyRequestBuffering: boolean
  proxySetBody: ComplexValue | undefined
  /** HTTP/1.0, 1.1 and 2. */
  proxyHttpVersion: 0 | 1 | 2
  proxyUpgrade: UpgradeMode
  /** false: `off`. */
  proxyBind: LocalBind | false
  proxySocketKeepalive: boolean
  proxyConnectTimeout: number
  proxySendTimeout: number
  proxyReadTimeout: number
  proxyIgnoreClientAbort: boolean
  /** Bits of NEXT. */
  proxyNextUpstream: number
  proxyNextUpstreamTries: number
  proxyNextUpstreamTimeout: number
  /** Settled by `finish` where there is a proxyPass. */
  plan: ProxyPlan | null
}
