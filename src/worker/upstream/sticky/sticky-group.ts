// The peers of an upstream with `sticky`: it is told which of them each attempt goes to, and what comes of it.

import type { Request } from '../../http/request.ts'
import { type GroupOptions, type Outcome, type Peer, PeerGroup, type UpstreamHost } from '../peers.ts'
import type { Selection } from '../selection.ts'
import type { PeerHead } from '../wire.ts'
import { serverId } from './server-id.ts'
import type { Stickiness } from './stickiness.ts'
import { stickyMethod } from './sticky-balancer.ts'

export class StickyGroup extends PeerGroup {
  readonly #stickiness: Stickiness

  constructor(options: GroupOptions, stickiness: Stickiness) {
    const method = stickyMethod(options.method, stickiness)
    super({ ...options, method, watchesHeads: stickiness.answered !== undefined })
    this.#stickiness = stickiness
  }

  override bind(host: UpstreamHost): void {
    this.#stickiness.bind?.(host.slot)
    super.bind(host)
  }

  override pick(selection: Selection): Peer | null {
    const peer = super.pick(selection) ?? this.#draining(selection)
    if (peer === null) return null
    if (peer.drain) selection.tryUncounted()
    this.#stickiness.chosen?.(selection, peer)
    return peer
  }

  /** The only peer, of which nothing is asked otherwise, where it drains and the request is bound to it. */
  #draining({ r, set: { single } }: Selection): Peer | null {
    if (single === null || !single.drain || single.down || single.state.out) return null
    if (this.#stickiness.boundTo(r) !== serverId(single)) return null
    return single.state.take(single.maxConns) ? single : null
  }

  override chooser({ r }: Selection, peer: Peer | null): string {
    const id = this.#stickiness.boundTo(r)
    if (id === '') return this.methodName
    const kept = peer !== null && serverId(peer) === id
    return kept ? `sticky before ${this.methodName}` : `${this.methodName} (sticky: "${id}" is not available)`
  }

  override headSeen(selection: Selection, peer: Peer, head: PeerHead, time: number): void {
    super.headSeen(selection, peer, head, time)
    this.#stickiness.answered?.(selection, peer, head)
  }

  override finish(r: Request, selection: Selection, peer: Peer, outcome: Outcome): void {
    if (outcome === 'ok') this.#stickiness.ended?.(selection, peer)
    super.finish(r, selection, peer, outcome)
  }
}
