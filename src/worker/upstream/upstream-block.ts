// `upstream {}`: its servers and keepalive, and the groups that `proxy_pass` finds by name.

import type { BuildContext, Scope } from '../../shared/conf/build.ts'
import { HTTP, type Setter, UPSTREAM } from '../../shared/conf/command.ts'
import type { Directive } from '../../shared/conf/directive.ts'
import { number, time } from '../../shared/conf/setters.ts'
import { defineModule } from '../http/module.ts'
import { RoundRobin } from './balance/round-robin.ts'
import { DEFAULT_KEEPALIVE, GROUP_ZONE_BYTES, type Peer, PeerGroup } from './peers.ts'

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
    (scope) => scope !== context.scope && scope.kind === UPSTREAM && scope.directive!.args[0] === name,
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

/** Groups of one configuration by name. */
const groups = new WeakMap<BuildContext, Map<string, PeerGroup>>()

/** All groups, those of upstream{} blocks and those named directly. */
export function allGroups(context: BuildContext): Map<string, PeerGroup> {
  let map = groups.get(context)
  if (map === undefined) groups.set(context, (map = new Map()))
  return map
}

function addGroup(conf: UpstreamConf, scope: Scope, context: BuildContext): void {
  const name = scope.directive!.args[0]!
  if (conf.server === undefined) context.error('no servers are inside upstream')
  const peers = conf.server.flatMap(({ address, weight, directive }) => {
    context.directive = directive
    return resolvePeers(address, 80, weight, context)
  })
  context.directive = scope.directive
  const keepalive = {
    connections: conf.keepalive,
    requests: conf.keepaliveRequests,
    time: conf.keepaliveTime,
    timeout: conf.keepaliveTimeout,
  }
  allGroups(context).set(name, makeGroup(name, peers, keepalive, context))
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

/** The group that `address` of a `proxy_pass` names: an upstream, or a host of its own. */
export function findGroup(address: string, defaultPort: number, context: BuildContext): PeerGroup {
  const map = allGroups(context)
  const existing = map.get(address) ?? map.get(`${address} ${defaultPort}`)
  if (existing !== undefined) return existing
  const peers = resolvePeers(address, defaultPort, 1, context)
  const group = makeGroup(address, peers, DEFAULT_KEEPALIVE, context)
  map.set(`${address} ${defaultPort}`, group)
  return group
}

function resolvePeers(address: string, defaultPort: number, weight: number, context: BuildContext): Peer[] {
  if (address.startsWith('unix:')) {
    const path = address.slice(5).replace(/:$/, '')
    if (path === '') context.error(`no path in unix domain socket in upstream "${address}"`)
    return [{ name: `unix:${path}`, host: null, port: 0, path, weight }]
  }
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/]+))(?::(.*))?$/.exec(address)
  if (match === null) context.error(`invalid host in upstream "${address}"`)
  const [, v6, host, portText] = match
  const port = portText === undefined ? defaultPort : /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65535) context.error(`invalid port in upstream "${address}"`)
  const literal = v6 ?? (/^\d+\.\d+\.\d+\.\d+$/.test(host!) ? host! : null)
  const addresses = literal !== null ? [literal] : context.resolve(host!)
  return addresses.map((ip) => ({
    name: `${ip.includes(':') ? `[${ip}]` : ip}:${port}`,
    host: ip,
    port,
    path: null,
    weight,
  }))
}
