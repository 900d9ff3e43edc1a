// Peers for tests of balancers: configured in a few words, with state in a zone of their own or a given one.

import { PeerZone, zoneBytes } from '../../src/shared/peer-zone.ts'
import type { Request } from '../../src/worker/http/request.ts'
import type { Balancer } from '../../src/worker/upstream/balance/balancer.ts'
import { DEFAULT_PEER, type Peer, type PeerOptions } from '../../src/worker/upstream/peers.ts'

const MOST = 32

/** Memory of a zone for peers of these tests. */
export const zoneMemory = () => new SharedArrayBuffer(zoneBytes(MOST, 4))

/** One peer for each of `options`, called a, b, c, ..., as the worker in `slot` sees them in `memory`. */
export function makePeers(options: Partial<PeerOptions>[], memory = zoneMemory(), slot = 0): Peer[] {
  const zone = new PeerZone(memory, MOST, slot)
  return options.map((given, index) => {
    const name = 'abcdefghijklmnopqrstuvwxyz'[index]!
    const peer = { ...DEFAULT_PEER, ...given }
    const state = zone.claim(name, peer.weight)!
    return {
      name,
      server: name,
      host: '127.0.0.1',
      port: 1 + index,
      path: null,
      ...peer,
      state,
      newestIdle: null,
    }
  })
}

/** Peers of these weights. */
export const weighted = (...weights: number[]) => makePeers(weights.map((weight) => ({ weight })))

/** Names of what `balancer` picks for `count` requests one after another. */
export function sequence(balancer: Balancer, count: number, r = {} as Request): string {
  const picks = Array.from({ length: count }, () => balancer.begin(r).pick(null, 1e9))
  return picks.map((peer) => peer?.name ?? '-').join('')
}
