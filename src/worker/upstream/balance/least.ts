// The part that `least_conn` and `least_time` share: the peer with the least of something for its weight; round robin
// among those that are equal.

import type { Peer } from '../peers.ts'
import { available, type Balancer, markChosen, type Picker, partOfWeight } from './balancer.ts'
import { turnOf } from './round-robin.ts'

export abstract class Least implements Balancer, Picker {
  readonly #peers: readonly Peer[]
  /** Peers that share the first place, while one is being picked: the first so many. */
  readonly #best: Peer[]

  constructor(peers: readonly Peer[]) {
    this.#peers = peers
    // As long as it can get: an array that shrinks and grows at every pick costs more than the pick.
    this.#best = [...peers]
  }

  /** What counts against `peer`, which is available. */
  protected abstract load(peer: Peer, now: number): number

  /** Whether `peer` can be told at a glance to have more than `least` for a weight of `weight`; false: perhaps not. */
  protected more(_peer: Peer, _least: number, _weight: number): boolean {
    return false
  }

  begin(): Picker {
    return this
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const best = this.#best
    let count = 0
    let least = 0
    let weightOfBest = 0
    for (const peer of this.#peers) {
      if (count > 0 && this.more(peer, least, weightOfBest)) continue
      if (tried?.has(peer) || !available(peer, now)) continue
      const load = this.load(peer, now)
      const weight = peer.slowStart === 0 ? peer.weight : peer.weight * partOfWeight(peer, now)
      const difference = count === 0 ? -1 : load * weightOfBest - least * weight
      if (difference > 0) continue
      if (difference < 0) {
        count = 0
        least = load
        weightOfBest = weight
      }
      best[count++] = peer
    }
    if (count === 0) return null
    // As in nginx, only peers that are equal take part in the round robin, and one alone in none.
    const peer = count === 1 ? best[0]! : turnOf(best, count, now)
    markChosen(peer, now)
    return peer
  }
}
