// `grpc_pass` and its directives: requests go to gRPC servers by HTTP/2, as they come, and so do the answers.

import type { Scope } from '../../../../shared/conf/build.ts'
import { HTTP_ANY, IF_IN_LOCATION, LOCATION } from '../../../../shared/conf/command.ts'
import type { Directive } from '../../../../shared/conf/directive.ts'
import { bitmask, flag, size, strings } from '../../../../shared/conf/setters.ts'
import { hasContent, readBody } from '../../../body/read-body.ts'
import { DONE, defineModule, type Module, type Result } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { connectionCommands, nextUpstreamCommands } from '../../../upstream/commands.ts'
import type { PeerGroup } from '../../../upstream/peers.ts'
import { Resolving } from '../../../upstream/resolving.ts'
import { enterUpstream } from '../../../upstream/states.ts'
import { upstreamTlsCommands } from '../../../upstream/tls/commands.ts'
import { Upstream } from '../../../upstream/upstream.ts'
import { proxy } from '../proxy/proxy.ts'
import { addSetHeader } from '../proxy/request.ts'
import { IGNORABLE } from '../proxy/response-commands.ts'
import type { GrpcConf } from './conf.ts'
import { evaluateGrpcPass, lacksPort, setGrpcPass } from './pass.ts'
import { GrpcPlan, GrpcProtocol } from './plan.ts'

export const grpc: Module<GrpcConf> = defineModule<GrpcConf>({
  name: 'grpc',
  commands: [
    { name: 'grpc_pass', in: LOCATION | IF_IN_LOCATION, args: 1, set: setGrpcPass, inherit: false },
    // The request for the backend.
    { name: 'grpc_set_header', in: HTTP_ANY, args: 2, set: addSetHeader, repeat: true, default: [] },
    // The response for the client.
    { name: 'grpc_hide_header', in: HTTP_ANY, args: 1, set: strings(), repeat: true, default: [] },
    { name: 'grpc_pass_header', in: HTTP_ANY, args: 1, set: strings(), repeat: true, default: [] },
    {
      name: 'grpc_ignore_headers',
      in: HTTP_ANY,
      args: [1, Infinity],
      set: bitmask(IGNORABLE),
      repeat: true,
      default: 0,
    },
    { name: 'grpc_intercept_errors', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'grpc_buffer_size', in: HTTP_ANY, args: 1, set: size(), default: 4096 },
    // The connection to the backend.
    ...connectionCommands('grpc'),
    ...upstreamTlsCommands('grpc'),
    // When it fails.
    ...nextUpstreamCommands('grpc'),
  ],
  finish(conf, scope, context) {
    // Blocks within a location share its own unless they have another.
    if (scope.kind !== LOCATION) conf.grpcPass ??= scope.parent?.conf(grpc).grpcPass
    const passes = lastPass(scope)
    if (passes === 'proxy_pass') conf.grpcPass = undefined
    if (passes === 'grpc_pass') Object.assign(scope.conf(proxy), { proxyPass: undefined, plan: null })
    context.directive = scope.directive?.block?.find(({ name }) => name === 'grpc_pass') ?? context.directive
    conf.plan = conf.grpcPass === undefined ? null : new GrpcPlan(conf, conf.grpcPass, context)
  },
  contentHandler: { when: (conf) => conf.plan !== null, run: handleGrpc },
})

/** What a block itself says last of where requests go, which counts, as in nginx; undefined: nothing. */
function lastPass(scope: Scope): string | undefined {
  const isPass = ({ name }: Directive) => name === 'grpc_pass' || name === 'proxy_pass'
  return scope.directive?.block?.findLast(isPass)?.name
}

function handleGrpc(r: Request): Result | Promise<Result> {
  const plan = r.conf(grpc).plan!
  const { fixed } = plan
  if (fixed === null) return passEvaluated(r, plan)
  enterUpstream(r, fixed.protocol)
  return hasContent(r) ? readBody(r, true, pass) : pass(r)
}

function pass(r: Request): Result {
  const { fixed, settings } = r.conf(grpc).plan!
  new Upstream(r, fixed!.group, fixed!.protocol, settings).start()
  return DONE
}

/** `grpc_pass` with variables. */
function passEvaluated(r: Request, plan: GrpcPlan): Result | Promise<Result> {
  const target = evaluateGrpcPass(r, plan.pass.value!)
  if (target === null) return 500
  if (lacksPort(target) && !plan.groups.has(target)) {
    r.log('error', `no port in upstream "${target.host}"`)
    return 500
  }
  const protocol = new GrpcProtocol(plan, target)
  enterUpstream(r, protocol)
  const start = (group: PeerGroup) => new Upstream(r, group, protocol, plan.settings).start()
  const find = (): Result => {
    const group = plan.groups.find(target)
    if (group !== null) start(group)
    else new Resolving(r, target, start).start(plan.groups)
    return DONE
  }
  return hasContent(r) ? readBody(r, true, find) : find()
}
