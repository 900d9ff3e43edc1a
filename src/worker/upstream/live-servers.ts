// The `server` lines of a group that stand for addresses, and the peers they come to. Where a name is followed while
// weir runs, its addresses come from the master: `LiveGroup` gives the group its peers anew.

import type { BuildContext } from '../../shared/conf/build.ts'
import { nearest } from '../../shared/conf/nearest.ts'
import type { ResolverSettings } from '../../shared/names/found.ts'
import type { LiveAnswers, LiveService } from '../../shared/names/live.ts'
import { type ConfiguredPeer, type PeerGroup, type PeerOptions, peerKeys } from './peers.ts'
import { addressName, type UpstreamUrl } from './url.ts'

/** One `server` line, or the host of a `proxy_pass`. */
export interface ServerSource {
  readonly url: UpstreamUrl
  /** As written. */
  readonly server: string
  readonly options: PeerOptions
  /** Its own address or those found when the configuration was loaded. */
  readonly addresses: readonly string[]
  /** By which the addresses of a live name are found; null: it is none. */
  readonly key: string | null
}

/** How a line is to be resolved. */
export interface SourceOptions {
  /** Followed while weir runs; otherwise the system has been asked when the configuration was loaded. */
  readonly follow: boolean
  /** Who is asked later. */
  readonly resolver: ResolverSettings
  /** `service=` */
  readonly service: string | null
  /** A name without address makes the configuration invalid. */
  readonly needed: boolean
  /** Names that one without an address may be a misspelling of. */
  readonly similar: Iterable<string>
}

/** Slots in the group's zone for a live name, whose addresses may become more. */
const LIVE_SLOTS = 16

/** Reads a line and asks for what it needs. A name without an address counts as down, which is a warning. */
export function serverSource(
  url: UpstreamUrl,
  server: string,
  options: PeerOptions,
  { follow, resolver, service, needed, similar }: SourceOptions,
  context: BuildContext,
): ServerSource {
  const { host, ip, path } = url
  const source = { url, server, options, addresses: ip !== null ? [ip] : [], key: null }
  if (ip !== null || path !== null) return source
  if (follow) {
    return { ...source, key: context.follow({ name: host, service, resolver, once: false }) }
  }
  const addresses = context.resolve(host, needed)
  // The master's first build has no addresses yet.
  if (addresses.length > 0 || context.options.addresses === undefined) return { ...source, addresses }
  const meant = nearest(url.key, similar)
  const hint = meant === null ? '' : `; did you mean upstream "${meant}"?`
  context.warn(
    `host not found in upstream "${server}": it counts as down until its name can be resolved${hint}`,
  )
  return {
    ...source,
    key: context.follow({ name: host, service: null, resolver, once: true }),
  }
}

/** Slots that a zone needs for them. */
export function slotsFor(sources: readonly ServerSource[]): number {
  return sources.reduce((sum, source) => sum + (source.key !== null ? LIVE_SLOTS : slots(source)), 0)
}

const slots = ({ url, addresses }: ServerSource) => (url.path !== null ? 1 : addresses.length)

/** The peers they come to with these addresses of live names. */
export function peersFrom(sources: readonly ServerSource[], live: LiveAnswers): ConfiguredPeer[] {
  return sources.flatMap(({ url, server, options, addresses, key }) => {
    const own = { server, ...options }
    if (key === null) return peersOf(url, addresses, own)
    return (live[key] ?? []).flatMap(({ ip, service }) =>
      service === null ? peersOf(url, [ip], own) : serviceAt(ip, service, own),
    )
  })
}

/** A peer for each of `addresses`, or the one that a unix socket is. */
export function peersOf(
  { path, port }: UpstreamUrl,
  addresses: readonly string[],
  options: PeerOptions & { server: string },
): ConfiguredPeer[] {
  if (path !== null) return [{ name: `unix:${path}`, host: null, port: 0, path, ...options }]
  return addresses.map((ip) => ({ name: addressName(ip, port), host: ip, port, path: null, ...options }))
}

/** None where a server that is itself a backup would be the backup of a backup, as in nginx. */
function serviceAt(ip: string, service: LiveService, options: PeerOptions): ConfiguredPeer[] {
  if (options.backup && service.backup) return []
  return [
    {
      ...options,
      name: addressName(ip, service.port),
      host: ip,
      port: service.port,
      path: null,
      server: service.host,
      weight: options.weight === 1 ? service.weight : options.weight,
      backup: options.backup || service.backup,
    },
  ]
}

/** A group with live names. */
export class LiveGroup {
  readonly name: string
  readonly #group: PeerGroup
  readonly #sources: readonly ServerSource[]
  readonly #keys: ReadonlySet<string>

  constructor(group: PeerGroup, sources: readonly ServerSource[]) {
    this.name = group.name
    this.#group = group
    this.#sources = sources
    this.#keys = new Set(sources.flatMap(({ key }) => key ?? []))
  }

  /** Whether one of these names is among its own. */
  concerns(keys: Iterable<string>): boolean {
    for (const key of keys) if (this.#keys.has(key)) return true
    return false
  }

  /** Has the peers of these addresses from now on; returns how many the zone has no room for. */
  use(live: LiveAnswers): number {
    return this.#group.use(peersFrom(this.#sources, live))
  }

  /** Its peers with these addresses. */
  peers(live: LiveAnswers): ConfiguredPeer[] {
    return peersFrom(this.#sources, live)
  }

  /** What the slots of its peers are found by with these addresses. */
  slotKeys(live: LiveAnswers): string[] {
    return peerKeys(peersFrom(this.#sources, live))
  }
}

/** Live groups of each configuration. */
const groups = new WeakMap<BuildContext, LiveGroup[]>()

/** Those that have live names; none for most configurations. */
export function liveGroups(context: BuildContext): readonly LiveGroup[] {
  return groups.get(context) ?? []
}

/** `group` is made of `sources`: where there are live names among them, it is kept up to date. */
export function keepLive(group: PeerGroup, sources: readonly ServerSource[], context: BuildContext): void {
  if (sources.every(({ key }) => key === null)) return
  const known = groups.get(context)
  if (known === undefined) groups.set(context, [new LiveGroup(group, sources)])
  else known.push(new LiveGroup(group, sources))
}
