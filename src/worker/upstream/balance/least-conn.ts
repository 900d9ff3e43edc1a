// `least_conn`: the peer with the fewest requests for its weight, of all workers together; round robin among equals.

import type { Peer } from '../peers.ts'
import { available, type Balancer, markChosen, type Picker } from './balancer.ts'
import type { BalancingMethod } from './methods.ts'

class LeastConn implements Balancer, Picker {
  readonly #peers: readonly Peer[]
  /** Peers that share the first place, while one is being picked. */
  readonly #best: Peer[] = []

  constructor(peers: readonly Peer[]) {
    this.#peers = peers
  }

  begin(): Picker {
    return this
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const best = this.#best
    best.length = 0
    let conns = 0
    for (const peer of this.#peers) {
      if (tried?.has(peer) || !available(peer, now)) continue
      const own = peer.state.conns
      const difference = best.length === 0 ? -1 : own * best[0]!.weight - conns * peer.weight
      if (difference > 0) continue
      if (difference < 0) {
        best.length = 0
        conns = own
      }
      best.push(peer)
    }
    if (best.length === 0) return null
    const peer = best.length === 1 ? best[0]! : turnOf(best)
    markChosen(peer, now)
    return peer
  }
}

/** nginx: only peers that are equal take part in the round robin that decides between them. */
function turnOf(peers: readonly Peer[]): Peer {
  let best = peers[0]!
  let total = 0
  for (const peer of peers) {
    const { state, weight } = peer
    const effective = state.effectiveWeight
    state.currentWeight += effective
    total += effective
    if (effective < weight) state.effectiveWeight = effective + 1
    if (state.currentWeight > best.state.currentWeight) best = peer
  }
  best.state.currentWeight -= total
  return best
}

export const leastConn: BalancingMethod = {
  name: 'least_conn',
  args: 0,
  without: [],
  make: () => (peers) => new LeastConn(peers),
}
