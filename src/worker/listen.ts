// Listening sockets of a worker's own: `reuseport` ones, bound by the master and handed over, and unix sockets, which
// cannot pass between threads. Connections are held back until the master has dropped its privileges.

import type { BoundSocket, Server } from 'node:net'
import { errnoText } from '../shared/errno.ts'
import { listenOn, stopListening } from '../shared/listening.ts'
import type { AcceptedConnection, FromWorker, ListenAddress } from '../shared/messages.ts'

export interface OwnListenersOwner {
  accepted(connection: AcceptedConnection, key: string): void
  acceptFailed(reason: string): void
  send(message: FromWorker): void
}

export class OwnListeners {
  readonly #owner: OwnListenersOwner
  readonly #servers = new Map<string, Server>()
  #held: { connection: AcceptedConnection; key: string }[] | null = []

  constructor(owner: OwnListenersOwner) {
    this.#owner = owner
  }

  async open(address: ListenAddress, bound: BoundSocket | null): Promise<void> {
    const { key } = address
    try {
      const server = await listenOn(address, bound, {
        accepted: (connection) => this.#accepted(connection, key),
        acceptFailed: (reason) => this.#owner.acceptFailed(reason),
      })
      this.#servers.set(key, server)
      this.#owner.send({ type: 'listening', key })
    } catch (error) {
      const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      this.#owner.send({ type: 'listen_failed', key, reason: errnoText(error), inUse })
    }
  }

  /** Hands over what was held back, and everything from now on. */
  serve(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const { connection, key } of held) this.#owner.accepted(connection, key)
  }

  close(key: string): void {
    const server = this.#servers.get(key)
    if (server !== undefined) stopListening(server)
    this.#servers.delete(key)
  }

  closeAll(): void {
    for (const key of [...this.#servers.keys()]) this.close(key)
  }

  #accepted(connection: AcceptedConnection, key: string): void {
    if (this.#held === null) this.#owner.accepted(connection, key)
    else this.#held.push({ connection, key })
  }
}
