// What `sticky` makes of an upstream: how requests say which server they belong to, and how clients come to say so.

import type { Request } from '../../http/request.ts'
import type { Peer } from '../peers.ts'
import type { Selection } from '../selection.ts'
import type { PeerHead } from '../wire.ts'

/** One `sticky` directive. What it has no use for is absent. */
export interface Stickiness {
  /** Called once before the first request; `worker`: slot of this worker. */
  bind?(worker: number): void
  /** The `serverId` of the peer that a request is bound to, which may be none of this upstream's; '': it is not bound. */
  boundTo(r: Request): string
  /** An attempt goes to `peer`. */
  chosen?(selection: Selection, peer: Peer): void
  /** The head of a response has come from `peer`. */
  answered?(selection: Selection, peer: Peer, head: PeerHead): void
  /** An attempt at `peer` is over and has not failed. */
  ended?(selection: Selection, peer: Peer): void
}
