// Why the balancer picked a server: a line of the debug log, put together only where that is written.

import { sharedNow } from '../shared-clock.ts'
import type { Peer, PeerGroup } from './peers.ts'
import type { Selection } from './selection.ts'

/** What `group` had to choose from when it picked `picked` (null: nothing) for `selection` just now. */
export function pickReport(group: PeerGroup, selection: Selection, picked: Peer | null): string {
  const now = sharedNow()
  const others: string[] = []
  const leftOut: string[] = []
  for (const peer of selection.set.peers) {
    if (peer === picked) continue
    const reason = reasonAgainst(peer, selection, now)
    if (reason === null) others.push(`${peer.name} (${standing(peer)})`)
    else leftOut.push(`${peer.name} (${reason})`)
  }
  const choice = picked === null ? 'no server' : `${picked.name} (${standing(picked)})`
  return (
    `weir: ${group.chooser(selection, picked)} in "${group.name}" picked ${choice}` +
    `${others.length === 0 ? '' : `, not ${others.join(', ')}`}` +
    `${leftOut.length === 0 ? '' : `; left out: ${leftOut.join(', ')}`}`
  )
}

/** What the methods go by. */
function standing({ weight, state }: Peer): string {
  const { effectiveWeight, currentWeight, conns } = state
  const effective = effectiveWeight === weight ? '' : `, reduced to ${effectiveWeight}`
  return `weight ${weight}${effective}, current ${currentWeight}, connections ${conns}`
}

/** Why the balancer did not look at `peer`; null: it did. */
function reasonAgainst(peer: Peer, { tier, tried, set }: Selection, now: number): string | null {
  const { backup, down, drain, maxFails, maxConns, failTimeout, state } = peer
  if (down) return 'down'
  if (drain) return 'drains'
  if (state.out) return `health: ${state.health}`
  if (tried?.has(peer)) return 'tried'
  const left = failTimeout - (now - state.checked)
  if (maxFails > 0 && state.fails >= maxFails && left >= 0 && set.single === null) {
    return `failures: ${state.fails}, out for another ${(left / 1000).toFixed(1)}s`
  }
  if (maxConns > 0 && state.conns >= maxConns) return `at its max_conns of ${maxConns}`
  if (backup && tier === 0 && set.peers.some((other) => !other.backup)) return 'backup'
  // The backups' turn comes when no other server is left.
  return !backup && tier > 0 ? 'tried' : null
}
