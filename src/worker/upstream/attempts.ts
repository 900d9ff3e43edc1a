// The attempts of one request: which peer each goes to, what became of it for `$upstream_*` and for the peers' state,
// and whether there is another.

import type { Request } from '../http/request.ts'
import { monotonicNow, now } from '../tick.ts'
import type { PeerConnection } from './connect.ts'
import { type AttemptProgress, type Failure, mayTryAgain, type NextSettings } from './next.ts'
import type { Outcome, Peer, PeerGroup } from './peers.ts'
import { Selection } from './selection.ts'
import type { UpstreamState, UpstreamStates } from './states.ts'
import type { PeerHead } from './wire.ts'

export class Attempts {
  readonly states: UpstreamStates
  /** Where the present attempt goes to; null before the first. */
  peer: Peer | null = null
  /** The present attempt. */
  current: UpstreamState | null = null
  readonly #r: Request
  readonly #group: PeerGroup
  readonly #settings: NextSettings
  readonly #selection: Selection
  readonly #started = monotonicNow()

  constructor(r: Request, group: PeerGroup, settings: NextSettings) {
    this.states = r.upstream!
    this.#r = r
    this.#group = group
    this.#settings = settings
    this.#selection = new Selection(r, group, settings.tries)
  }

  /** Begins the next attempt; null: no peer is left, which is logged. */
  next(): Peer | null {
    const peer = this.#selection.next()
    this.peer = peer
    this.current = this.states.begin(peer === null ? this.#group.name : peer.name)
    if (peer === null) {
      this.#r.log('error', 'no live upstreams')
      this.current.status = 502
      this.current.reason = 'no_live_upstreams'
      this.current.responseTime = 0
    }
    return peer
  }

  /** The same attempt from the beginning: nothing has come of it, and nothing is to be seen of it. */
  again(): void {
    this.states.list.pop()
    this.current = this.states.begin(this.peer!.name)
  }

  connected(): void {
    const current = this.current!
    current.connectTime = now() - current.started
  }

  headSeen(head: PeerHead): void {
    const current = this.current!
    current.headerTime = now() - current.started
    current.status = head.status
    this.#selection.headSeen(this.peer!, head, current.headerTime)
  }

  /** The attempt has failed; `status`: what it counts as, 0 where it has a status of its own. */
  failed({ reason }: Failure, status: number): void {
    const current = this.current!
    current.reason = this.states.reason = reason
    if (status !== 0) current.status = status
  }

  /** The attempt is over; `content`: some of the response went to the client. */
  finish(connection: PeerConnection, outcome: Outcome, content: boolean): void {
    const current = this.current!
    current.responseTime = now() - current.started
    // As nginx, framing counts as content.
    if (content) current.responseLength = current.bytesReceived - connection.wire.headLength
    this.#selection.time(connection.peer, outcome, current.headerTime, current.responseTime)
    this.#selection.finish(connection.peer, outcome)
  }

  /** The attempt is over before there was a connection, for no fault of the peer. */
  leave(): void {
    const current = this.current!
    current.responseTime = now() - current.started
    this.#selection.time(this.peer!, 'ok', current.headerTime, current.responseTime)
    this.#selection.finish(this.peer!, 'ok')
  }

  /** Whether another attempt may follow a failure of the present one, peers permitting. */
  mayFollow(failure: Failure, progress: Omit<AttemptProgress, 'elapsed'>): boolean {
    const elapsed = monotonicNow() - this.#started
    return mayTryAgain(this.#r, failure, { ...progress, elapsed }, this.#settings)
  }

  /** Whether peers are left; `ended`: the present attempt is over. */
  left(ended: boolean): boolean {
    return this.#selection.tries > (ended ? 0 : 1)
  }
}
