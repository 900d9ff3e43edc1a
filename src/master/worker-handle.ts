// The master's side of one worker: its state, its row of statistics, messages and answers.

import type { Transferable } from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import { describeFailure } from '../shared/failure.ts'
import type { FromWorker, ToWorker, WorkerBoot } from '../shared/messages.ts'
import { WorkerStats } from '../shared/stats.ts'
import { WorkerShell } from '../worker/shell.ts'

export type FromWorkerType = FromWorker['type']
export type Answer<T extends FromWorkerType> = Extract<FromWorker, { type: T }>

export interface WorkerEvents {
  /** A message that nobody waits for. */
  message(worker: WorkerHandle, message: FromWorker): void
  /** The worker is gone: `failure` says of what, null when it ended as told. */
  ended(worker: WorkerHandle, failure: string | null): void
}

/** How a worker is run. */
interface Runner {
  post(message: ToWorker, transfer: readonly object[]): void
  terminate(): void
}

type StartRunner = (
  boot: WorkerBoot,
  receive: (message: FromWorker) => void,
  ended: (failure: string | null) => void,
) => Runner

interface Waiter {
  matches(message: FromWorker): boolean
  resolve(message: FromWorker | null): void
}

export class WorkerHandle {
  readonly slot: number
  readonly stats: WorkerStats
  /** Runs in this thread: what is posted is not transferred. */
  readonly inProcess: boolean
  /** starting: its Cycle is being built; serving: takes connections; draining, crashed: was told to end. */
  state: 'starting' | 'serving' | 'draining' | 'crashed' | 'ended' = 'starting'
  /** Of what it crashed, once it has said so. */
  failure: string | null = null
  readonly #events: WorkerEvents
  readonly #waiters = new Set<Waiter>()
  readonly #runner: Runner

  constructor(boot: WorkerBoot, inProcess: boolean, events: WorkerEvents) {
    this.slot = boot.slot
    this.inProcess = inProcess
    this.stats = new WorkerStats(boot.stats, boot.slot)
    this.#events = events
    const start: StartRunner = inProcess ? startShell : startThread
    this.#runner = start(
      boot,
      (message) => this.#receive(message),
      (failure) => this.#end(failure),
    )
  }

  post(message: ToWorker, transfer: readonly object[] = []): void {
    this.#runner.post(message, transfer)
  }

  /** Waits for a message of one of `types` (and of `key`, for messages that have one); null when the worker ends first. */
  next<T extends FromWorkerType>(types: readonly T[], key: string | null = null): Promise<Answer<T> | null> {
    if (this.state === 'ended') return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#waiters.add({
        matches: (message) =>
          types.includes(message.type as T) && (key === null || ('key' in message && message.key === key)),
        resolve: resolve as Waiter['resolve'],
      })
    })
  }

  /** Posts a message and waits for its answer. */
  ask<T extends FromWorkerType>(
    message: ToWorker,
    types: readonly T[],
    transfer: readonly object[] = [],
  ): Promise<Answer<T> | null> {
    const key = 'address' in message ? message.address.key : 'key' in message ? message.key : null
    const answer = this.next(types, key)
    this.post(message, transfer)
    return answer
  }

  terminate(): void {
    this.#runner.terminate()
  }

  #receive(message: FromWorker): void {
    for (const waiter of this.#waiters) {
      if (!waiter.matches(message)) continue
      this.#waiters.delete(waiter)
      return waiter.resolve(message)
    }
    this.#events.message(this, message)
  }

  #end(failure: string | null): void {
    this.#events.ended(this, this.failure ?? failure)
    this.state = 'ended'
    for (const waiter of this.#waiters) waiter.resolve(null)
    this.#waiters.clear()
  }
}

function startThread(...[boot, receive, ended]: Parameters<StartRunner>): Runner {
  // tsc does not rewrite the name of a file in new URL().
  const entry = import.meta.url.endsWith('.ts') ? '../worker/main.ts' : '../worker/main.js'
  // Tools that watch the process through NODE_OPTIONS (clinic) mix up what several threads write.
  const { NODE_OPTIONS: _, ...env } = process.env
  const thread = new Worker(new URL(entry, import.meta.url), {
    workerData: boot,
    name: `weir worker ${boot.slot + 1}`,
    env,
    // Files that a crash leaves open are closed with the thread.
    trackUnmanagedFds: true,
  })
  let failure: string | null = null
  thread.on('message', receive)
  thread.on('messageerror', (error) => {
    failure = describeFailure(error)
  })
  thread.on('error', (error) => {
    failure = describeFailure(error)
  })
  thread.on('exit', (code) => ended(failure ?? (code === 0 ? null : `code ${code}`)))
  return {
    post: (message, transfer) => thread.postMessage(message, transfer as Transferable[]),
    terminate: () => void thread.terminate(),
  }
}

/** The shell in this very thread. Messages go both ways on the next turn, as they would between threads. */
function startShell(...[boot, receive, ended]: Parameters<StartRunner>): Runner {
  let open = true
  const exit = (): void => {
    if (!open) return
    open = false
    setImmediate(() => ended(null))
  }
  let shell: WorkerShell | null = null
  setImmediate(() => {
    shell = new WorkerShell(boot, { send: (message) => setImmediate(() => receive(message)), exit })
  })
  return {
    post(message) {
      // Connections are taken over at once: there is nothing to transfer.
      if (message.type === 'connection' && shell !== null) shell.receive(message)
      else setImmediate(() => open && shell?.receive(message))
    },
    terminate: exit,
  }
}
