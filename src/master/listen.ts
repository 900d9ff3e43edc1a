// Every listening socket of the process: those the master accepts on, those each worker has of its own (reuseport),
// and unix sockets, each of which one worker owns. An address that stays over a reload is never closed.

import { rmSync } from 'node:fs'
import { BoundSocket, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { errnoText } from '../shared/errno.ts'
import { listenOn, stopListening } from '../shared/listening.ts'
import type { AcceptedConnection, ListenAddress } from '../shared/messages.ts'
import type { MasterLog } from './master-log.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** nginx's patience with an address in use. */
const TRIES = 5
const RETRY_DELAY = 500

/** What is settled when a socket is made, with the parameters of `listen` that say it. */
const SOCKET_OPTIONS = [
  ['backlog', 'backlog'],
  ['ipv6only', 'ipv6only'],
  ['reuseport', 'reuseport'],
  ['soKeepalive', 'so_keepalive'],
] as const

interface Failure {
  reason: string
  inUse: boolean
}

/** The worker that was to open a socket has ended. */
const GONE = 'gone'

/** Sockets that are bound and not listened on yet, by address: one, or one for each worker and a spare (reuseport). */
export type BoundSockets = Map<string, BoundSocket[]>

export interface ListenersOwner {
  accepted(connection: AcceptedConnection, key: string): void
}

export class Listeners {
  readonly #log: MasterLog
  readonly #owner: ListenersOwner
  readonly #servers = new Map<string, Server>()
  /** Every open address as it was when its socket was made. */
  readonly #addresses = new Map<string, ListenAddress>()
  /** Addresses each worker listens on, with sockets bound for workers to come: privileges to bind may be gone then. */
  readonly #reuseport = new Map<string, { address: ListenAddress; spare: BoundSocket[] }>()
  readonly #unix = new Map<string, { address: ListenAddress; owner: WorkerHandle | null }>()

  constructor(log: MasterLog, owner: ListenersOwner) {
    this.#log = log
    this.#owner = owner
  }

  /**
   * Binds what of `addresses` is not open yet. Throws an Error when one cannot be bound; then none is. Unix sockets
   * are left to `openUnix`.
   */
  async bind(addresses: readonly ListenAddress[], workers: number): Promise<BoundSockets> {
    const bound: BoundSockets = new Map()
    this.#warnOfChanges(addresses)
    const missing = addresses.filter(({ key, path }) => path === null && !this.#isOpen(key))
    try {
      await this.#patiently(missing, async (address) => {
        try {
          bound.set(address.key, bindSockets(address, address.reuseport ? workers + 1 : 1))
          return null
        } catch (error) {
          return { reason: errnoText(error), inUse: (error as NodeJS.ErrnoException).code === 'EADDRINUSE' }
        }
      })
    } catch (error) {
      releaseBound(bound)
      throw error
    }
    return bound
  }

  /** Gives each worker its socket of the reuseport addresses that `bind` has bound. Throws an Error when one fails. */
  async openReuseport(
    addresses: readonly ListenAddress[],
    bound: BoundSockets,
    workers: readonly WorkerHandle[],
  ): Promise<void> {
    const shared = addresses.filter(({ key, reuseport }) => reuseport && bound.has(key))
    for (const address of shared) {
      this.#addresses.set(address.key, address)
      this.#reuseport.set(address.key, { address, spare: bound.get(address.key)! })
      bound.delete(address.key)
    }
    await Promise.all(workers.map((worker) => this.#openReuseport(worker, shared)))
  }

  /** Opens the unix sockets that are not open yet, each in a worker. Throws an Error when one cannot be; then none is. */
  async openUnix(addresses: readonly ListenAddress[], workers: readonly WorkerHandle[]): Promise<void> {
    const missing = addresses.filter(({ key, path }) => path !== null && !this.#unix.has(key))
    let turn = 0
    try {
      await this.#patiently(missing, (address) => this.#openUnix(address, workers, turn++))
    } catch (error) {
      for (const { key } of missing) {
        this.#unix.get(key)?.owner?.post({ type: 'unlisten', key })
        this.#unix.delete(key)
        this.#addresses.delete(key)
      }
      throw error
    }
  }

  /** One of `workers` opens it, those from `turn` on first. */
  async #openUnix(
    address: ListenAddress,
    workers: readonly WorkerHandle[],
    turn: number,
  ): Promise<Failure | null> {
    let owner: WorkerHandle | null = null
    for (let tries = 0; owner === null && tries < workers.length; tries++) {
      const worker = workers[(turn + tries) % workers.length]!
      const outcome = await openIn(worker, address, null)
      // One that is ending says nothing about the address.
      if (outcome === GONE || worker.state !== 'serving') continue
      if (outcome !== null) return outcome
      owner = worker
    }
    this.#addresses.set(address.key, address)
    // Without an owner it is for the next worker that joins.
    this.#unix.set(address.key, { address, owner })
    return null
  }

  /** Listens on the master's sockets: connections come from the next turn on. */
  async openHere(addresses: readonly ListenAddress[], bound: BoundSockets): Promise<void> {
    const here = addresses.filter(({ key, reuseport }) => bound.has(key) && !reuseport)
    await Promise.all(
      here.map(async (address) => {
        const { key } = address
        const [socket] = bound.get(key)!
        bound.delete(key)
        const server = await listenOn(address, socket!, {
          accepted: (connection) => this.#owner.accepted(connection, key),
          acceptFailed: (reason) => this.#log.report('crit', `accept4() failed (${reason})`),
        })
        this.#addresses.set(key, address)
        this.#servers.set(key, server)
      }),
    )
  }

  /** Closes every address that is not among `addresses`. */
  keep(addresses: readonly ListenAddress[], workers: readonly WorkerHandle[]): void {
    const kept = new Set(addresses.map(({ key }) => key))
    for (const key of this.#addresses.keys()) if (!kept.has(key)) this.#addresses.delete(key)
    for (const [key, server] of this.#servers) {
      if (kept.has(key)) continue
      stopListening(server)
      this.#servers.delete(key)
    }
    for (const [key, { spare }] of this.#reuseport) {
      if (kept.has(key)) continue
      for (const worker of workers) worker.post({ type: 'unlisten', key })
      for (const socket of spare) socket.close()
      this.#reuseport.delete(key)
    }
    for (const [key, { owner }] of this.#unix) {
      if (kept.has(key)) continue
      owner?.post({ type: 'unlisten', key })
      this.#unix.delete(key)
    }
  }

  /** A worker joined: it opens sockets of its own, and takes over unix sockets that nobody has. */
  async joined(worker: WorkerHandle): Promise<void> {
    const shared = [...this.#reuseport.values()].map(({ address }) => address)
    try {
      await this.#openReuseport(worker, shared)
    } catch {
      // Logged; the other workers' sockets serve the address.
    }
    await this.#adoptUnix(worker)
  }

  /**
   * A worker is leaving: one of those that serve then takes over its unix sockets. Not before it has closed them, which
   * removes their files, the next owner's too; one that has crashed or ended has done so already.
   */
  async left(worker: WorkerHandle, serving: () => readonly WorkerHandle[]): Promise<void> {
    const owned = [...this.#unix].filter(([, { owner }]) => owner === worker)
    if (worker.state === 'draining') {
      await Promise.all(owned.map(([key]) => worker.ask({ type: 'unlisten', key }, ['unlistened'])))
    }
    for (const [, entry] of owned) entry.owner = null
    const [heir] = serving()
    if (heir !== undefined) await this.#adoptUnix(heir)
  }

  /** Closes all sockets of the master; workers close theirs when they end. */
  close(): void {
    for (const server of this.#servers.values()) stopListening(server)
    this.#servers.clear()
    for (const { spare } of this.#reuseport.values()) for (const socket of spare) socket.close()
    this.#reuseport.clear()
  }

  /** Removes the files of unix sockets, once no worker has them any more. */
  removeUnixFiles(): void {
    for (const { address } of this.#unix.values()) removeFile(address)
    this.#unix.clear()
  }

  /** An open address cannot change sides without closing it, and with it the connections in its queue. */
  #warnOfChanges(addresses: readonly ListenAddress[]): void {
    for (const address of addresses) {
      const open = this.#addresses.get(address.key)
      if (open === undefined) continue
      for (const [option, word] of SOCKET_OPTIONS) {
        if (JSON.stringify(open[option]) === JSON.stringify(address[option])) continue
        this.#log.report('warn', `"${word}" of ${address.key} takes effect when weir is started again`)
      }
    }
  }

  #isOpen(key: string): boolean {
    return this.#servers.has(key) || this.#reuseport.has(key)
  }

  async #openReuseport(worker: WorkerHandle, addresses: readonly ListenAddress[]): Promise<void> {
    for (const address of addresses) {
      const entry = this.#reuseport.get(address.key)!
      const bound = entry.spare.pop() ?? bindSocket(address)
      const failure = await openIn(worker, address, bound)
      // Its replacement opens its own.
      if (failure === GONE) return
      if (failure !== null) throw new Error(this.#report(address, failure))
      if (entry.spare.length === 0) this.#restock(entry)
    }
  }

  /** Binds a socket for the next replacement, as long as weir may. */
  #restock(entry: { address: ListenAddress; spare: BoundSocket[] }): void {
    try {
      entry.spare.push(bindSocket(entry.address))
    } catch (error) {
      this.#report(entry.address, { reason: errnoText(error), inUse: false })
    }
  }

  async #adoptUnix(worker: WorkerHandle): Promise<void> {
    for (const entry of this.#unix.values()) {
      if (entry.owner !== null) continue
      entry.owner = worker
      // What the last owner left behind would count as in use.
      removeFile(entry.address)
      const failure = await openIn(worker, entry.address, null)
      if (failure !== null && failure !== GONE) this.#report(entry.address, failure)
    }
  }

  /** Tries each address until it succeeds, as often as nginx does. Throws when one fails for good. */
  async #patiently(
    addresses: readonly ListenAddress[],
    attempt: (address: ListenAddress) => Promise<Failure | null>,
  ): Promise<void> {
    let left = addresses
    for (let tries = 1; left.length > 0; tries++) {
      const failed: ListenAddress[] = []
      let words = ''
      for (const address of left) {
        const failure = await attempt(address)
        if (failure === null) continue
        words = this.#report(address, failure)
        if (!failure.inUse) throw new BindError(words)
        failed.push(address)
      }
      if (failed.length > 0 && tries === TRIES) {
        this.#log.report('emerg', 'still could not bind()')
        throw new BindError(words)
      }
      if (failed.length > 0) {
        this.#log.report('notice', `try again to bind() after ${RETRY_DELAY}ms`)
        await delay(RETRY_DELAY)
      }
      left = failed
    }
  }

  #report(address: ListenAddress, { reason }: Failure): string {
    const words = `bind() to ${address.key} failed (${reason})`
    this.#log.report('emerg', words)
    return words
  }
}

/** An address cannot be bound; it has been logged already. */
export class BindError extends Error {}

/** Closes sockets that are not going to be used. */
export function releaseBound(bound: BoundSockets): void {
  for (const socket of [...bound.values()].flat()) socket.close()
  bound.clear()
}

function bindSockets(address: ListenAddress, count: number): BoundSocket[] {
  const sockets: BoundSocket[] = []
  try {
    while (sockets.length < count) sockets.push(bindSocket(address))
  } catch (error) {
    for (const socket of sockets) socket.close()
    throw error
  }
  return sockets
}

function bindSocket({ host, port, ipv6only, reuseport }: ListenAddress): BoundSocket {
  const v6 = host!.includes(':')
  return new BoundSocket({ host: host!, port, ipv6Only: v6 && ipv6only, reusePort: reuseport })
}

async function openIn(
  worker: WorkerHandle,
  address: ListenAddress,
  bound: BoundSocket | null,
): Promise<Failure | typeof GONE | null> {
  const answer = await worker.ask(
    { type: 'listen', address, bound },
    ['listening', 'listen_failed'],
    bound === null ? [] : [bound],
  )
  if (answer === null) return GONE
  return answer.type === 'listening' ? null : answer
}

function removeFile({ path }: ListenAddress): void {
  try {
    rmSync(Buffer.from(path!, 'latin1'), { force: true })
  } catch {
    // Privileges may be dropped; binding says what is wrong then.
  }
}

/** What `-t` can find out about addresses: whether they can be bound at all. That one is in use proves nothing. */
export function bindForTest(addresses: readonly ListenAddress[]): void {
  for (const address of addresses) {
    if (address.path !== null) continue
    try {
      bindSocket(address).close()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue
      throw new Error(`bind() to ${address.key} failed (${errnoText(error)})`)
    }
  }
}
