// Groups that `proxy_pass` with variables leads to: an upstream of the configuration, or a host that only a request
// named. The latter are remembered, with their idle connections, as long as room and time permit: clients may choose
// the names.

import { DEFAULT_RESOLVER, type ResolverSettings } from '../../shared/names/found.ts'
import { PeerZone, zoneBytes } from '../../shared/peer-zone.ts'
import { roundRobin } from './balance/round-robin.ts'
import { IdleConnections } from './keepalive.ts'
import { peersOf } from './live-servers.ts'
import { DEFAULT_KEEPALIVE, DEFAULT_PEER, PeerGroup, type UpstreamHost } from './peers.ts'
import { Resolver, resolverOptions } from './resolver.ts'
import type { UpstreamUrl } from './url.ts'

/** Hosts remembered at a time. */
const MOST_GROUPS = 512
/** Idle connections to all of them together. */
const IDLE_CONNECTIONS = 128

export class RuntimeGroups {
  readonly idle: IdleConnections
  readonly #configured: ReadonlyMap<string, PeerGroup>
  readonly #settings: ResolverSettings
  /** Made when it is needed first. */
  #ownResolver: Resolver | null
  /** By host and port, least recently used first. */
  readonly #groups = new Map<string, PeerGroup>()
  #host: UpstreamHost | null = null

  /** `configured`: as `groupKey` names them; `idle`: where connections wait, those of other resolvers' hosts too. */
  constructor(
    configured: ReadonlyMap<string, PeerGroup>,
    settings: ResolverSettings = DEFAULT_RESOLVER,
    idle = runtimeIdle(),
    resolver: Resolver | null = null,
  ) {
    this.idle = idle
    this.#configured = configured
    this.#settings = settings
    this.#ownResolver = resolver
  }

  get #resolver(): Resolver {
    this.#ownResolver ??= new Resolver(
      resolverOptions(this.#settings, (level, message) => this.#host!.log(level, message)),
    )
    return this.#ownResolver
  }

  /** Called once before the first request. */
  bind(host: UpstreamHost): void {
    this.#host = host
  }

  /** `url` names an upstream of the configuration. */
  has({ key, portText }: UpstreamUrl): boolean {
    return portText === '' && this.#configured.has(key)
  }

  /** The group of `url`; null: it has to be resolved first. */
  find(url: UpstreamUrl): PeerGroup | null {
    const configured =
      (url.portText === '' ? this.#configured.get(url.key) : undefined) ?? this.#configured.get(groupKey(url))
    if (configured !== undefined) return configured
    if (url.ip !== null) return this.#group(url, [url.ip])
    if (url.path !== null) return this.#group(url, [])
    const answer = this.#resolver.known(url.key)
    return answer !== null && 'addresses' in answer ? this.#group(url, answer.addresses) : null
  }

  /**
   * Calls `done` with the group of `url`, which the client `asker` asks for, or with why there is none:
   * `3: Host not found`. What it gives is called by those who give up.
   */
  resolve(
    url: UpstreamUrl,
    asker: string,
    done: (group: PeerGroup | null, failure: string) => void,
  ): () => void {
    const known = this.#resolver.known(url.key)
    if (known !== null && 'failure' in known) {
      queueMicrotask(() => done(null, known.failure))
      return () => {}
    }
    return this.#resolver.resolve(url.key, asker, (answer) => {
      if ('failure' in answer) done(null, answer.failure)
      else done(this.#group(url, answer.addresses), '')
    })
  }

  #group(url: UpstreamUrl, addresses: readonly string[]): PeerGroup {
    const key = groupKey(url)
    const existing = this.#groups.get(key)
    if (existing !== undefined) this.#groups.delete(key)
    const group =
      existing !== undefined && sameAddresses(existing, url, addresses)
        ? existing
        : this.#make(url, addresses, existing)
    this.#groups.set(key, group)
    if (this.#groups.size > MOST_GROUPS) this.#groups.delete(this.#groups.keys().next().value!)
    return group
  }

  /** Peers that stay keep their idle connections; those of the others grow old and are closed. */
  #make(url: UpstreamUrl, addresses: readonly string[], old: PeerGroup | undefined): PeerGroup {
    const peers = peersOf(url, addresses, { ...DEFAULT_PEER, server: url.host })
    const group = new PeerGroup({
      name: url.host,
      peers,
      method: roundRobin,
      zone: () => ownZone(peers.length),
      keepalive: DEFAULT_KEEPALIVE,
      idle: this.idle,
      before: old,
    })
    group.bind(this.#host!)
    return group
  }
}

/** Where idle connections to hosts that only requests name wait. */
export function runtimeIdle(): IdleConnections {
  return new IdleConnections({ ...DEFAULT_KEEPALIVE, connections: IDLE_CONNECTIONS })
}

/** What a group named directly is found by. */
export function groupKey({ key, path, port }: UpstreamUrl): string {
  return path === null ? `${key}:${port}` : `unix:${path}`
}

/** As in nginx, what is known of a host that only requests name is not shared: the zone is this worker's own. */
function ownZone(peers: number): PeerZone {
  const slots = Math.max(1, peers)
  return new PeerZone(new SharedArrayBuffer(zoneBytes(slots, 1)), slots, 0)
}

function sameAddresses(group: PeerGroup, url: UpstreamUrl, addresses: readonly string[]): boolean {
  if (url.path !== null) return true
  const { peers } = group.set
  return peers.length === addresses.length && peers.every(({ host }) => addresses.includes(host!))
}
