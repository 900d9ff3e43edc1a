// What a whole engine says of its choices is in explanations.test.ts.

import { expect, it } from 'vitest'
import type { PeerGroup, PeerSet } from '../../../src/worker/upstream/peers.ts'
import { pickReport } from '../../../src/worker/upstream/pick-report.ts'
import type { Selection } from '../../../src/worker/upstream/selection.ts'
import { makePeers } from '../../support/peers.ts'

it('backups are nobody to be kept back where names lead to no other servers', () => {
  const peers = makePeers([{ backup: true }, { backup: true }])
  const group = { name: 'u', chooser: () => 'round robin' } as Partial<PeerGroup> as PeerGroup
  const selection = { set: { peers, single: null } as Partial<PeerSet>, tier: 0, tried: null } as Selection
  expect(pickReport(group, selection, peers[0]!)).toBe(
    'weir: round robin in "u" picked a (weight 1, current 0, connections 0), not b (weight 1, current 0, connections 0)',
  )
})
