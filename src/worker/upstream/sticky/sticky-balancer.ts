// A balancing method with bound requests in front of it: they go to their server where it is available, past the method.

import type { Request } from '../../http/request.ts'
import {
  availableToBound,
  type Balancer,
  type MakeBalancer,
  markChosen,
  type Picker,
  type Timing,
} from '../balance/balancer.ts'
import type { Peer } from '../peers.ts'
import { serverId } from './server-id.ts'
import type { Stickiness } from './stickiness.ts'

export class StickyBalancer implements Balancer {
  readonly timing?: Timing
  readonly method: Balancer
  readonly #stickiness: Stickiness
  readonly #byId = new Map<string, Peer>()

  constructor(peers: readonly Peer[], method: Balancer, stickiness: Stickiness) {
    this.method = method
    if (method.timing !== undefined) this.timing = method.timing
    this.#stickiness = stickiness
    // Where servers share a route, the first one has it.
    for (const peer of peers.toReversed()) this.#byId.set(serverId(peer), peer)
  }

  begin(r: Request): Picker {
    const picker = this.method.begin(r)
    const id = this.#stickiness.boundTo(r)
    const peer = id === '' ? undefined : this.#byId.get(id)
    return peer === undefined ? picker : new BoundPicker(peer, picker, this.method)
  }
}

class BoundPicker implements Picker {
  readonly #peer: Peer
  readonly #picker: Picker
  readonly #method: Balancer

  constructor(peer: Peer, picker: Picker, method: Balancer) {
    this.#peer = peer
    this.#picker = picker
    this.#method = method
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const peer = this.#peer
    if (tried?.has(peer) || !availableToBound(peer, now)) return this.#picker.pick(tried, now)
    this.#method.bound?.(peer, tried, now)
    markChosen(peer, now)
    return peer
  }
}

/** `method` for an upstream that binds clients. */
export function stickyMethod(method: MakeBalancer, stickiness: Stickiness): MakeBalancer {
  return (peers, backup) => new StickyBalancer(peers, method(peers, backup), stickiness)
}
