// The peers one request goes to, attempt after attempt: which were tried, and how many more may be.

import type { Request } from '../http/request.ts'
import type { Picker } from './balance/balancer.ts'
import type { Outcome, Peer, PeerGroup, PeerSet } from './peers.ts'
import { pickReport } from './pick-report.ts'
import type { PeerHead } from './wire.ts'

export class Selection {
  readonly r: Request
  readonly set: PeerSet
  /** Index of the balancer in use: 0 the servers, 1 the backups. */
  tier = 0
  /** null: none yet. */
  tried: Set<Peer> | null = null
  /** Attempts left, the one under way included. */
  tries: number
  readonly #group: PeerGroup
  /** Most attempts; 0: as many as there are peers. */
  readonly #limit: number
  #picker: Picker | null = null

  /** `tries`: `proxy_next_upstream_tries`; 0: as many as there are peers. */
  constructor(r: Request, group: PeerGroup, tries: number) {
    this.r = r
    this.#group = group
    this.set = group.set
    this.#limit = tries
    this.tries = tries === 0 ? this.set.tries : Math.min(tries, this.set.tries)
  }

  /** Of the present tier. */
  get picker(): Picker {
    return (this.#picker ??= this.set.balancers[this.tier]!.begin(this.r))
  }

  /** An attempt goes to a peer that is not counted among those there are to try. */
  tryUncounted(): void {
    if (this.#limit === 0 || this.set.tries < this.#limit) this.tries++
  }

  nextTier(): void {
    this.tier++
    this.#picker = null
    this.tried = null
  }

  /** A peer for an attempt; null: no live one is left. */
  next(): Peer | null {
    const peer = this.#group.pick(this)
    const { errorLog } = this.r.main.location
    if (errorLog.enabled('debug')) this.r.log('debug', pickReport(this.#group, this, peer))
    return peer
  }

  /** The head of a response has come from `peer`, `time` milliseconds after the attempt began. */
  headSeen(peer: Peer, head: PeerHead, time: number): void {
    if (this.set.watchesHeads) this.#group.headSeen(this, peer, head, time)
  }

  /** Before `finish`, as for the group's. */
  time(peer: Peer, outcome: Outcome, headerTime: number, time: number): void {
    if (this.set.timing !== null) this.#group.time(this, peer, outcome, headerTime, time)
  }

  /** The attempt at `peer` is over. */
  finish(peer: Peer, outcome: Outcome): void {
    this.#group.finish(this.r, this, peer, outcome)
    if (outcome === 'ok') return
    this.tries = this.set.single === null ? this.tries - 1 : 0
    this.tried ??= new Set()
    this.tried.add(peer)
  }
}
