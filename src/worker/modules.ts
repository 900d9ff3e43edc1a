// THE list of modules. Its order is the order handlers of one phase are asked in, filters run in, and logs are written
// in; the master checks configurations against the same list.

import type { ConfModule } from '../shared/conf/build.ts'
import { core } from '../shared/core.ts'
import type { Module } from './http/module.ts'
import { useVariables } from './http/variables.ts'
import { proxy } from './modules/content/proxy/proxy.ts'
import { clientHead } from './modules/client-head.ts'
import { clientConnection } from './modules/connection.ts'
import { coreHttp } from './modules/core.ts'
import { headers } from './modules/filter/headers.ts'
import { log } from './modules/log.ts'
import { proxyProtocol } from './modules/proxy-protocol.ts'
import { redirects } from './modules/redirects.ts'
import { map } from './modules/rewrite/map.ts'
import { realIp } from './modules/rewrite/realip.ts'
import { returnModule } from './modules/rewrite/return.ts'
import { upstreamBlock } from './upstream/upstream-block.ts'

/** Modules that take part in requests. */
export const httpModules: readonly Module[] = [
  coreHttp,
  clientConnection,
  clientHead,
  redirects,
  proxyProtocol,
  map,
  realIp,
  upstreamBlock,
  returnModule,
  proxy,
  headers,
  log,
] as Module[]

/** All modules, as conf/build.ts takes them. */
export const modules: readonly ConfModule[] = [core as ConfModule, ...httpModules]

useVariables(httpModules)
