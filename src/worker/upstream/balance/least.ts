// The part that `least_conn` and `least_time` share: the peer with the least of something for its weight; round robin
// among those that are equal.

import type { Peer } from '../peers.ts'
import { available, type Balancer, markChosen, type Picker, partOfWeight } from './balancer.ts'
import { turnOf } from './round-robin.ts'

export abstract class Least implements Balancer, Picker {
  readonly #peers: readonly Peer[]
  /** Peers that share the first place, while one is being picked. */
  readonly #best: Peer[] = []

  constructor(peers: readonly Peer[]) {
    this.#peers = peers
  }

  /** What counts against `peer`, which is available. */
  protected abstract load(peer: Peer, now: number): number

  begin(): Picker {
    return this
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const best = this.#best
    best.length = 0
    let least = 0
    let weightOfBest = 0
    for (const peer of this.#peers) {
      if (tried?.has(peer) || !available(peer, now)) continue
      const load = this.load(peer, now)
      const weight = peer.slowStart === 0 ? peer.weight : peer.weight * partOfWeight(peer, now)
      const difference = best.length === 0 ? -1 : load * weightOfBest - least * weight
      if (difference > 0) continue
      if (difference < 0) {
        best.length = 0
        least = load
        weightOfBest = weight
      }
      best.push(peer)
    }
    if (best.length === 0) return null
    // As in nginx, only peers that are equal take part in the round robin, and one alone in none.
    const peer = best.length === 1 ? best[0]! : turnOf(best, now)
    markChosen(peer, now)
    return peer
  }
}
