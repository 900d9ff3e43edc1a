// Idle connections to the peers of a group, per worker, as nginx's `keepalive`: the one used last is taken first, and
// the one unused longest goes when there are too many. Unlike nginx, those beyond the limit are closed a moment later
// and only if nothing has taken them by then: requests come in bursts, and closing a connection between two of them to
// open it again costs more than either request.

import { now } from '../tick.ts'
import { Timer } from '../timer.ts'
import type { PeerConnection } from './connect.ts'
import type { KeepaliveSettings, Peer } from './peers.ts'

/** How long connections beyond the limit may wait for the next request, milliseconds. */
const SURPLUS_TIME = 100

export class IdleConnections {
  readonly #settings: KeepaliveSettings
  /** Longest idle first. */
  readonly #idle: PeerConnection[] = []
  readonly #surplusTimer = new Timer(() => this.#closeSurplus())
  #surplusWaits = false
  #closed = false

  constructor(settings: KeepaliveSettings) {
    this.#settings = settings
  }

  /** An idle connection to `peer` from the local address called `local` ('': from any), or null. */
  take(peer: Peer, local: string): PeerConnection | null {
    const idle = this.#idle
    for (let index = idle.length - 1; index >= 0; index--) {
      const connection = idle[index]!
      if (connection.peer !== peer || connection.local !== local) continue
      if (index === idle.length - 1) idle.pop()
      else idle.splice(index, 1)
      return connection
    }
    return null
  }

  /** Keeps a connection whose response is complete, or closes it. */
  offer(connection: PeerConnection): void {
    const { connections, requests, time, timeout } = this.#settings
    const tired = connection.requests >= requests || now() - connection.opened >= time
    if (connections === 0 || tired || this.#closed || connection.peer.down) return connection.destroy()
    this.#idle.push(connection)
    connection.rest(timeout)
    if (this.#idle.length <= connections || this.#surplusWaits) return
    this.#surplusWaits = true
    this.#surplusTimer.start(SURPLUS_TIME)
  }

  #closeSurplus(): void {
    this.#surplusWaits = false
    const surplus = this.#idle.length - this.#settings.connections
    if (surplus > 0) for (const connection of this.#idle.splice(0, surplus)) connection.destroy()
  }

  /** Closes the connection unused longest; false: there is none. */
  closeOldest(): boolean {
    const oldest = this.#idle.shift()
    oldest?.destroy()
    return oldest !== undefined
  }

  /** Closes all to `peer`, which is gone. */
  closeOf(peer: Peer): void {
    const gone = this.#idle.filter((connection) => connection.peer === peer)
    for (const connection of gone) {
      this.forget(connection)
      connection.destroy()
    }
  }

  /** The connection has been closed while idle. */
  forget(connection: PeerConnection): void {
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
  }

  /** Closes all: the configuration they belong to is no longer used. */
  close(): void {
    this.#closed = true
    this.#surplusTimer.stop()
    this.#surplusWaits = false
    for (const connection of this.#idle.splice(0)) connection.destroy()
  }
}
