// Peers on a line, each as long as its weight: what `hash`, `ip_hash` and `random` find peers on by a number. Weights
// are as configured, and peers that are down keep their place: others' clients stay where they are.

import type { Peer } from '../peers.ts'

/** How often a request may hit on a peer it cannot have before it goes where the round robin leads. */
export const MOST_TRIES = 20

export class WeightedList {
  /** Length of the line. */
  readonly total: number
  readonly #peers: readonly Peer[]
  /** Where each peer begins. */
  readonly #starts: number[] = []

  constructor(peers: readonly Peer[]) {
    let total = 0
    for (const { weight } of peers) {
      this.#starts.push(total)
      total += weight
    }
    this.total = total
    this.#peers = peers
  }

  /** The peer at `position`, from 0 to `total` - 1. */
  at(position: number): Peer {
    let low = 0
    let high = this.#peers.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (position < this.#starts[middle]!) high = middle
      else low = middle
    }
    return this.#peers[low]!
  }
}
