// How a peer is chosen. A balancer only picks: counting attempts, failures and connections is the group's.

import type { Request } from '../../http/request.ts'
import type { Peer } from '../peers.ts'

/** Chooses among the peers of a group (or its backups) for many requests. */
export interface Balancer {
  /** The choice for one request, which may take several attempts. Called without the zone's lock. */
  begin(r: Request): Picker
}

/** Chooses for one request; a method that needs to remember nothing of it is its own picker. */
export interface Picker {
  /**
   * An available peer that is none of `tried`; null when there is none left. Called with the zone's lock held: it may
   * read and write peers' states, and must not throw. `now`: milliseconds of `sharedNow`.
   */
  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null
}

/** Makes the balancer for `peers`, in the order of their `server` lines. */
export type MakeBalancer = (peers: readonly Peer[]) => Balancer

/** Whether a request may go to `peer` now. Read with the zone's lock held. */
export function available({ down, maxFails, maxConns, failTimeout, state }: Peer, now: number): boolean {
  if (down) return false
  if (maxFails > 0 && state.fails >= maxFails && now - state.checked <= failTimeout) return false
  return maxConns === 0 || state.conns < maxConns
}

/** `peer` has been chosen: after a failure long ago this is the one request that tries it again. */
export function markChosen({ failTimeout, state }: Peer, now: number): void {
  if (now - state.checked > failTimeout) state.checked = now
}
