// nginx's smooth weighted round robin, on weights that all workers share: at every step each peer gains its weight, the
// one that has most is chosen and loses the sum of all. What failures took of a weight comes back one by one.

import type { Peer } from '../peers.ts'
import { available, type Balancer, markChosen, type Picker } from './balancer.ts'

export class RoundRobin implements Balancer, Picker {
  readonly #peers: readonly Peer[]

  constructor(peers: readonly Peer[]) {
    this.#peers = peers
  }

  begin(): Picker {
    return this
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    let best: Peer | null = null
    let most = 0
    let total = 0
    for (const peer of this.#peers) {
      if (tried?.has(peer) || !available(peer, now)) continue
      const { state } = peer
      const weight = state.effectiveWeight
      const current = state.currentWeight + weight
      state.currentWeight = current
      total += weight
      if (weight < peer.weight) state.effectiveWeight = weight + 1
      if (best === null || current > most) {
        best = peer
        most = current
      }
    }
    if (best === null) return null
    best.state.currentWeight = most - total
    markChosen(best, now)
    return best
  }
}

/** `MakeBalancer` of upstreams that name no method. */
export const roundRobin = (peers: readonly Peer[]): Balancer => new RoundRobin(peers)
