// `proxy_pass` and what shapes the request a backend gets and the response a client gets from it: the module and its
// directives. What each of them means is in the file named after it beside this one.

import { HTTP, HTTP_ANY, IF_IN_LOCATION, LIMIT_EXCEPT, LOCATION } from '../../../../shared/conf/command.ts'
import { flag, number, oneOf } from '../../../../shared/conf/setters.ts'
import { hasContent, readBody } from '../../../body/read-body.ts'
import { DONE, defineModule, type Module, type Result } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { connectionCommands, nextUpstreamCommands } from '../../../upstream/commands.ts'
import type { PeerGroup } from '../../../upstream/peers.ts'
import { Resolving } from '../../../upstream/resolving.ts'
import { enterUpstream } from '../../../upstream/states.ts'
import { upstreamTlsCommands } from '../../../upstream/tls/commands.ts'
import { Upstream } from '../../../upstream/upstream.ts'
import { bufferingCommands, checkBufferSizes } from './buffering.ts'
import type { ProxyConf, SetHeaderInherit } from './conf.ts'
import { evaluatePass, type ProxyPass, passIn, setProxyPass } from './pass.ts'
import { EvaluatedProtocol, ProxyPlan } from './plan.ts'
import { redirectRules } from './redirect.ts'
import { addSetHeader, complexValue, inheritedHeaders, ownHeaders } from './request.ts'
import { responseCommands } from './response-commands.ts'
import type { UpgradeMode } from './upgrade.ts'
import { proxyFamilies, proxyVariables } from './variables.ts'

const INHERIT = oneOf<SetHeaderInherit>({ on: 'on', off: 'off', merge: 'merge' })
const HTTP_VERSION = oneOf<0 | 1 | 2>({ '1.0': 0, '1.1': 1, '2': 2 })
const UPGRADE = oneOf<UpgradeMode>({ auto: 'auto', off: 'off' })
const NO_HASH = 'header names are kept in a table that grows by itself'

export const proxy: Module<ProxyConf> = defineModule<ProxyConf>({
  name: 'proxy',
  commands: [
    {
      name: 'proxy_pass',
      in: LOCATION | IF_IN_LOCATION | LIMIT_EXCEPT,
      args: 1,
      set: setProxyPass,
      inherit: false,
    },
    // The request for the backend.
    { name: 'proxy_http_version', in: HTTP_ANY, args: 1, set: HTTP_VERSION, default: 1 },
    { name: 'proxy_upgrade', in: HTTP_ANY, args: 1, set: UPGRADE, default: 'auto' },
    { name: 'proxy_method', in: HTTP_ANY, args: 1, set: complexValue },
    { name: 'proxy_set_header', in: HTTP_ANY, args: 2, set: addSetHeader, repeat: true, default: [] },
    { name: 'proxy_set_header_inherit', in: HTTP_ANY, args: 1, set: INHERIT, default: 'on' },
    { name: 'proxy_forwarded_headers', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'proxy_headers_hash_max_size', in: HTTP_ANY, args: 1, set: number(), noEffect: NO_HASH },
    { name: 'proxy_headers_hash_bucket_size', in: HTTP_ANY, args: 1, set: number(), noEffect: NO_HASH },
    { name: 'proxy_pass_request_headers', in: HTTP_ANY, args: 1, set: flag(), default: true },
    { name: 'proxy_pass_request_body', in: HTTP_ANY, args: 1, set: flag(), default: true },
    { name: 'proxy_request_buffering', in: HTTP_ANY, args: 1, set: flag(), default: true },
    { name: 'proxy_set_body', in: HTTP_ANY, args: 1, set: complexValue },
    // The response for the client.
    ...responseCommands((scope) => scope.own[proxy.index]?.proxyPass as ProxyPass | undefined),
    ...bufferingCommands,
    // The connection to the backend.
    ...connectionCommands('proxy'),
    ...upstreamTlsCommands('proxy'),
    // When it fails.
    { name: 'proxy_ignore_client_abort', in: HTTP_ANY, args: 1, set: flag(), default: false },
    ...nextUpstreamCommands('proxy'),
  ],
  finish(conf, scope, context) {
    const outer = scope.parent?.conf(proxy)
    conf.proxyPass = passIn(scope, conf.proxyPass, outer?.proxyPass)
    conf.proxySetHeader = inheritedHeaders(conf, ownHeaders(scope, proxy.index), outer?.proxySetHeader)
    conf.redirects = redirectRules(conf.proxyRedirect, outer?.redirects, conf.proxyPass)
    // What is wrong with the backend is wrong there, not where the location begins.
    context.directive = scope.directive?.block?.find(({ name }) => name === 'proxy_pass') ?? context.directive
    if (scope.kind !== HTTP) checkBufferSizes(conf, context)
    conf.plan = conf.proxyPass === undefined ? null : new ProxyPlan(conf, conf.proxyPass, context)
  },
  variables: proxyVariables,
  families: proxyFamilies,
  contentHandler: { when: (conf) => conf.plan !== null, run: handleProxy },
})

function handleProxy(r: Request): Result | Promise<Result> {
  const plan = r.conf(proxy).plan!
  const { fixed } = plan
  if (fixed === null) return passEvaluated(r, plan)
  enterUpstream(r, fixed.protocol)
  return hasContent(r) ? readBody(r, streams(r, plan), pass) : pass(r)
}

function pass(r: Request): Result {
  const { fixed, settings } = r.conf(proxy).plan!
  new Upstream(r, fixed!.group, fixed!.protocol, settings).start()
  return DONE
}

/** As nginx, what has no length waits for it where the backend knows no chunks. */
function streams(r: Request, plan: ProxyPlan): boolean {
  return r.client.contentLength < 0 ? plan.streamsChunks : plan.streams
}

/** `proxy_pass` with variables. */
function passEvaluated(r: Request, plan: ProxyPlan): Result | Promise<Result> {
  const target = evaluatePass(r, plan.pass.value!)
  if (target === null) return 500
  const protocol = new EvaluatedProtocol(plan, target)
  enterUpstream(r, protocol)
  const start = (group: PeerGroup) => new Upstream(r, group, protocol, plan.settings).start()
  const find = (): Result => {
    const group = plan.groups.find(target)
    if (group !== null) start(group)
    else new Resolving(r, target, start).start(plan.groups)
    return DONE
  }
  return hasContent(r) ? readBody(r, streams(r, plan), find) : find()
}
