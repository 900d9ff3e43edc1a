// THE list of modules. Its order is the order handlers of one phase are asked in, filters run in, and logs are written
// in; the master checks configurations against the same list.

import type { ConfModule } from '../shared/conf/build.ts'
import { core } from '../shared/core.ts'
import { requestBody } from './body/body-conf.ts'
import type { Module } from './http/module.ts'
import { useVariables } from './http/variables.ts'
import { access } from './modules/access/access.ts'
import { authBasic } from './modules/access/auth-basic.ts'
import { authRequest } from './modules/access/auth-request.ts'
import { limitExcept } from './modules/access/limit-except.ts'
import { satisfy } from './modules/access/satisfy.ts'
import { clientHead } from './modules/client-head.ts'
import { clientConnection } from './modules/connection.ts'
import { grpc } from './modules/content/grpc/grpc.ts'
import { proxy } from './modules/content/proxy/proxy.ts'
import { autoindex } from './modules/content/static/autoindex.ts'
import { index } from './modules/content/static/index.ts'
import { openFileCache } from './modules/content/static/open-file-cache.ts'
import { paths } from './modules/content/static/path.ts'
import { precompressed } from './modules/content/static/precompressed.ts'
import { staticFiles } from './modules/content/static/static.ts'
import { tryFiles } from './modules/content/static/try-files.ts'
import { coreHttp } from './modules/core.ts'
import { earlyHints } from './modules/early-hints.ts'
import { errorPages } from './modules/error-page.ts'
import { charset } from './modules/filter/charset.ts'
import { brotli } from './modules/filter/compress/brotli.ts'
import { compress } from './modules/filter/compress/compress.ts'
import { gzip } from './modules/filter/compress/gzip.ts'
import { zstd } from './modules/filter/compress/zstd.ts'
import { expires } from './modules/filter/expires.ts'
import { gunzip } from './modules/filter/gunzip.ts'
import { headers } from './modules/filter/headers.ts'
import { limitRate } from './modules/filter/limit-rate.ts'
import { notModified } from './modules/filter/not-modified.ts'
import { range } from './modules/filter/range.ts'
import { http2Switch } from './modules/http2.ts'
import { internal } from './modules/internal.ts'
import { log } from './modules/log.ts'
import { msie } from './modules/msie.ts'
import { proxyProtocol } from './modules/proxy-protocol.ts'
import { redirects } from './modules/redirects.ts'
import { map } from './modules/rewrite/map.ts'
import { realIp } from './modules/rewrite/realip.ts'
import { rewrite } from './modules/rewrite/rewrite.ts'
import { sessionCache } from './modules/ssl/session-cache.ts'
import { ssl } from './modules/ssl/ssl.ts'
import { stapling } from './modules/ssl/staples.ts'
import { sslVariables } from './modules/ssl/variables.ts'
import { verifyClient } from './modules/ssl/verify-client.ts'
import { healthCheck } from './upstream/health/health-check.ts'
import { resolverDirectives } from './upstream/resolver-conf.ts'
import { upstreamBlock } from './upstream/upstream-block.ts'

/** Modules that take part in requests. */
export const httpModules: readonly Module[] = [
  coreHttp,
  clientConnection,
  clientHead,
  http2Switch,
  verifyClient,
  sessionCache,
  stapling,
  ssl,
  sslVariables,
  requestBody,
  paths,
  openFileCache,
  redirects,
  internal,
  limitExcept,
  satisfy,
  errorPages,
  earlyHints,
  msie,
  proxyProtocol,
  map,
  realIp,
  resolverDirectives,
  upstreamBlock,
  rewrite,
  access,
  authBasic,
  authRequest,
  tryFiles,
  index,
  autoindex,
  proxy,
  grpc,
  healthCheck,
  precompressed,
  staticFiles,
  notModified,
  expires,
  headers,
  charset,
  gunzip,
  gzip,
  brotli,
  zstd,
  compress,
  range,
  limitRate,
  log,
] as Module[]

/** All modules, as conf/build.ts takes them. */
export const modules: readonly ConfModule[] = [core as ConfModule, ...httpModules]

useVariables(httpModules)
