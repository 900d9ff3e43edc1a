// All workers: start, replace, add and drain them, and speak to all of them at once.

import type { CyclePlan, FromWorker } from '../shared/messages.ts'
import { allocateStats, WORKER_SLOTS } from '../shared/stats.ts'
import type { MasterLog } from './master-log.ts'
import { WorkerHandle } from './worker-handle.ts'

/** A worker that ends before it was ready is tried again after this time. */
const RETRY_DELAY = 1000
/** Workers told to end at once get this long. */
const STOP_LIMIT = 2000

export interface PoolOwner {
  /** A worker started later than the others (a replacement, or a new one after a reload) is ready to serve. */
  joined(worker: WorkerHandle): void
  /** A worker no longer takes connections: it is being drained, has crashed, or is gone. */
  left(worker: WorkerHandle): void
  /** A worker has ended. */
  gone(worker: WorkerHandle): void
  /** A message that is not an answer. */
  message(worker: WorkerHandle, message: FromWorker): void
}

export class WorkerPool {
  readonly stats = allocateStats(WORKER_SLOTS)
  readonly #log: MasterLog
  readonly #owner: PoolOwner
  readonly inProcess: boolean
  readonly #workers = new Set<WorkerHandle>()
  /** Given to workers that are started from now on. */
  #plan: CyclePlan
  #wanted = 0
  /** Who has built the plan that is about to be activated. */
  #prepared: readonly WorkerHandle[] = []
  #state: 'starting' | 'running' | 'ending' = 'starting'
  #allEnded: () => void = () => {}

  constructor(plan: CyclePlan, inProcess: boolean, log: MasterLog, owner: PoolOwner) {
    this.#plan = plan
    this.inProcess = inProcess
    this.#log = log
    this.#owner = owner
  }

  /** Every worker that has not ended yet. */
  get all(): WorkerHandle[] {
    return [...this.#workers]
  }

  /** Workers that take connections, in the order of their slots. */
  get serving(): WorkerHandle[] {
    return [...this.#workers].filter(({ state }) => state === 'serving').sort((a, b) => a.slot - b.slot)
  }

  /** Starts the first workers. Throws an Error when one of them cannot serve. */
  async start(count: number): Promise<void> {
    this.#wanted = count
    const workers = Array.from({ length: count }, (_, slot) => this.#spawn(slot))
    const answers = await Promise.all(workers.map((worker) => worker.next(['ready', 'unfit'])))
    for (const answer of answers) {
      if (answer === null) throw new Error('a worker thread ended before it was ready')
      if (answer.type === 'unfit') throw new Error(answer.message)
    }
    for (const worker of workers) worker.state = 'serving'
    this.#state = 'running'
  }

  /**
   * Lets every worker build `plan` beside what it runs. Returns null when all of them can, else what the first one
   * says against it; then nobody keeps it.
   */
  async prepare(plan: CyclePlan): Promise<string | null> {
    const { generation } = plan
    const workers = this.serving
    const answers = await Promise.all(
      workers.map((worker) => worker.ask({ type: 'prepare', plan }, ['prepared', 'refused'])),
    )
    for (const answer of answers) {
      if (answer?.type === 'prepared') continue
      for (const worker of workers) worker.post({ type: 'discard', generation })
      return answer === null
        ? 'a worker thread ended while it was building the configuration'
        : answer.message
    }
    this.#prepared = workers
    return null
  }

  /** Switches every worker to the plan they have prepared, and starts or drains workers until there are `count`. */
  activate(plan: CyclePlan, count: number): void {
    this.#plan = plan
    for (const worker of this.serving) {
      if (this.#prepared.includes(worker)) worker.post({ type: 'activate', generation: plan.generation })
      // It joined while the others were building.
      else void this.#update(worker, plan)
    }
    this.#prepared = []
    this.#wanted = count
    for (const worker of this.serving.slice(count)) this.#drain(worker)
    for (let missing = count - this.#staying; missing > 0; missing--) void this.#join(this.#freeSlot())
  }

  /**
   * Workers write their logs to these descriptors; resolves when none uses the old ones. `current`: all that the
   * running Cycle names.
   */
  async reopen(logFiles: Record<string, number>, current: Record<string, number>): Promise<void> {
    this.#plan = { ...this.#plan, logFiles: current }
    const writing = [...this.#workers].filter(({ state }) => state !== 'ended')
    await Promise.all(writing.map((worker) => worker.ask({ type: 'reopen', logFiles }, ['reopened'])))
  }

  /** Ends all workers: `quit` when what is in flight is finished, `stop` at once. */
  async end(how: 'quit' | 'stop'): Promise<void> {
    this.#state = 'ending'
    if (this.#workers.size === 0) return
    const ended = new Promise<void>((resolve) => {
      this.#allEnded = resolve
    })
    for (const worker of this.#workers) {
      if (how === 'stop') worker.post({ type: 'stop' })
      else if (worker.state !== 'draining') this.#drain(worker)
    }
    if (how === 'quit') return ended
    const limit = setTimeout(() => {
      for (const worker of this.#workers) worker.terminate()
    }, STOP_LIMIT)
    await ended
    clearTimeout(limit)
  }

  #spawn(slot: number): WorkerHandle {
    const boot = { slot, stats: this.stats, plan: this.#plan }
    const worker = new WorkerHandle(boot, this.inProcess, {
      message: (from, message) => {
        if (message.type === 'crashed') this.#crashed(from, message.reason)
        else this.#owner.message(from, message)
      },
      ended: (from, failure) => this.#ended(from, failure),
    })
    this.#workers.add(worker)
    return worker
  }

  /** Starts one more worker beside those that serve. */
  async #join(slot: number): Promise<void> {
    const plan = this.#plan
    const worker = this.#spawn(slot)
    const answer = await worker.next(['ready', 'unfit'])
    if (answer?.type === 'unfit') this.#log.report('alert', `worker thread ${slot + 1}: ${answer.message}`)
    if (answer?.type !== 'ready' || worker.state !== 'starting') return
    if (!(await this.#catchUp(worker, plan))) return
    worker.state = 'serving'
    this.#owner.joined(worker)
  }

  /** A reload or reopening of logs may have passed by a worker that was still starting. */
  async #catchUp(worker: WorkerHandle, built: CyclePlan): Promise<boolean> {
    let plan = built
    while (plan !== this.#plan) {
      plan = this.#plan
      if (!(await this.#update(worker, plan))) return false
    }
    return worker.state === 'starting'
  }

  /** Switches one worker to a plan that others run already; one that cannot is replaced. */
  async #update(worker: WorkerHandle, plan: CyclePlan): Promise<boolean> {
    const answer = await worker.ask({ type: 'prepare', plan }, ['prepared', 'refused'])
    if (answer?.type === 'prepared') worker.post({ type: 'activate', generation: plan.generation })
    else if (answer !== null) worker.terminate()
    return answer?.type === 'prepared'
  }

  #refill(): void {
    if (this.#state === 'running' && this.#staying < this.#wanted) void this.#join(this.#freeSlot())
  }

  #drain(worker: WorkerHandle): void {
    worker.state = 'draining'
    this.#owner.left(worker)
    worker.post({ type: 'quit' })
  }

  /** It keeps its connections until it is told to end: by then nothing more is on the way to it. */
  #crashed(worker: WorkerHandle, reason: string): void {
    const { state } = worker
    worker.failure = reason
    worker.state = 'crashed'
    if (state === 'serving') this.#owner.left(worker)
    worker.post({ type: 'stop' })
  }

  #ended(worker: WorkerHandle, failure: string | null): void {
    const { state, slot } = worker
    this.#workers.delete(worker)
    worker.state = 'ended'
    worker.stats.reset()
    if (state === 'serving') this.#owner.left(worker)
    this.#owner.gone(worker)
    if (failure !== null) this.#log.report('alert', `worker thread ${slot + 1} exited on ${failure}`)
    else this.#log.report('notice', `worker thread ${slot + 1} exited with code 0`)
    if (this.#state === 'ending' && this.#workers.size === 0) return this.#allEnded()
    if (this.#state !== 'running' || state === 'draining' || this.#staying >= this.#wanted) return
    if (state === 'serving' || state === 'crashed') void this.#join(slot)
    else setTimeout(() => this.#refill(), RETRY_DELAY)
  }

  /** Workers that serve or will. */
  get #staying(): number {
    return [...this.#workers].filter(({ state }) => state !== 'draining').length
  }

  #freeSlot(): number {
    const taken = new Set([...this.#workers].map(({ slot }) => slot))
    let slot = 0
    while (taken.has(slot)) slot++
    return slot
  }
}
