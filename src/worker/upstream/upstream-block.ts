// `upstream {}`: its servers and keepalive, and the groups that `proxy_pass` finds by name.

import type { BuildContext, Scope } from '../../shared/conf/build.ts'
import { HTTP, type Setter, UPSTREAM } from '../../shared/conf/command.ts'
import type { Directive } from '../../shared/conf/directive.ts'
import { number, time } from '../../shared/conf/setters.ts'
import { defineModule } from '../http/module.ts'
import { RoundRobin } from './balance/round-robin.ts'
import { DEFAULT_KEEPALIVE, GROUP_ZONE_BYTES, type Peer, PeerGroup } from './peers.ts'
import { groupKey, peersOf, RuntimeGroups } from './runtime-groups.ts'
import { parseUpstreamUrl, type UpstreamUrl } from './url.ts'

interface ServerLine {
  /** As written, to be resolved when the block is complete. */
  address: string
  weight: number
  directive: Directive
}

interface UpstreamConf {
  server: ServerLine[] | undefined
  keepalive: number
  keepaliveRequests: number
  keepaliveTime: number
  keepaliveTimeout: number
}

/** `server` parameters of nginx that belong to failure handling and discovery. */
const LATER = /^(max_conns|max_fails|fail_timeout|slow_start|service|route)=|^(backup|down|drain|resolve)$/

export const upstreamBlock = defineModule<UpstreamConf>({
  name: 'upstream',
  commands: [
    { name: 'upstream', in: HTTP, args: 1, block: UPSTREAM, repeat: true, inherit: false, set: openUpstream },
    { name: 'server', in: UPSTREAM, args: [1, Infinity], repeat: true, set: addServer },
    {
      name: 'keepalive',
      in: UPSTREAM,
      args: [1, 2],
      set: setKeepalive,
      default: DEFAULT_KEEPALIVE.connections,
    },
    {
      name: 'keepalive_requests',
      in: UPSTREAM,
      args: 1,
      set: number(1),
      default: DEFAULT_KEEPALIVE.requests,
    },
    { name: 'keepalive_time', in: UPSTREAM, args: 1, set: time(), default: DEFAULT_KEEPALIVE.time },
    { name: 'keepalive_timeout', in: UPSTREAM, args: 1, set: time(), default: DEFAULT_KEEPALIVE.timeout },
  ],
  finish(conf, scope, context) {
    if (scope.kind === UPSTREAM) addGroup(conf, scope, context)
  },
})

function openUpstream(...[directive, context]: Parameters<Setter>): string {
  const name = directive.args[0]!
  const twin = context.scope.parent!.children.find(
    (scope) =>
      scope !== context.scope &&
      scope.kind === UPSTREAM &&
      scope.directive!.args[0]!.toLowerCase() === name.toLowerCase(),
  )
  if (twin !== undefined) context.error(`duplicate upstream "${name}"`)
  return name
}

function addServer(...[directive, context, previous]: Parameters<Setter>): ServerLine[] {
  const [address, ...parameters] = directive.args as [string, ...string[]]
  let weight = 1
  for (const parameter of parameters) {
    const match = /^weight=([1-9]\d{0,8})$/.exec(parameter)
    if (match !== null) weight = Number(match[1])
    else if (LATER.test(parameter)) {
      const name = parameter.split('=')[0]
      context.error(`the "${name}" parameter of the "server" directive is not supported by weir yet`)
    } else context.error(`invalid parameter "${parameter}"`)
  }
  return [...((previous as ServerLine[] | undefined) ?? []), { address, weight, directive }]
}

function setKeepalive(...[directive, context]: Parameters<Setter>): number {
  const [text, local] = directive.args as [string, string | undefined]
  if (!/^\d{1,9}$/.test(text)) context.error(`invalid value "${text}" in "keepalive" directive`)
  if (local !== undefined && local !== 'local') context.error(`invalid parameter "${local}"`)
  return Number(text)
}

/** Groups of one configuration. */
interface Groups {
  /** Of upstream{} blocks by name in lower case, of hosts named directly as `groupKey` names them. */
  byName: Map<string, PeerGroup>
  runtime: RuntimeGroups
}

const groups = new WeakMap<BuildContext, Groups>()

function groupsOf(context: BuildContext): Groups {
  let entry = groups.get(context)
  if (entry === undefined) {
    const byName = new Map<string, PeerGroup>()
    groups.set(context, (entry = { byName, runtime: new RuntimeGroups(byName) }))
  }
  return entry
}

/** All groups of upstream{} blocks and of hosts named directly, and those of names that only requests bring up. */
export function allGroups(context: BuildContext): Iterable<PeerGroup | RuntimeGroups> {
  const { byName, runtime } = groupsOf(context)
  return [...byName.values(), runtime]
}

/** The groups that variables lead to. */
export function runtimeGroups(context: BuildContext): RuntimeGroups {
  return groupsOf(context).runtime
}

function addGroup(conf: UpstreamConf, scope: Scope, context: BuildContext): void {
  const name = scope.directive!.args[0]!
  if (conf.server === undefined) context.error('no servers are inside upstream')
  const peers = conf.server.flatMap(({ address, weight, directive }) => {
    context.directive = directive
    const url = parseUpstreamUrl(address, 80, false)
    if ('error' in url) context.error(`${url.error} in upstream "${address}"`)
    return resolvePeers(url, weight, context)
  })
  context.directive = scope.directive
  const keepalive = {
    connections: conf.keepalive,
    requests: conf.keepaliveRequests,
    time: conf.keepaliveTime,
    timeout: conf.keepaliveTimeout,
  }
  groupsOf(context).byName.set(name.toLowerCase(), makeGroup(name, peers, keepalive, context))
}

function makeGroup(
  name: string,
  peers: Peer[],
  keepalive: typeof DEFAULT_KEEPALIVE,
  context: BuildContext,
): PeerGroup {
  const zone = context.zone(`upstream ${name}`, GROUP_ZONE_BYTES)
  return new PeerGroup(name, peers, new RoundRobin(peers, zone), keepalive)
}

/** The group that `url` of a `proxy_pass` names: an upstream, or a host of its own. */
export function findGroup(url: UpstreamUrl, context: BuildContext): PeerGroup {
  const { byName } = groupsOf(context)
  const block = byName.get(url.key)
  if (block !== undefined) {
    if (url.portText !== '') context.error(`upstream "${url.host}" may not have port ${url.port}`)
    return block
  }
  const key = groupKey(url)
  const existing = byName.get(key)
  if (existing !== undefined) return existing
  const group = makeGroup(key, resolvePeers(url, 1, context), DEFAULT_KEEPALIVE, context)
  byName.set(key, group)
  return group
}

function resolvePeers(url: UpstreamUrl, weight: number, context: BuildContext): Peer[] {
  const { host, ip, path } = url
  return peersOf(url, path !== null ? [] : ip !== null ? [ip] : context.resolve(host), weight)
}
