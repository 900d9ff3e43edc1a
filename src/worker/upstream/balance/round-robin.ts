// nginx's smooth weighted round robin, on weights that all workers share: at every step each peer gains its weight, the
// one that has most is chosen and loses the sum of all. What failures took of a weight comes back one by one.

import type { Peer } from '../peers.ts'
import { available, type Balancer, markChosen, type Picker, partOfWeight } from './balancer.ts'

export class RoundRobin implements Balancer, Picker {
  readonly #peers: readonly Peer[]
  /** Of all together. */
  readonly #weight: number

  constructor(peers: readonly Peer[]) {
    this.#peers = peers
    this.#weight = peers.reduce((sum, { weight }) => sum + weight, 0)
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
      const gain = gainOf(peer, now)
      const current = peer.state.currentWeight + gain
      peer.state.currentWeight = current
      total += gain
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

  /** A bound request counts as a turn of its peer's, but no more of them in a row than one round has room for. */
  bound({ weight, state }: Peer, tried: ReadonlySet<Peer> | null, now: number): void {
    if (state.currentWeight <= weight - this.#weight) return
    let total = 0
    for (const peer of this.#peers) {
      if (tried?.has(peer) || !available(peer, now)) continue
      const gain = gainOf(peer, now)
      peer.state.currentWeight += gain
      total += gain
    }
    state.currentWeight -= total
  }
}

/** What a step of the round robin gives to `peer`. */
function gainOf(peer: Peer, now: number): number {
  const { state } = peer
  const weight = state.effectiveWeight
  if (weight < peer.weight) state.effectiveWeight = weight + 1
  return peer.slowStart === 0 ? weight : weight * partOfWeight(peer, now)
}

/** Whose turn it is among the first `count` of `peers`, which another method finds equal: all of them are available. */
export function turnOf(peers: readonly Peer[], count: number, now: number): Peer {
  let best = peers[0]!
  let most = Number.NEGATIVE_INFINITY
  let total = 0
  for (let index = 0; index < count; index++) {
    const peer = peers[index]!
    const gain = gainOf(peer, now)
    const current = peer.state.currentWeight + gain
    peer.state.currentWeight = current
    total += gain
    if (current > most) {
      best = peer
      most = current
    }
  }
  best.state.currentWeight = most - total
  return best
}

/** `MakeBalancer` of upstreams that name no method. */
export const roundRobin = (peers: readonly Peer[]): Balancer => new RoundRobin(peers)
