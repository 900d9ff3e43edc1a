// What clients know a server by: the `route` of its `server` line, or a hash of its address.

import { hash } from 'node:crypto'
import type { Peer } from '../peers.ts'

const ids = new WeakMap<Peer, string>()

/** At most 32 bytes. As in nginx the hash is the MD5, in hexadecimal, of the address as logs have it. */
export function serverId(peer: Peer): string {
  let id = ids.get(peer)
  if (id === undefined) {
    id = peer.route === '' ? hash('md5', Buffer.from(peer.name, 'latin1')) : peer.route
    ids.set(peer, id)
  }
  return id
}
