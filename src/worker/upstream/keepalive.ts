// Idle connections to the peers of a group, per worker, as nginx's `keepalive`: the one used last is taken first, and
// the one unused longest goes when there are too many. Unlike nginx, those beyond the limit are closed a moment later
// and only if nothing has taken them by then: requests come in bursts, and closing a connection between two of them to
// open it again costs more than either request.
// They stand in one line, longest idle first, and those of a peer in a line of its own: every request takes one out and
// puts one in, whatever the number of peers.

import { now } from '../tick.ts'
import { Timer } from '../timer.ts'
import type { PeerConnection } from './connect.ts'
import type { KeepaliveSettings, Peer } from './peers.ts'
import type { TlsClient } from './tls/client.ts'
import type { WireProtocol } from './wire.ts'

/** How long connections beyond the limit may wait for the next request, milliseconds. */
const SURPLUS_TIME = 100

/** What a connection keeps for IdleConnections while it is idle. */
export interface IdlePlace {
  /** Neighbours among all. */
  older: PeerConnection | null
  newer: PeerConnection | null
  /** Neighbours among those of its peer. */
  olderOfPeer: PeerConnection | null
  newerOfPeer: PeerConnection | null
  /** How many had been idle up to this one; 0: it is not idle. */
  turn: number
}

/** Of a connection that is not idle. */
export function noPlace(): IdlePlace {
  return { older: null, newer: null, olderOfPeer: null, newerOfPeer: null, turn: 0 }
}

export class IdleConnections {
  readonly #settings: KeepaliveSettings
  #oldest: PeerConnection | null = null
  #newest: PeerConnection | null = null
  #count = 0
  #turns = 0
  readonly #surplusTimer = new Timer(() => this.#closeSurplus())
  #surplusWaits = false
  /** Turn of the newest connection when the timer was started. */
  #surplusUpTo = 0
  #closed = false

  constructor(settings: KeepaliveSettings) {
    this.#settings = settings
  }

  /**
   * An idle connection to `peer` from the local address called `local` ('': from any) that speaks `wire`,
   * encrypted just as `tls` has it (null: not at all), or null.
   */
  take(
    peer: Peer,
    local: string,
    wire: WireProtocol = 'HTTP/1',
    tls: TlsClient | null = null,
  ): PeerConnection | null {
    let connection = peer.newestIdle
    while (
      connection !== null &&
      (connection.local !== local || connection.protocol !== wire || connection.tls !== tls)
    ) {
      connection = connection.idle.olderOfPeer
    }
    if (connection !== null) this.#remove(connection)
    return connection
  }

  /** Keeps a connection whose response is complete, or closes it. */
  offer(connection: PeerConnection): void {
    const { connections, requests, time, timeout } = this.#settings
    const tired = connection.requests >= requests || now() - connection.opened >= time
    if (connections === 0 || tired || this.#closed || connection.peer.down) return connection.destroy()
    this.#add(connection)
    connection.rest(timeout)
    if (this.#count > connections && !this.#surplusWaits) this.#letSurplusWait()
  }

  #letSurplusWait(): void {
    this.#surplusWaits = true
    this.#surplusUpTo = this.#turns
    this.#surplusTimer.start(SURPLUS_TIME)
  }

  /** Those that have been idle all the time since the timer was started. */
  #closeSurplus(): void {
    this.#surplusWaits = false
    while (this.#count > this.#settings.connections) {
      if (this.#oldest!.idle.turn > this.#surplusUpTo) return this.#letSurplusWait()
      this.closeOldest()
    }
  }

  /** Closes the connection unused longest; false: there is none. */
  closeOldest(): boolean {
    const oldest = this.#oldest
    if (oldest === null) return false
    this.#remove(oldest)
    oldest.destroy()
    return true
  }

  /** Closes all to `peer`, which is gone. */
  closeOf(peer: Peer): void {
    for (let connection = peer.newestIdle; connection !== null; connection = peer.newestIdle) {
      this.#remove(connection)
      connection.destroy()
    }
  }

  /** The connection has been closed, perhaps while idle. */
  forget(connection: PeerConnection): void {
    if (connection.idle.turn > 0) this.#remove(connection)
  }

  /** Closes all: the configuration they belong to is no longer used. */
  close(): void {
    this.#closed = true
    this.#surplusTimer.stop()
    this.#surplusWaits = false
    while (this.closeOldest());
  }

  #add(connection: PeerConnection): void {
    const { idle, peer } = connection
    const newest = this.#newest
    idle.older = newest
    if (newest === null) this.#oldest = connection
    else newest.idle.newer = connection
    this.#newest = connection
    const newestOfPeer = peer.newestIdle
    idle.olderOfPeer = newestOfPeer
    if (newestOfPeer !== null) newestOfPeer.idle.newerOfPeer = connection
    peer.newestIdle = connection
    idle.turn = ++this.#turns
    this.#count++
  }

  #remove({ idle, peer }: PeerConnection): void {
    const { older, newer, olderOfPeer, newerOfPeer } = idle
    if (older === null) this.#oldest = newer
    else older.idle.newer = newer
    if (newer === null) this.#newest = older
    else newer.idle.older = older
    if (newerOfPeer === null) peer.newestIdle = olderOfPeer
    else newerOfPeer.idle.olderOfPeer = olderOfPeer
    if (olderOfPeer !== null) olderOfPeer.idle.newerOfPeer = newerOfPeer
    idle.older = idle.newer = idle.olderOfPeer = idle.newerOfPeer = null
    idle.turn = 0
    this.#count--
  }
}
