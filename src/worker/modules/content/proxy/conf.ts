// What the proxy module's directives say where a request is: the merged fields of its command table.

import type { ComplexValue } from '../../../http/complex-value.ts'
import type { ProxyPass } from './pass.ts'
import type { ProxyPlan } from './plan.ts'

export interface SetHeader {
  name: string
  value: ComplexValue
}

export interface ProxyConf {
  proxyPass: ProxyPass | undefined
  proxySetHeader: readonly SetHeader[]
  proxyHideHeader: readonly string[]
  proxyHttpVersion: 0 | 1
  proxyConnectTimeout: number
  proxySendTimeout: number
  proxyReadTimeout: number
  /** Settled by `finish` where there is a proxyPass. */
  plan: ProxyPlan | null
}
