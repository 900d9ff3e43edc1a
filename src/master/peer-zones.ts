// The master's part in what workers share of upstreams: cleaning up behind workers that died and configurations that
// are gone.

import { PeerZone } from '../shared/peer-zone.ts'
import { WORKER_SLOTS } from '../shared/stats.ts'
import { PeerGroup } from '../worker/upstream/peers.ts'
import { allGroups } from '../worker/upstream/upstream-block.ts'
import type { LoadedCycle } from './cycle.ts'

const MASTER = WORKER_SLOTS - 1

/** What the worker in `slot` held when it ended is given back. */
export function reclaimPeers({ options }: LoadedCycle, slot: number): void {
  for (const [name, memory] of Object.entries(options.zones ?? {})) {
    if (name.startsWith('upstream ')) PeerZone.existing(memory, MASTER)?.reclaim(slot)
  }
}

/** Frees what is kept of peers that this configuration does not have. */
export function forgetPeers({ cycle, options }: LoadedCycle): void {
  for (const group of allGroups(cycle.context)) {
    if (!(group instanceof PeerGroup)) continue
    const memory = options.zones?.[`upstream ${group.name}`]
    if (memory !== undefined) PeerZone.existing(memory, MASTER)?.keepOnly(group.keys)
  }
}
