// All health checks of the running configuration, made here for all workers: which peers are asked, what a reload or a
// change of addresses makes of that, and what the log says.

import type { Level } from '../../shared/error-log.ts'
import { PeerZone } from '../../shared/peer-zone.ts'
import { WORKER_SLOTS } from '../../shared/stats.ts'
import { type HealthCheck, healthChecks } from '../../worker/upstream/health/health-check.ts'
import { liveGroups } from '../../worker/upstream/live-servers.ts'
import { type ConfiguredPeer, type PeerGroup, peerKeys } from '../../worker/upstream/peers.ts'
import type { LoadedCycle } from '../cycle.ts'
import { HttpProber } from './http-probe.ts'
import { Monitor } from './monitor.ts'
import { PeerHealth, type Report } from './peer-health.ts'
import type { Prober } from './probe.ts'
import { TcpProber } from './tcp-probe.ts'

const MASTER = WORKER_SLOTS - 1

type Log = (level: Level, message: string) => void
type Undici = typeof import('undici')

export class HealthChecks {
  readonly #log: Log
  #loaded: LoadedCycle | null = null
  #undici: Undici | null = null
  /** By upstream and key of the peer's slot. */
  #peers = new Map<string, PeerHealth>()
  #running = false

  constructor(log: Log) {
    this.#log = log
  }

  /** Gets what the checks of `loaded` need: `use` does not wait for anything. */
  async prepare({ cycle }: LoadedCycle): Promise<void> {
    if (healthChecks(cycle.context).some(({ type }) => type === 'http'))
      this.#undici ??= await import('undici')
  }

  /**
   * Checks are those of `loaded` from now on, with what is known of peers that stay. Called before workers serve by it:
   * peers that have to be checked first get no request until then.
   */
  use(loaded: LoadedCycle): void {
    this.#loaded = loaded
    this.#change(true)
  }

  /** Addresses of upstreams have changed; called before workers know, as `use`. */
  refresh(): void {
    this.#change(false)
  }

  /** Checks are made from now on. */
  start(): void {
    if (this.#running) return
    this.#running = true
    for (const health of this.#peers.values()) health.start()
  }

  stop(): void {
    this.#running = false
    for (const health of this.#peers.values()) health.stop()
    this.#peers.clear()
  }

  /** `anew`: for another configuration; else peers that stay are left as they are. */
  #change(anew: boolean): void {
    const before = this.#peers
    const loaded = this.#loaded
    if (loaded === null) return
    this.#peers = new Map()
    const added: PeerHealth[] = []
    for (const [group, checks] of byGroup(healthChecks(loaded.cycle.context))) {
      for (const [key, peer] of peersOf(group, loaded)) {
        const id = `${group.name} ${key}`
        const known = before.get(id) ?? null
        const kept = !anew && known !== null && sameAddress(known.peer, peer)
        const health = kept ? known : this.#health(group, key, peer, checks, known)
        if (health === null) continue
        this.#peers.set(id, health)
        if (!kept) added.push(health)
      }
    }
    for (const [id, health] of before) {
      if (!this.#peers.has(id)) health.retire()
      else if (this.#peers.get(id) !== health) health.stop()
    }
    for (const health of added) {
      health.publish()
      if (this.#running) health.start()
    }
  }

  /** null where the zone has no room for the peer, which workers leave out too. */
  #health(
    group: PeerGroup,
    key: string,
    peer: ConfiguredPeer,
    checks: readonly HealthCheck[],
    before: PeerHealth | null,
  ): PeerHealth | null {
    const memory = this.#loaded!.options.zones?.[`upstream ${group.name}`]
    if (memory === undefined) return null
    const state = PeerZone.in(memory, MASTER).claim(key, peer.weight)
    if (state === null) return null
    const health = new PeerHealth(peer, state, this.#report)
    for (const check of checks) {
      const id = identity(check, health.monitors)
      const findings = before?.monitors.get(id)?.findings ?? null
      health.monitors.set(id, new Monitor(check, this.#prober(check, peer), findings, health))
    }
    return health
  }

  #prober(check: HealthCheck, peer: ConfiguredPeer): Prober {
    return check.type === 'tcp'
      ? new TcpProber(check, peer)
      : new HttpProber(check, peer, this.#undici!.Client)
  }

  /** In the words of NGINX Plus. */
  readonly #report: Report = (peer, { check, health }, { doing, error, level }, changed) => {
    const port = check.port === 0 ? '' : `, port ${check.port}`
    const context = `, health check "${check.match.name}" of peer ${peer.name} in upstream "${check.group.name}"${port}`
    if (error !== '') this.#log(level ?? 'error', `${error} while ${doing}${context}`)
    if (!changed) return
    const word = health === 'up' ? 'healthy' : 'unhealthy'
    this.#log(health === 'up' ? 'notice' : 'warn', `peer is ${word} while ${doing}${context}`)
  }
}

function byGroup(checks: readonly HealthCheck[]): Map<PeerGroup, HealthCheck[]> {
  const groups = new Map<PeerGroup, HealthCheck[]>()
  for (const check of checks) {
    const known = groups.get(check.group)
    if (known === undefined) groups.set(check.group, [check])
    else known.push(check)
  }
  return groups
}

/** Peers by key of their slots; those that are `down` are nobody's. */
function peersOf(group: PeerGroup, { cycle, options }: LoadedCycle): [string, ConfiguredPeer][] {
  const live = liveGroups(cycle.context).find(({ name }) => name === group.name)
  const peers = live?.peers(options.live ?? {}) ?? group.configured
  const keys = peerKeys(peers)
  return peers
    .map((peer, index): [string, ConfiguredPeer] => [keys[index]!, peer])
    .filter(([, { down }]) => !down)
}

/** Tells the checks of one peer apart; the same one is found again after a reload. */
function identity({ type, match, uri, port }: HealthCheck, taken: ReadonlyMap<string, unknown>): string {
  const base = JSON.stringify([type, match.name, uri, port])
  let id = base
  for (let count = 2; taken.has(id); count++) id = `${base}#${count}`
  return id
}

function sameAddress(left: ConfiguredPeer, right: ConfiguredPeer): boolean {
  return left.host === right.host && left.port === right.port && left.path === right.path
}
