// The servers behind a `proxy_pass`: an upstream{} block, or the addresses of a host named directly. What is configured
// stands here; what workers share of it is in src/shared/peer-zone.ts.

import type { Level } from '../../shared/error-log.ts'
import type { PeerState, PeerZone } from '../../shared/peer-zone.ts'
import type { WorkerStats } from '../../shared/stats.ts'
import type { Request } from '../http/request.ts'
import { sharedNow } from '../shared-clock.ts'
import type { Balancer, MakeBalancer, Timing } from './balance/balancer.ts'
import type { PeerConnection } from './connect.ts'
import { IdleConnections } from './keepalive.ts'
import type { Selection } from './selection.ts'
import type { PeerHead } from './wire.ts'

/** The parameters of `server`. */
export interface PeerOptions {
  /** Default 1. */
  readonly weight: number
  /** Requests at the peer at a time, of all workers together; 0, the default: any number. */
  readonly maxConns: number
  /** Failures within `failTimeout` that take the peer out; 0: none do; default 1. */
  readonly maxFails: number
  /** Milliseconds failures are counted for, and the peer is left out for; default 10 seconds. */
  readonly failTimeout: number
  /** Used when no other peer is available. */
  readonly backup: boolean
  readonly down: boolean
  /** Only requests that are bound to the peer go there. */
  readonly drain: boolean
  /** What clients bound to the peer know it by; '', the default: a hash of its address. */
  readonly route: string
  /** Milliseconds in which the peer gets its weight again once it is back; 0, the default: it has it at once. */
  readonly slowStart: number
}

export const DEFAULT_PEER: PeerOptions = {
  weight: 1,
  maxConns: 0,
  maxFails: 1,
  failTimeout: 10_000,
  backup: false,
  down: false,
  drain: false,
  route: '',
  slowStart: 0,
}

/** One address requests can go to. */
export interface PeerAddress {
  /** As in logs and `$upstream_addr`: `127.0.0.1:3000`, `unix:/run/app.sock`. */
  readonly name: string
  /** null for a unix socket. */
  readonly host: string | null
  readonly port: number
  readonly path: string | null
}

/** One of a group: an address, what the configuration says of it, and what the workers know of it. */
export interface Peer extends PeerAddress, PeerOptions {
  /** As written in `server`. */
  readonly server: string
  readonly state: PeerState
  /** Of the idle connections to it, the one used last; kept by IdleConnections. */
  newestIdle: PeerConnection | null
}

/** A peer whose state is still to be found in the group's zone. */
export type ConfiguredPeer = Omit<Peer, 'state' | 'newestIdle'>

/** A peer as its group has it, which may take it out for good. */
interface OwnPeer extends Peer {
  down: boolean
}

/** `keepalive*` of an upstream. */
export interface KeepaliveSettings {
  /** Idle connections kept by each worker; 0: none. Default 32. */
  connections: number
  /** Requests through one connection; default 1000. */
  requests: number
  /** Age from which a connection is not kept any more, milliseconds; default 1 hour. */
  time: number
  /** Milliseconds an idle connection is kept; default 60 seconds. */
  timeout: number
}

export const DEFAULT_KEEPALIVE: KeepaliveSettings = {
  connections: 32,
  requests: 1000,
  time: 3_600_000,
  timeout: 60_000,
}

/** What upstream connections need of the worker they live in. */
export interface UpstreamHost {
  /** The worker's slot in shared tables. */
  readonly slot: number
  readonly stats: WorkerStats
  /** `worker_connections`. */
  readonly connectionLimit: number
  /** Writes to the error log of the main context. */
  log(level: Level, message: string): void
  /** Closes a connection nobody uses, at the limit; false: all are in use. */
  makeRoom(): boolean
}

/** The peers of a group at a time; when they change, requests under way go on with those they began with. */
export interface PeerSet {
  readonly peers: readonly Peer[]
  /** The only peer there is: nothing has to be chosen, and its failures take it out of nothing. */
  readonly single: Peer | null
  /** One for the servers, and one for the `backup` ones if there are any. */
  readonly balancers: readonly Balancer[]
  /** Told how long attempts take; null where nobody asks. */
  readonly timing: Timing | null
  /** The group is told of heads of responses. */
  readonly watchesHeads: boolean
  /** Most attempts of a request: peers that are neither `down` nor draining. */
  readonly tries: number
}

/** How an attempt at a peer ended: `next` is a failure that says nothing against the peer. */
export type Outcome = 'ok' | 'failed' | 'next'

/** What a group is made of. */
export interface GroupOptions {
  /** The upstream's name, or host and port as written. */
  readonly name: string
  readonly peers: readonly ConfiguredPeer[]
  readonly method: MakeBalancer
  /** The directive that chose it; default: none did. */
  readonly methodName?: string
  /** The zone of the group, for the worker in `slot`. */
  readonly zone: (slot: number) => PeerZone
  readonly keepalive: KeepaliveSettings
  /** Connections kept together with those of other groups; default: for this group alone. */
  readonly idle?: IdleConnections
  /** The group in whose place this one is: peers that stay are the same, with their idle connections. */
  readonly before?: PeerGroup | undefined
  /** It is to be told of heads of responses, whatever the method; default false. */
  readonly watchesHeads?: boolean
}

export class PeerGroup {
  readonly name: string
  /** Of the balancing method, for the log. */
  readonly methodName: string
  readonly keepalive: KeepaliveSettings
  readonly idle: IdleConnections
  readonly #options: GroupOptions
  #host: UpstreamHost | null = null
  #zone: PeerZone | null = null
  #set: PeerSet | null = null
  #peers: Map<string, OwnPeer> | null = null
  /** Those of the group in whose place this one is, until it has its own. */
  #known: Map<string, OwnPeer> | null

  constructor(options: GroupOptions) {
    this.name = options.name
    this.methodName = options.methodName ?? 'round robin'
    this.keepalive = options.keepalive
    this.idle = options.idle ?? new IdleConnections(options.keepalive)
    const { before, ...own } = options
    // The group before is not held on to: it had one before it, and so on.
    this.#known = before?.keyed ?? null
    this.#options = own
  }

  /** Called once before the first request. */
  bind(host: UpstreamHost): void {
    this.#host = host
    this.#zone = this.#options.zone(host.slot)
    this.use(this.#options.peers)
  }

  get host(): UpstreamHost {
    return this.#host!
  }

  /** The peers it began with. */
  get configured(): readonly ConfiguredPeer[] {
    return this.#options.peers
  }

  /** Keys of the configured peers in the zone. */
  get keys(): readonly string[] {
    return peerKeys(this.#options.peers)
  }

  /** Peers by key. */
  get keyed(): Map<string, OwnPeer> {
    return this.#peers!
  }

  /** The peers as they are now. */
  get set(): PeerSet {
    return this.#set!
  }

  /**
   * Has these peers from now on. Those that were there keep their idle connections; one that the zone has no room for
   * is left out. Returns how many are. Requests at peers that are gone go on, but none goes to them any more: their
   * slots may be freed.
   */
  use(configured: readonly ConfiguredPeer[]): number {
    const before = this.#peers
    this.#peers = this.#withState(configured)
    const peers = [...this.#peers.values()]
    for (const [key, peer] of before ?? []) if (this.#peers.get(key) !== peer) this.#retire(peer)
    this.#set = peerSet(peers, this.#options)
    return configured.length - peers.length
  }

  /** A peer for the next attempt of `selection`, with the attempt counted at it; null: none is left. */
  pick(selection: Selection): Peer | null {
    const { single, balancers } = selection.set
    if (single !== null) {
      const { down, drain, state, maxConns } = single
      return !down && !drain && !state.out && state.take(maxConns) ? single : null
    }
    const zone = this.#zone!
    for (; selection.tier < balancers.length; selection.nextTier()) {
      const { picker, tried } = selection
      zone.lock()
      try {
        // While workers change over from one server to several, some of them take what it has left without the lock.
        let peer = picker.pick(tried, sharedNow())
        while (peer !== null && !peer.state.take(peer.maxConns)) peer = picker.pick(tried, sharedNow())
        if (peer !== null) return peer
      } finally {
        zone.unlock()
      }
    }
    return null
  }

  /** What has chosen `peer` for `selection`, for the log; null: no peer. */
  chooser(_selection: Selection, _peer: Peer | null): string {
    return this.methodName
  }

  /** The attempt at `peer` is over. */
  finish(r: Request, selection: Selection, peer: Peer, outcome: Outcome): void {
    const { state } = peer
    if (selection.set.single === null) {
      if (outcome === 'failed') this.#failed(r, peer)
      else if (state.fails > 0 && state.accessed < state.checked) this.#worksAgain(peer)
    }
    // Last: the slot of a peer that is gone may be freed from here on.
    state.give()
  }

  /** The head of a response has come, `time` milliseconds after the attempt at `peer` began. */
  headSeen({ set: { timing } }: Selection, { state }: Peer, _head: PeerHead, time: number): void {
    if (timing === null) return
    const zone = this.#zone!
    zone.lock()
    timing.head(state, time, sharedNow())
    zone.unlock()
  }

  /** Before `finish`: what the attempt took; `headerTime`: until the head of a response, -1 without one. */
  time(
    { set: { timing } }: Selection,
    { state }: Peer,
    outcome: Outcome,
    headerTime: number,
    time: number,
  ): void {
    if (timing === null) return
    const zone = this.#zone!
    zone.lock()
    timing.end(state, outcome, headerTime, time, sharedNow())
    zone.unlock()
  }

  #failed(r: Request, { state, maxFails, weight }: Peer): void {
    const zone = this.#zone!
    zone.lock()
    state.fails++
    state.accessed = state.checked = sharedNow()
    if (maxFails > 0)
      state.effectiveWeight = Math.max(0, state.effectiveWeight - Math.trunc(weight / maxFails))
    const disabled = maxFails > 0 && state.fails >= maxFails
    zone.unlock()
    if (disabled) r.log('warn', 'upstream server temporarily disabled')
  }

  #worksAgain({ state, maxFails, slowStart }: Peer): void {
    const zone = this.#zone!
    zone.lock()
    if (state.accessed < state.checked) {
      const wasOut = maxFails > 0 && state.fails >= maxFails
      if (wasOut && slowStart > 0) state.slowSince = sharedNow()
      state.fails = 0
    }
    zone.unlock()
  }

  #retire(peer: OwnPeer): void {
    peer.down = true
    this.idle.closeOf(peer)
  }

  #withState(configured: readonly ConfiguredPeer[]): Map<string, OwnPeer> {
    const known = this.#peers ?? this.#known ?? new Map<string, OwnPeer>()
    this.#known = null
    const peers = new Map<string, OwnPeer>()
    for (const [key, peer] of keyed(configured)) {
      const old = known.get(key)
      if (old !== undefined && isSame(old, peer)) peers.set(key, old)
      else {
        const state = this.#zone!.claim(key, peer.weight)
        if (state !== null) peers.set(key, { ...peer, state, newestIdle: null })
      }
    }
    return peers
  }
}

/** What the slots of these peers are found by. */
export function peerKeys(peers: readonly ConfiguredPeer[]): string[] {
  return [...keyed(peers).keys()]
}

/** Peers by what their slots are found by: their names, numbered where one comes again. */
function keyed(peers: readonly ConfiguredPeer[]): Map<string, ConfiguredPeer> {
  const byKey = new Map<string, ConfiguredPeer>()
  for (const peer of peers) {
    let key = peer.name
    for (let count = 2; byKey.has(key); count++) key = `${peer.name}#${count}`
    byKey.set(key, peer)
  }
  return byKey
}

function isSame(known: Peer, peer: ConfiguredPeer): boolean {
  return (Object.keys(peer) as (keyof ConfiguredPeer)[]).every((key) => known[key] === peer[key])
}

function peerSet(peers: readonly Peer[], { method, watchesHeads = false }: GroupOptions): PeerSet {
  const [main, backup] = [peers.filter((peer) => !peer.backup), peers.filter((peer) => peer.backup)]
  const tiers = [main, backup].filter((tier) => tier.length > 0)
  const single = peers.length === 1 ? peers[0]! : null
  const balancers = tiers.map((tier) => method(tier, tier === backup))
  const timing = single === null ? (balancers[0]?.timing ?? null) : null
  return {
    peers,
    single,
    balancers,
    timing,
    watchesHeads: watchesHeads || timing !== null,
    tries: peers.filter(({ down, drain }) => !down && !drain).length,
  }
}
