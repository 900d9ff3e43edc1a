// How a peer is chosen. A balancer only picks: counting attempts, failures and connections is the group's.

import type { PeerState } from '../../../shared/peer-zone.ts'
import type { Request } from '../../http/request.ts'
import type { Outcome, Peer } from '../peers.ts'

/** Chooses among the peers of a group (or its backups) for many requests. */
export interface Balancer {
  /** The choice for one request, which may take several attempts. Called without the zone's lock. */
  begin(r: Request): Picker
  /** Told how long attempts take; absent where the method does not care. */
  readonly timing?: Timing
  /**
   * A request goes to `peer` without the method being asked, because it is bound to it. Called with the zone's lock held;
   * absent where the method keeps nothing of its choices.
   */
  bound?(peer: Peer, tried: ReadonlySet<Peer> | null, now: number): void
}

/** Chooses for one request; a method that needs to remember nothing of it is its own picker. */
export interface Picker {
  /**
   * An available peer that is none of `tried`; null when there is none left. Called with the zone's lock held: it may
   * read and write peers' states, and must not throw. `now`: milliseconds of `sharedNow`.
   */
  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null
}

/** Keeps in peers' states how long attempts take. Called with the zone's lock held. */
export interface Timing {
  /** The head of a response came `time` milliseconds after the attempt began. */
  head(state: PeerState, time: number, now: number): void
  /** An attempt is over after `time` milliseconds; `headerTime`: those to the head of a response, -1 without one. */
  end(state: PeerState, outcome: Outcome, headerTime: number, time: number, now: number): void
}

/** Makes the balancer for `peers`, in the order of their `server` lines; `backup`: these are the backups. */
export type MakeBalancer = (peers: readonly Peer[], backup: boolean) => Balancer

/** Whether a request may go to `peer` now. Read with the zone's lock held. */
export function available(peer: Peer, now: number): boolean {
  return !peer.drain && availableToBound(peer, now)
}

/** Likewise for a request that is bound to `peer`: it may go there while the peer drains, too. */
export function availableToBound(
  { down, maxFails, maxConns, failTimeout, state }: Peer,
  now: number,
): boolean {
  if (down || state.out) return false
  if (maxFails > 0 && state.fails >= maxFails && now - state.checked <= failTimeout) return false
  return maxConns === 0 || state.conns < maxConns
}

/** `peer` has been chosen: after a failure long ago this is the one request that tries it again. */
export function markChosen({ failTimeout, state }: Peer, now: number): void {
  if (now - state.checked > failTimeout) state.checked = now
}

/** The part of its weight that `peer` has: 1, but less during its slow start. Called with the zone's lock held. */
export function partOfWeight({ slowStart, state }: Peer, now: number): number {
  if (slowStart === 0 || state.slowSince === 0) return 1
  const part = (now - state.slowSince) / slowStart
  if (part < 1) return Math.max(0, part)
  state.slowSince = 0
  return 1
}
