// `upstream {}`: its servers and keepalive, and the groups that `proxy_pass` finds by name.

import type { BuildContext, Scope } from '../../shared/conf/build.ts'
import { type Command, fieldName, HTTP, type Setter, UPSTREAM } from '../../shared/conf/command.ts'
import type { Directive } from '../../shared/conf/directive.ts'
import { number, time } from '../../shared/conf/setters.ts'
import { PeerZone, zoneBytes, zoneSlots } from '../../shared/peer-zone.ts'
import { defineModule } from '../http/module.ts'
import type { MakeBalancer } from './balance/balancer.ts'
import { type BalancingMethod, methods } from './balance/methods.ts'
import { roundRobin } from './balance/round-robin.ts'
import type { IdleConnections } from './keepalive.ts'
import { type ConfiguredPeer, DEFAULT_KEEPALIVE, DEFAULT_PEER, PeerGroup, type PeerOptions } from './peers.ts'
import { resolverOf } from './resolver-conf.ts'
import { groupKey, peersOf, RuntimeGroups, runtimeIdle } from './runtime-groups.ts'
import { readServer, type ServerLine } from './server-line.ts'
import { parseUpstreamUrl, type UpstreamUrl } from './url.ts'

interface UpstreamConf {
  server: ServerLine[] | undefined
  keepalive: number
  keepaliveRequests: number
  keepaliveTime: number
  keepaliveTimeout: number
}

export const upstreamBlock = defineModule<UpstreamConf>({
  name: 'upstream',
  commands: [
    { name: 'upstream', in: HTTP, args: 1, block: UPSTREAM, repeat: true, inherit: false, set: openUpstream },
    { name: 'server', in: UPSTREAM, args: [1, Infinity], repeat: true, set: addServer },
    ...methods.map(
      ({ name, args, once, make }): Command => ({
        name,
        in: UPSTREAM,
        args,
        repeat: once !== true,
        set: (directive, context) => {
          if (methodOf(context.scope, directive) !== null) context.warn('load balancing method redefined')
          return make(directive, context)
        },
      }),
    ),
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
  const without = methodOf(context.scope, directive)?.without ?? []
  return [...((previous as ServerLine[] | undefined) ?? []), readServer(directive, context, without)]
}

/** The method an upstream{} block has chosen, before the directive `end` or at all; null for round robin. */
function methodOf(scope: Scope, end: Directive | null): BalancingMethod | null {
  const block = scope.directive!.block!
  const before = end === null ? block : block.slice(0, block.indexOf(end))
  for (const { name } of before.toReversed()) {
    const method = methods.find((candidate) => candidate.name === name)
    if (method !== undefined) return method
  }
  return null
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
  /** By the resolver's settings. */
  runtime: Map<string, RuntimeGroups>
  runtimeIdle: IdleConnections
}

const groups = new WeakMap<BuildContext, Groups>()

function groupsOf(context: BuildContext): Groups {
  let entry = groups.get(context)
  if (entry === undefined) {
    entry = { byName: new Map(), runtime: new Map(), runtimeIdle: runtimeIdle() }
    groups.set(context, entry)
  }
  return entry
}

/** All groups of upstream{} blocks and of hosts named directly, and those of names that only requests bring up. */
export function allGroups(context: BuildContext): Iterable<PeerGroup | RuntimeGroups> {
  const { byName, runtime } = groupsOf(context)
  return [...byName.values(), ...runtime.values()]
}

/** The groups that variables lead to. */
export function runtimeGroups(context: BuildContext): RuntimeGroups {
  const { byName, runtime, runtimeIdle } = groupsOf(context)
  const settings = resolverOf(context.scope)
  const key = JSON.stringify(settings)
  let found = runtime.get(key)
  if (found === undefined) runtime.set(key, (found = new RuntimeGroups(byName, settings, runtimeIdle)))
  return found
}

function addGroup(conf: UpstreamConf, scope: Scope, context: BuildContext): void {
  const name = scope.directive!.args[0]!
  if (conf.server === undefined) context.error('no servers are inside upstream')
  const peers = conf.server.flatMap(({ address, options, directive }) => {
    context.directive = directive
    const url = parseUpstreamUrl(address, 80, false)
    if ('error' in url) context.error(`${url.error} in upstream "${address}"`)
    return resolvePeers(url, { ...options, server: address }, context)
  })
  context.directive = scope.directive
  if (conf.server.every(({ options }) => options.backup)) context.error(`no servers in upstream "${name}"`)
  const keepalive = {
    connections: conf.keepalive,
    requests: conf.keepaliveRequests,
    time: conf.keepaliveTime,
    timeout: conf.keepaliveTimeout,
  }
  const chosen = methodOf(scope, null)
  const method =
    chosen === null ? roundRobin : (conf as unknown as Record<string, MakeBalancer>)[fieldName(chosen.name)]!
  const zone = zoneOf(name, zoneSlots(peers.length), context)
  groupsOf(context).byName.set(name.toLowerCase(), new PeerGroup({ name, peers, method, zone, keepalive }))
}

function zoneOf(name: string, slots: number, context: BuildContext): (worker: number) => PeerZone {
  const memory = context.zone(`upstream ${name}`, zoneBytes(slots))
  return (worker) => new PeerZone(memory, slots, worker)
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
  const peers = resolvePeers(url, { ...DEFAULT_PEER, server: url.host }, context)
  const zone = zoneOf(key, peers.length, context)
  const group = new PeerGroup({ name: key, peers, method: roundRobin, zone, keepalive: DEFAULT_KEEPALIVE })
  byName.set(key, group)
  return group
}

function resolvePeers(
  url: UpstreamUrl,
  options: PeerOptions & { server: string },
  context: BuildContext,
): ConfiguredPeer[] {
  const { host, ip, path } = url
  return peersOf(url, path !== null ? [] : ip !== null ? [ip] : context.resolve(host), options)
}
