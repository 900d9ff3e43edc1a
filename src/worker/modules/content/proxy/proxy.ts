// `proxy_pass` and what shapes the request a backend gets and the response a client gets from it: the module and its
// directives. What each of them means is in the file named after it beside this one.

import { HTTP_ANY, IF_IN_LOCATION, LIMIT_EXCEPT, LOCATION } from '../../../../shared/conf/command.ts'
import { oneOf, time } from '../../../../shared/conf/setters.ts'
import { DONE, defineModule, type Module, type Result } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { Upstream } from '../../../upstream/upstream.ts'
import type { ProxyConf } from './conf.ts'
import { setProxyPass } from './pass.ts'
import { ProxyPlan } from './plan.ts'
import { addSetHeader } from './request.ts'
import { addName } from './response.ts'
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
    { name: 'proxy_hide_header', in: HTTP_ANY, args: 1, set: addName, repeat: true, default: [] },
    // The connection to the backend.
    { name: 'proxy_connect_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: 'proxy_send_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: 'proxy_read_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
  ],
  finish(conf, _scope, context) {
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
