// Accepted connection -> the worker with the fewest, below its `worker_connections`. When all are full, workers close
// idle keepalive connections to make room, as nginx does; failing that, the connection is closed.

import { closeConnection, isStillOurs } from '../shared/listening.ts'
import type { AcceptedConnection } from '../shared/messages.ts'
import type { WorkerStats } from '../shared/stats.ts'
import type { MasterLog } from './master-log.ts'
import type { WorkerHandle } from './worker-handle.ts'

interface Waiting {
  connection: AcceptedConnection
  key: string
}

/** nginx says once a second that it reuses connections. */
const WARNING_INTERVAL = 1000

export class Distributor {
  readonly #log: MasterLog
  /** The master's own row: connections that no worker saw. */
  readonly #stats: WorkerStats
  #workers: readonly WorkerHandle[] = []
  #limit = 0
  /** Where the next search begins, so that equally loaded workers take turns. */
  #turn = 0
  /** Accepted connections that no worker has room for, or that came before `serve`. */
  #waiting: Waiting[] = []
  /** Workers that were asked to make room and have not answered. */
  #asked = 0
  #madeRoom = false
  #warnedAt = 0
  #open = false

  constructor(log: MasterLog, stats: WorkerStats) {
    this.#log = log
    this.#stats = stats
  }

  /** `limit`: connections of each worker, clients and upstreams together. */
  set limit(limit: number) {
    this.#limit = limit
  }

  /** The workers to choose from, from now on. */
  set workers(workers: readonly WorkerHandle[]) {
    this.#workers = workers
    if (this.#open) this.#placeWaiting()
  }

  /** Hands over what has been accepted so far, and everything from now on. */
  serve(): void {
    this.#open = true
    this.#placeWaiting()
  }

  /** Closes what waits: the end has come. */
  close(): void {
    this.#open = false
    for (const { connection } of this.#waiting.splice(0)) closeConnection(connection)
  }

  dispatch(connection: AcceptedConnection, key: string): void {
    const worker = this.#open && this.#waiting.length === 0 ? this.#pick() : null
    if (worker !== null) return this.#send(worker, connection, key)
    this.#waiting.push({ connection, key })
    if (this.#open) this.#makeRoom()
  }

  #pick(): WorkerHandle | null {
    const workers = this.#workers
    const count = workers.length
    let least = Number.POSITIVE_INFINITY
    let found = -1
    for (let step = 0, at = this.#turn; step < count; step++, at++) {
      if (at >= count) at = 0
      const { stats } = workers[at]!
      const active = stats.active
      if (active < least && active + stats.upstream < this.#limit) {
        least = active
        found = at
      }
    }
    if (found < 0) return null
    this.#turn = found + 1 < count ? found + 1 : 0
    return workers[found]!
  }

  #send(worker: WorkerHandle, connection: AcceptedConnection, key: string): void {
    worker.stats.addActive(1)
    if ('handle' in connection) {
      worker.post({ type: 'connection', key, handle: connection.handle }, [connection.handle])
    } else {
      worker.post({ type: 'connection', key, socket: connection.socket }, [connection.socket])
    }
    if (worker.inProcess || !isStillOurs(connection)) return
    // The worker is gone, and its end not known here yet: posting to it neither throws nor takes the connection.
    worker.stats.addActive(-1)
    this.#workers = this.#workers.filter((other) => other !== worker)
    this.dispatch(connection, key)
  }

  #placeWaiting(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#pick()
      if (worker === null) return this.#makeRoom()
      const { connection, key } = this.#waiting.shift()!
      this.#send(worker, connection, key)
    }
  }

  /** Asks workers to close idle connections for those that wait; one round at a time. */
  #makeRoom(): void {
    // Without any worker (the only one is being replaced) connections wait for the next.
    if (this.#asked > 0 || this.#workers.length === 0) return
    const idle = this.#workers.filter(({ stats }) => stats.waiting > 0)
    if (idle.length === 0) return this.#refuse()
    this.#warn()
    const count = Math.ceil(this.#waiting.length / idle.length)
    this.#asked = idle.length
    this.#madeRoom = false
    for (const worker of idle) {
      void worker
        .ask({ type: 'shed', count }, ['shed'])
        .then((answer) => this.#answered(worker, answer?.closed ?? 0))
    }
  }

  /** The closed ones are still being counted when the answer comes, so it is what says how much room there is. */
  #answered(worker: WorkerHandle, closed: number): void {
    this.#asked--
    if (closed > 0) this.#madeRoom = true
    // It may have left since it was asked.
    const taken = this.#workers.includes(worker) ? closed : 0
    for (const { connection, key } of this.#waiting.splice(0, taken)) this.#send(worker, connection, key)
    if (this.#asked > 0 || this.#waiting.length === 0) return
    if (this.#madeRoom) this.#placeWaiting()
    else this.#refuse()
  }

  #refuse(): void {
    for (const { connection } of this.#waiting.splice(0)) {
      this.#stats.countAccepted()
      this.#log.report('alert', `${this.#limit} worker_connections are not enough`)
      closeConnection(connection)
    }
  }

  #warn(): void {
    const now = Date.now()
    if (now - this.#warnedAt < WARNING_INTERVAL) return
    this.#warnedAt = now
    this.#log.report('warn', `${this.#limit} worker_connections are not enough, reusing connections`)
  }
}
