// `proxy_pass` and what shapes the request a backend gets and the response a client gets from it: the module and its
// directives. What each of them means is in the file named after it beside this one.

import { HTTP_ANY, IF_IN_LOCATION, LIMIT_EXCEPT, LOCATION } from '../../../../shared/conf/command.ts'
import { bitmask, oneOf, strings, time } from '../../../../shared/conf/setters.ts'
import { DONE, defineModule, type Module, type Result } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { Upstream } from '../../../upstream/upstream.ts'
import type { ProxyConf } from './conf.ts'
import { setCookieDomain, setCookieFlags, setCookiePath } from './cookies.ts'
import { type ProxyPass, setProxyPass } from './pass.ts'
import { ProxyPlan } from './plan.ts'
import { redirectRules, setRedirect } from './redirect.ts'
import { addSetHeader } from './request.ts'
import { IGNORABLE } from './response.ts'
import { OFF } from './rewrite.ts'
import { proxyVariables } from './variables.ts'

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
    { name: 'proxy_set_header', in: HTTP_ANY, args: 2, set: addSetHeader, repeat: true, default: [] },
    { name: 'proxy_http_version', in: HTTP_ANY, args: 1, set: oneOf({ '1.0': 0, '1.1': 1 }), default: 1 },
    // The response for the client.
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
    {
      name: 'proxy_redirect',
      in: HTTP_ANY,
      args: [1, 2],
      set: setRedirect((scope) => scope.own[proxy.index]?.proxyPass as ProxyPass | undefined),
      repeat: true,
      inherit: false,
    },
    {
      name: 'proxy_cookie_domain',
      in: HTTP_ANY,
      args: [1, 2],
      set: setCookieDomain,
      repeat: true,
      default: OFF,
    },
    { name: 'proxy_cookie_path', in: HTTP_ANY, args: [1, 2], set: setCookiePath, repeat: true, default: OFF },
    {
      name: 'proxy_cookie_flags',
      in: HTTP_ANY,
      args: [1, 4],
      set: setCookieFlags,
      repeat: true,
      default: OFF,
    },
    // The connection to the backend.
    { name: 'proxy_connect_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: 'proxy_send_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: 'proxy_read_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
  ],
  finish(conf, scope, context) {
    conf.redirects = redirectRules(conf.proxyRedirect, scope.parent?.conf(proxy).redirects, conf.proxyPass)
    conf.plan = conf.proxyPass === undefined ? null : new ProxyPlan(conf, conf.proxyPass, context)
  },
  variables: proxyVariables((r) => r.conf(proxy).plan?.group.name ?? null),
  phases: { content: { when: (conf) => conf.plan !== null, run: handleProxy } },
})

function handleProxy(r: Request): Result {
  const { plan, proxyHttpVersion } = r.conf(proxy)
  if (proxyHttpVersion === 0 && r.client.hasBody && r.client.contentLength < 0) {
    r.log(
      'error',
      'HTTP/1.0 to the backend has no chunks, and the client did not send the length of its body',
    )
    return 411
  }
  new Upstream(r, plan!.group, plan!, plan!.settings).start()
  return DONE
}
