// How a peer is chosen. A balancer only picks and is told how it went, so that keepalive and retries work with any.

import type { Request } from '../../http/request.ts'
import type { Peer } from '../peers.ts'

export interface Balancer {
  /** A peer for `r`, none of `tried`; null when there is none left. */
  pick(r: Request, tried: ReadonlySet<Peer> | null): Peer | null
  /** An attempt at `peer` is over. */
  free(peer: Peer, failed: boolean): void
}
