// `least_conn`: the peer with the fewest requests for its weight, of all workers together; round robin among equals.

import type { Peer } from '../peers.ts'
import { Least } from './least.ts'
import type { BalancingMethod } from './methods.ts'

export class LeastConn extends Least {
  protected override load({ state }: Peer): number {
    return state.conns
  }

  /** A slow start only makes it more. */
  protected override more({ state, weight }: Peer, least: number, weightOfLeast: number): boolean {
    return state.conns * weightOfLeast > least * weight
  }
}

export const leastConn: BalancingMethod = {
  name: 'least_conn',
  args: 0,
  without: [],
  make: () => (peers) => new LeastConn(peers),
}
