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
import { keepLive, peersFrom, type ServerSource, serverSource, slotsFor } from './live-servers.ts'
import { DEFAULT_KEEPALIVE, DEFAULT_PEER, PeerGroup } from './peers.ts'
import { isNeeded, resolverOf } from './resolver-conf.ts'
import { groupKey, RuntimeGroups, runtimeIdle } from './runtime-groups.ts'
import { readServer, type ServerLine } from './server-line.ts'
import type { Stickiness } from './sticky/stickiness.ts'
import { setSticky } from './sticky/sticky-conf.ts'
import { StickyGroup } from './sticky/sticky-group.ts'
import { parseUpstreamUrl, type UpstreamUrl } from './url.ts'
import { setZone, zoneRoom } from './zone-conf.ts'

interface UpstreamConf {
  /** Name of the zone; undefined: none is named. */
  zone: string | undefined
  server: ServerLine[] | undefined
  sticky: Stickiness | undefined
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
          const redefines = methodOf(context.scope, directive) !== null
          if (redefines || isSticky(context.scope, directive)) context.warn('load balancing method redefined')
          return make(directive, context)
        },
      }),
    ),
    { name: 'sticky', in: UPSTREAM, args: [2, Infinity], set: setSticky },
    { name: 'zone', in: UPSTREAM, args: [1, 2], set: setZone, repeat: true },
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

/** Whether `sticky` stands in an upstream{} block before the directive `end`. */
function isSticky(scope: Scope, end: Directive): boolean {
  const block = scope.directive!.block!
  return block.slice(0, block.indexOf(end)).some(({ name }) => name === 'sticky')
}

/** As in nginx, a method behind `sticky` takes its place. */
function methodHidesSticky(scope: Scope, context: BuildContext): boolean {
  const block = scope.directive!.block!
  const at = block.findIndex(({ name }) => name === 'sticky')
  const method = block.slice(at).find(({ name }) => methods.some((one) => one.name === name))
  if (method === undefined) return false
  context.warn(`"sticky" has no effect before "${method.name}", which has to stand in front of it`, block[at])
  return true
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

/** The groups that variables lead to in the scope being configured. */
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
  const sources = conf.server.map((line) => lineSource(line, scope, context))
  context.directive = scope.directive
  if (conf.server.every(({ options }) => options.backup)) context.error(`no servers in upstream "${name}"`)
  const peers = peersFrom(sources, context.options.live ?? {})
  const keepalive = {
    connections: conf.keepalive,
    requests: conf.keepaliveRequests,
    time: conf.keepaliveTime,
    timeout: conf.keepaliveTimeout,
  }
  const chosen = methodOf(scope, null)
  const method =
    chosen === null ? roundRobin : (conf as unknown as Record<string, MakeBalancer>)[fieldName(chosen.name)]!
  const slots = slotsFor(sources)
  const room = conf.zone === undefined ? zoneSlots(slots) : Math.max(slots, zoneRoom(conf.zone, context))
  const zone = zoneOf(name, room, context)
  const methodName = chosen?.name ?? 'round robin'
  const options = { name, peers, method, methodName, zone, keepalive }
  const { sticky } = conf
  const group =
    sticky === undefined || methodHidesSticky(scope, context)
      ? new PeerGroup(options)
      : new StickyGroup(options, sticky)
  groupsOf(context).byName.set(name.toLowerCase(), group)
  keepLive(group, sources, context)
}

function lineSource(line: ServerLine, scope: Scope, context: BuildContext): ServerSource {
  const { address, options, resolve, service, directive } = line
  context.directive = directive
  const url = parseUpstreamUrl(address, 80, false)
  if ('error' in url) return context.error(`${url.error} in upstream "${address}"`)
  if (service !== null && url.portText !== '')
    context.error(`service upstream "${address}" may not have port`)
  if (service !== null && url.ip !== null) {
    context.error(`service upstream "${address}" requires domain name`)
  }
  const how = { follow: resolve, resolver: resolverOf(scope), service, needed: isNeeded(scope), similar: [] }
  return serverSource(url, address, options, how, context)
}

function zoneOf(name: string, slots: number, context: BuildContext): (worker: number) => PeerZone {
  const memory = context.zone(`upstream ${name}`, zoneBytes(slots))
  return (worker) => new PeerZone(memory, slots, worker)
}

/** Whether `url` names an upstream, or a host that has been named before. */
export function isUpstream({ key }: UpstreamUrl, context: BuildContext): boolean {
  return groupsOf(context).byName.has(key)
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
  const { scope } = context
  const how = {
    follow: false,
    resolver: resolverOf(scope),
    service: null,
    needed: isNeeded(scope),
    similar: byName.keys(),
  }
  const sources = [serverSource(url, url.host, DEFAULT_PEER, how, context)]
  const zone = zoneOf(key, slotsFor(sources), context)
  const peers = peersFrom(sources, context.options.live ?? {})
  const group = new PeerGroup({ name: key, peers, method: roundRobin, zone, keepalive: DEFAULT_KEEPALIVE })
  byName.set(key, group)
  keepLive(group, sources, context)
  return group
}
