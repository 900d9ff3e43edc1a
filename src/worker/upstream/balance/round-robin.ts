// Weighted round robin over all workers without a lock: the smooth sequence nginx's algorithm gives is computed once,
// and one shared counter says where in it the next request is.

import type { Request } from '../../http/request.ts'
import type { Peer } from '../peers.ts'
import type { Balancer } from './balancer.ts'

/** Longest sequence; weights that need more are rounded to fit. */
const LONGEST = 65536

export class RoundRobin implements Balancer {
  readonly #schedule: readonly Peer[]
  readonly #counter: Int32Array

  /** `zone`: the group's, see peers.ts. */
  constructor(peers: readonly Peer[], zone: SharedArrayBuffer) {
    this.#schedule = smoothSchedule(peers)
    this.#counter = new Int32Array(zone, 0, 1)
  }

  pick(_r: Request, tried: ReadonlySet<Peer> | null): Peer | null {
    const schedule = this.#schedule
    if (schedule.length === 1) return tried === null ? schedule[0]! : null
    // One turn is taken whatever comes of it: a retry does not shift those of the other workers further.
    const position = Atomics.add(this.#counter, 0, 1) >>> 0
    for (let offset = 0; offset < schedule.length; offset++) {
      const peer = schedule[(position + offset) % schedule.length]!
      if (tried === null || !tried.has(peer)) return peer
    }
    return null
  }

  free(): void {}
}

/**
 * One period of nginx's smooth weighted round robin: at every step each peer gains its weight, the one that has most
 * is chosen and loses the sum of all.
 */
export function smoothSchedule(peers: readonly Peer[]): Peer[] {
  const weights = reducedWeights(peers.map((peer) => peer.weight))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const current = weights.map(() => 0)
  const schedule: Peer[] = []
  for (let step = 0; step < total; step++) {
    let best = 0
    for (let index = 0; index < weights.length; index++) {
      current[index]! += weights[index]!
      if (current[index]! > current[best]!) best = index
    }
    current[best]! -= total
    schedule.push(peers[best]!)
  }
  return schedule
}

function reducedWeights(weights: number[]): number[] {
  const divisor = weights.reduce((left, right) => greatestCommonDivisor(left, right), 0) || 1
  const reduced = weights.map((weight) => weight / divisor)
  const total = reduced.reduce((sum, weight) => sum + weight, 0)
  if (total <= LONGEST) return reduced
  return reduced.map((weight) => Math.max(1, Math.round((weight * LONGEST) / total)))
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right)
}
