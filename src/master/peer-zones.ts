// The master's part in what workers share of upstreams: cleaning up behind workers that died, configurations that are
// gone, and peers that a name does not lead to any more.

import { PeerZone } from '../shared/peer-zone.ts'
import { SessionZone } from '../shared/session-zone.ts'
import { WORKER_SLOTS } from '../shared/stats.ts'
import { TlsSessionZone } from '../shared/tls-session-zone.ts'
import { SESSION_ZONE } from '../worker/modules/ssl/session-cache.ts'
import { type LiveGroup, liveGroups } from '../worker/upstream/live-servers.ts'
import { PeerGroup } from '../worker/upstream/peers.ts'
import { allGroups } from '../worker/upstream/upstream-block.ts'
import type { LoadedCycle } from './cycle.ts'

const MASTER = WORKER_SLOTS - 1

/** What the worker in `slot` held when it ended is given back. */
export function reclaimPeers({ options }: LoadedCycle, slot: number): void {
  for (const [name, memory] of Object.entries(options.zones ?? {})) {
    if (name.startsWith('upstream ')) PeerZone.existing(memory, MASTER)?.reclaim(slot)
    else if (name.startsWith('sticky ')) new SessionZone(memory, MASTER, 0).reclaim(slot)
    else if (name.startsWith(SESSION_ZONE)) new TlsSessionZone(memory, MASTER).reclaim(slot)
  }
}

/** Frees what is kept of peers that this configuration does not have. */
export function forgetPeers(loaded: LoadedCycle): void {
  for (const [name, keys] of slotKeys(loaded)) zoneOf(loaded, name)?.keepOnly(keys)
}

/** Frees what is kept of peers that live names do not lead to any more and that are not among those of `before`. */
export function forgetGone(loaded: LoadedCycle, before: SlotKeys): void {
  const groups = liveGroups(loaded.cycle.context)
  if (groups.length === 0) return
  for (const { name, keys } of groups.map((group) => withKeys(group, loaded))) {
    zoneOf(loaded, name)?.keepOnly(new Set([...keys, ...(before.get(name) ?? [])]))
  }
}

/** Upstreams whose names lead to more peers than their zones have room for. */
export function fullGroups(loaded: LoadedCycle): string[] {
  return liveGroups(loaded.cycle.context)
    .map((group) => withKeys(group, loaded))
    .filter(({ name, keys }) => keys.some((key) => zoneOf(loaded, name)?.has(key) === false))
    .map(({ name }) => name)
}

function withKeys(group: LiveGroup, { options }: LoadedCycle): { name: string; keys: string[] } {
  return { name: group.name, keys: group.slotKeys(options.live ?? {}) }
}

/** What slots are found by, by the names of their groups. */
export type SlotKeys = ReadonlyMap<string, ReadonlySet<string>>

/** Those of all peers of a configuration, as they are now. */
export function slotKeys(loaded: LoadedCycle): SlotKeys {
  const keys = new Map<string, ReadonlySet<string>>()
  for (const group of allGroups(loaded.cycle.context)) {
    if (group instanceof PeerGroup) keys.set(group.name, new Set(group.keys))
  }
  for (const group of liveGroups(loaded.cycle.context))
    keys.set(group.name, new Set(withKeys(group, loaded).keys))
  return keys
}

function zoneOf({ options }: LoadedCycle, name: string): PeerZone | null {
  const memory = options.zones?.[`upstream ${name}`]
  return memory === undefined ? null : PeerZone.existing(memory, MASTER)
}
