// The engine behind the master's messages. In a worker thread worker/main.ts connects it to the thread's port; with
// `master_process off` the master runs one in its own thread.

import type { BoundSocket } from 'node:net'
import type { Cycle } from '../shared/conf/build.ts'
import { workerConnections } from '../shared/core.ts'
import { asSocket, closeConnection } from '../shared/listening.ts'
import type { AcceptedConnection, CyclePlan, FromWorker, ToWorker, WorkerBoot } from '../shared/messages.ts'
import { WorkerStats } from '../shared/stats.ts'
import { Engine } from './engine.ts'
import { OwnListeners } from './listen.ts'

/** How a shell reaches the master, and ends. */
export interface ShellPort {
  send(message: FromWorker, transfer?: readonly object[]): void
  exit(): void
}

export class WorkerShell {
  readonly #port: ShellPort
  readonly #stats: WorkerStats
  readonly #engine: Engine
  readonly #listeners: OwnListeners
  #limit = 0
  #crashed = false
  #prepared: { cycle: Cycle; plan: CyclePlan } | null = null
  /** Generations of the Cycles in use: of the newest, and of each that a request still holds on to. */
  readonly #used: number[] = []
  /** Tells the master when the last request of an earlier Cycle is gone, so that its log files can be closed. */
  readonly #released = new FinalizationRegistry<number>((generation) => {
    this.#used.splice(this.#used.indexOf(generation), 1)
    this.#port.send({ type: 'released', before: Math.min(...this.#used) })
  })

  constructor(boot: WorkerBoot, port: ShellPort) {
    this.#port = port
    this.#stats = new WorkerStats(boot.stats, boot.slot)
    this.#engine = new Engine(boot.slot, this.#stats)
    this.#listeners = new OwnListeners({
      accepted: (connection, key) => this.#acceptedHere(connection, key),
      acceptFailed: (reason) => port.send({ type: 'accept_failed', reason }),
      send: (message) => port.send(message),
    })
    this.#start(boot.plan)
  }

  /** Obeys one message. */
  receive(message: ToWorker): void {
    switch (message.type) {
      case 'connection':
        if (this.#crashed) return this.#giveBack(message, message.key)
        return this.#engine.adopt(asSocket(message), message.key)
      case 'prepare':
        return this.#prepare(message.plan)
      case 'activate':
        if (this.#prepared?.plan.generation === message.generation) this.#activate(this.#prepared)
        return
      case 'discard':
        this.#prepared = null
        return
      case 'listen':
        void this.#listeners.open(message.address, message.bound as BoundSocket | null)
        return
      case 'unlisten':
        this.#listeners.close(message.key)
        return this.#port.send({ type: 'unlistened', key: message.key })
      case 'serve':
        return this.#listeners.serve()
      case 'reopen':
        this.#engine.reopen(message.logFiles)
        return this.#port.send({ type: 'reopened' })
      case 'addresses': {
        const { key, answers } = message
        return this.#port.send({ type: 'addresses_used', key, leftOut: this.#engine.follow(answers) })
      }
      case 'staples':
        return this.#engine.staples.use(message.staples)
      case 'shed':
        return this.#port.send({ type: 'shed', closed: this.#engine.shed(message.count) })
      case 'quit':
        this.#listeners.closeAll()
        return this.#engine.drain(() => {
          this.#port.send({ type: 'drained' })
          this.#port.exit()
        })
      case 'stop':
        this.#listeners.closeAll()
        // What has been gathered in this turn, lines of logs for one, is written at its end.
        setImmediate(() => {
          this.#engine.finishLogs()
          this.#port.exit()
        })
        return
    }
  }

  /**
   * Nobody caught an exception: whatever state it left behind, no new connection meets it. The master does not know
   * yet, and may be handing over more of them: until it answers, they go back.
   */
  crash(reason: string): void {
    if (this.#crashed) return
    this.#crashed = true
    this.#listeners.closeAll()
    this.#port.send({ type: 'crashed', reason })
  }

  #giveBack(connection: AcceptedConnection, key: string): void {
    if ('handle' in connection) {
      this.#port.send({ type: 'returned', key, handle: connection.handle }, [connection.handle])
    } else {
      this.#port.send({ type: 'returned', key, socket: connection.socket }, [connection.socket])
    }
  }

  #start(plan: CyclePlan): void {
    try {
      this.#activate({ cycle: this.#engine.prepare(plan), plan })
    } catch (error) {
      this.#port.send({ type: 'unfit', message: (error as Error).message })
      return this.#port.exit()
    }
    this.#port.send({ type: 'ready' })
  }

  #prepare(plan: CyclePlan): void {
    const { generation } = plan
    try {
      this.#prepared = { cycle: this.#engine.prepare(plan), plan }
    } catch (error) {
      return this.#port.send({ type: 'refused', generation, message: (error as Error).message })
    }
    this.#port.send({ type: 'prepared', generation })
  }

  #activate({ cycle, plan }: { cycle: Cycle; plan: CyclePlan }): void {
    this.#prepared = null
    this.#limit = workerConnections(cycle.root)
    this.#engine.activate(cycle, plan)
    // Requests hold the scope of their server, and through it this one; not the Cycle itself.
    this.#released.register(cycle.root, plan.generation)
    this.#used.push(plan.generation)
  }

  /** A connection of a listening socket of our own: what the master does for its own ones is done here. */
  #acceptedHere(connection: AcceptedConnection, key: string): void {
    if (this.#stats.connections >= this.#limit && this.#engine.shed(1) === 0) {
      this.#stats.countAccepted()
      this.#port.send({ type: 'full' })
      return closeConnection(connection)
    }
    this.#stats.addActive(1)
    this.#engine.adopt(asSocket(connection), key)
  }
}
