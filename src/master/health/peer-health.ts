// What all health checks of one peer come to, kept in the peer's slot for the workers: it is healthy when all say so.

import type { Health, PeerState } from '../../shared/peer-zone.ts'
import { sharedNow } from '../../worker/shared-clock.ts'
import type { ConfiguredPeer } from '../../worker/upstream/peers.ts'
import type { Monitor, MonitorOwner } from './monitor.ts'
import type { Verdict } from './probe.ts'

/** Told of each check that has ended, and whether it changed what is known. */
export type Report = (peer: ConfiguredPeer, monitor: Monitor, verdict: Verdict, changed: boolean) => void

export class PeerHealth implements MonitorOwner {
  readonly peer: ConfiguredPeer
  readonly #state: PeerState
  readonly #report: Report
  /** By what checks of one peer are told apart by. */
  readonly monitors = new Map<string, Monitor>()

  constructor(peer: ConfiguredPeer, state: PeerState, report: Report) {
    this.peer = peer
    this.#state = state
    this.#report = report
  }

  checked(monitor: Monitor, verdict: Verdict, changed: boolean): void {
    this.#state.countCheck(verdict.passed)
    if (changed) this.publish()
    this.#report(this.peer, monitor, verdict, changed)
  }

  /**
   * Lets the workers know. Without the zone's lock: a worker that died with it would have the master wait for itself.
   */
  publish(): void {
    const state = this.#state
    const health = this.#worst()
    if (health === 'up' && state.out) {
      // What failed before is over; where `slow_start` says so, its weight comes back bit by bit.
      state.fails = 0
      if (this.peer.slowStart > 0) state.slowSince = sharedNow()
    }
    state.health = health
  }

  #worst(): Health {
    const all = [...this.monitors.values()].map(({ health }) => health)
    return all.includes('unhealthy') ? 'unhealthy' : all.includes('checking') ? 'checking' : 'up'
  }

  start(): void {
    for (const monitor of this.monitors.values()) monitor.start()
  }

  stop(): void {
    for (const monitor of this.monitors.values()) monitor.stop()
  }

  /** Nobody asks any more how the peer is: requests may go to it. */
  retire(): void {
    this.stop()
    this.monitors.clear()
    this.publish()
  }
}
