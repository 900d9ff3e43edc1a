// A running weir: what was started in which order, and what its signals do to it.

import { errnoText } from '../shared/errno.ts'
import { utf8 } from '../shared/latin1.ts'
import type { FromWorker } from '../shared/messages.ts'
import { WORKER_SLOTS, WorkerStats } from '../shared/stats.ts'
import { closeSyslog } from '../shared/syslog.ts'
import { buildLoaded, type LoadedCycle, planOf, readSource, type Source, startError } from './cycle.ts'
import { Distributor } from './distribute.ts'
import { HealthChecks } from './health/health-checks.ts'
import { BindError, type BoundSockets, Listeners, releaseBound } from './listen.ts'
import { LivePeers } from './live-peers.ts'
import { type LogFiles, LogFileTable } from './log-files.ts'
import { closeLogFiles, type MasterLog, makeLogsFolder, openLogFiles } from './master-log.ts'
import type { Options } from './options.ts'
import type { Paths } from './paths.ts'
import { forgetPeers, reclaimPeers } from './peer-zones.ts'
import { PidFile } from './pid.ts'
import { checkFileLimit, dropPrivileges } from './privileges.ts'
import { handleSignals } from './signals.ts'
import { Stapler } from './stapling/stapler.ts'
import { makeTempFolders } from './temp-folders.ts'
import type { WorkerHandle } from './worker-handle.ts'
import { WorkerPool } from './workers.ts'

/** Half of the slots: a reload may start as many new workers while the old ones still drain. */
const MOST_WORKERS = WORKER_SLOTS / 2

export class Master {
  readonly #options: Options
  readonly #paths: Paths
  readonly #log: MasterLog
  readonly #listeners: Listeners
  readonly #pool: WorkerPool
  readonly #livePeers: LivePeers
  readonly #health: HealthChecks
  readonly #stapler: Stapler
  readonly #distributor: Distributor
  #current: LoadedCycle
  readonly #logFiles: LogFileTable<WorkerHandle>
  #pid: PidFile | null = null
  #dropped = false
  /** What signals that came while weir was starting want done. */
  readonly #waiting: (() => void)[] = []
  #state: 'starting' | 'running' | 'quitting' | 'stopping' = 'starting'
  /** Reloads and reopenings, one after the other. */
  #chores: Promise<void> = Promise.resolve()
  #finished: () => void = () => {}
  /** Resolves when everything is closed and removed. */
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#finished = resolve
  })

  private constructor(
    options: Options,
    paths: Paths,
    log: MasterLog,
    loaded: LoadedCycle,
    logFiles: LogFiles,
  ) {
    this.#options = options
    this.#paths = paths
    this.#log = log
    this.#current = loaded
    this.#logFiles = new LogFileTable(logFiles)
    this.#pool = new WorkerPool(planOf(loaded, logFiles), !loaded.core.masterProcess, log, {
      joined: (worker) => void this.#joined(worker),
      left: (worker) => this.#left(worker),
      gone: (worker) => this.#gone(worker),
      message: (worker, message) => this.#receive(worker, message),
    })
    this.#health = new HealthChecks((level, message) => log.report(level, message))
    this.#stapler = new Stapler(log, (staples) => {
      for (const worker of this.#pool.all) worker.post({ type: 'staples', staples })
    })
    this.#livePeers = new LivePeers(
      log,
      loaded,
      () => this.#pool.all,
      () => this.#health.refresh(),
    )
    this.#distributor = new Distributor(log, new WorkerStats(this.#pool.stats, WORKER_SLOTS - 1))
    this.#distributor.limit = loaded.workerConnections
    this.#listeners = new Listeners(log, {
      accepted: (connection, key) => this.#distributor.dispatch(connection, key),
    })
  }

  /** Starts weir. When it cannot, reports why, leaves nothing behind and resolves with null. */
  static async start(options: Options, paths: Paths, source: Source, log: MasterLog): Promise<Master | null> {
    let master: Master | null = null
    try {
      const loaded = await buildLoaded(source, paths, null)
      makeTempFolders(loaded.cycle.context.tempFolders.keys(), loaded.core.user)
      const logFiles = openLogFiles(loaded.cycle.context.logFiles, {}, paths.prefix)
      log.use(loaded.core.errorLog, logFiles)
      master = new Master(options, paths, log, loaded, logFiles)
      await master.#open()
      return master
    } catch (error) {
      if (!(error instanceof BindError)) log.report('emerg', startError(error))
      await master?.stop()
      return null
    }
  }

  /**
   * The order matters: everything that needs privileges, then they are dropped, then the first connection is served;
   * and the pid file appears when all addresses can be connected to.
   */
  async #open(): Promise<void> {
    const { core, addresses, workerConnections } = this.#current
    const count = this.#workerCount(this.#current)
    this.#reportChecks(this.#current)
    this.#obeySignals()
    this.#stapler.add(this.#current)
    await this.#livePeers.add(this.#current)
    await this.#health.prepare(this.#current)
    this.#health.use(this.#current)
    const bound = await this.#listeners.bind(addresses, count)
    try {
      await this.#pool.start(count)
      await this.#listeners.openReuseport(addresses, bound, this.#pool.serving)
      await this.#listeners.openUnix(addresses, this.#pool.serving)
      await this.#listeners.openHere(addresses, bound)
    } finally {
      releaseBound(bound)
    }
    makeLogsFolder(core.pid, this.#paths.prefix)
    this.#pid = new PidFile(core.pid)
    if (core.user !== null) dropPrivileges(core.user)
    this.#dropped = core.user !== null
    if (core.workingDirectory !== null) this.#changeDirectory(core.workingDirectory)
    this.#distributor.limit = workerConnections
    this.#distributor.workers = this.#pool.serving
    for (const worker of this.#pool.serving) worker.post({ type: 'serve' })
    this.#distributor.serve()
    this.#state = 'running'
    this.#log.report('notice', `start worker threads: ${count}`)
    this.#health.start()
    this.#stapler.use(this.#current)
    for (const act of this.#waiting.splice(0)) act()
  }

  /** What comes while weir is starting is done when it has, as in nginx. */
  #obeySignals(): void {
    const on = (words: string, act: () => void) => (signal: string) => {
      this.#log.report('notice', `signal ${signal} received, ${words}`)
      if (this.#state === 'starting') this.#waiting.push(act)
      else act()
    }
    handleSignals({
      stop: on('exiting', () => void this.stop()),
      quit: on('shutting down', () => void this.quit()),
      reload: on('reconfiguring', () => {
        this.#chores = this.#chores.then(() => this.#reload())
      }),
      reopen: on('reopening logs', () => {
        this.#chores = this.#chores.then(() => this.#reopen())
      }),
      unsupported: on('which weir does not support', () => {}),
    })
  }

  /** Ends at once. */
  async stop(): Promise<void> {
    if (this.#state === 'stopping') return this.ended
    this.#state = 'stopping'
    await this.#close('stop')
  }

  /** Finishes what is in flight, then ends. */
  async quit(): Promise<void> {
    if (this.#state === 'quitting' || this.#state === 'stopping') return this.ended
    this.#state = 'quitting'
    await this.#close('quit')
  }

  async #close(how: 'stop' | 'quit'): Promise<void> {
    this.#listeners.close()
    this.#livePeers.close()
    this.#health.stop()
    this.#stapler.close()
    this.#distributor.close()
    await this.#pool.end(how)
    this.#listeners.removeUnixFiles()
    const failure = this.#pid?.remove() ?? null
    this.#pid = null
    if (failure !== null) this.#log.report('alert', failure)
    this.#log.report('notice', 'exit')
    this.#finished()
  }

  /** Loads the configuration again and swaps it in, or reports why not and leaves everything as it is. */
  async #reload(): Promise<void> {
    if (this.#state !== 'running') return
    this.#log.report('notice', 'reconfiguring')
    const old = this.#current
    let logFiles: LogFiles = {}
    let bound: BoundSockets = new Map()
    try {
      // Of the one before, whose last requests have had all this time.
      forgetPeers(old)
      const loaded = await buildLoaded(readSource(this.#options, this.#paths), this.#paths, old)
      this.#reportChecks(loaded)
      makeTempFolders(loaded.cycle.context.tempFolders.keys(), this.#dropped ? null : loaded.core.user)
      logFiles = openLogFiles(loaded.cycle.context.logFiles, this.#logFiles.current, this.#paths.prefix)
      bound = await this.#listeners.bind(loaded.addresses, this.#workerCount(loaded))
      this.#stapler.add(loaded)
      await this.#livePeers.add(loaded)
      await this.#health.prepare(loaded)
      const plan = planOf(loaded, logFiles)
      const objection = await this.#pool.prepare(plan)
      // Told to end meanwhile: nobody would end workers that are started now.
      if (this.#state !== 'running') return this.#giveBack(bound, logFiles)
      if (objection !== null) throw new Error(objection)
      await this.#swap(loaded, logFiles, bound)
    } catch (error) {
      if (!(error instanceof BindError)) this.#log.report('emerg', startError(error))
      this.#livePeers.stay()
      this.#giveBack(bound, logFiles)
    }
  }

  /** Closes what a reload opened and that is not in use. */
  #giveBack(bound: BoundSockets, logFiles: LogFiles): void {
    releaseBound(bound)
    closeLogFiles(logFiles, this.#logFiles.current)
  }

  /** Every worker has built `loaded`: from here on nothing is taken back. */
  async #swap(loaded: LoadedCycle, logFiles: LogFiles, bound: BoundSockets): Promise<void> {
    const old = this.#current
    // The last thing that can refuse the reload.
    await this.#listeners.openUnix(loaded.addresses, this.#pool.serving)
    this.#logFiles.replace(logFiles, old.generation, this.#pool.all)
    this.#current = loaded
    this.#log.use(loaded.core.errorLog, logFiles)
    closeSyslog(loaded.cycle.context)
    this.#distributor.limit = loaded.workerConnections
    this.#health.use(loaded)
    this.#pool.activate(planOf(loaded, logFiles), this.#workerCount(loaded))
    this.#livePeers.use(loaded)
    this.#stapler.use(loaded)
    this.#listeners.keep(loaded.addresses, this.#pool.serving)
    await this.#listeners.openHere(loaded.addresses, bound)
    // Those that joined meanwhile did not know of the new addresses.
    await this.#listeners.openReuseport(loaded.addresses, bound, this.#pool.serving)
    if (loaded.core.pid !== old.core.pid) this.#movePid(loaded.core.pid)
  }

  /** Opens all log files anew, so that ones that were renamed can be taken away. */
  async #reopen(): Promise<void> {
    if (this.#state !== 'running') return
    const { files, replaced } = this.#logFiles.reopen((path) => this.#openAnew(path))
    this.#log.reopen(files)
    await this.#pool.reopen(files, this.#logFiles.current)
    for (const file of replaced) closeLogFiles(file, {})
  }

  /** As in nginx, a file that cannot be opened does not keep the others from it. */
  #openAnew(path: string): number | null {
    try {
      return openLogFiles([path], {}, this.#paths.prefix)[path]!
    } catch (error) {
      this.#log.report('emerg', startError(error))
      return null
    }
  }

  #movePid(path: string): void {
    try {
      makeLogsFolder(path, this.#paths.prefix)
      const old = this.#pid
      this.#pid = new PidFile(path)
      old?.remove()
    } catch (error) {
      this.#log.report('emerg', startError(error))
    }
  }

  #changeDirectory(folder: string): void {
    try {
      process.chdir(utf8(folder))
    } catch (error) {
      this.#log.report('alert', `chdir("${folder}") failed (${errnoText(error)})`)
    }
  }

  #reportChecks({ core, cycle, workerConnections }: LoadedCycle): void {
    for (const warning of cycle.context.warnings) {
      // The account was changed at start: a reload has neither the need nor the right to.
      if (this.#dropped && warning.startsWith('the "user" directive')) continue
      this.#log.report('warn', warning)
    }
    for (const notice of cycle.context.notices) this.#log.report('notice', notice)
    const warnings = checkFileLimit(core.workerRlimitNofile, workerConnections, core.workerProcesses)
    for (const warning of warnings) this.#log.report('warn', warning)
    if (core.workerProcesses > MOST_WORKERS) {
      this.#log.report(
        'warn',
        `${core.workerProcesses} worker_processes are too many: ${MOST_WORKERS} are started`,
      )
    }
  }

  /** With `master_process off` there is one, and it is this thread, for as long as weir runs. */
  #workerCount({ core }: LoadedCycle): number {
    return this.#pool.inProcess ? 1 : Math.min(core.workerProcesses, MOST_WORKERS)
  }

  async #joined(worker: WorkerHandle): Promise<void> {
    worker.post({ type: 'serve' })
    this.#distributor.workers = this.#pool.serving
    await this.#listeners.joined(worker)
  }

  #gone(worker: WorkerHandle): void {
    reclaimPeers(this.#current, worker.slot)
    this.#logFiles.release(Number.POSITIVE_INFINITY, worker)
  }

  #left(worker: WorkerHandle): void {
    const serving = this.#pool.serving
    this.#distributor.workers = serving
    if (this.#state === 'running') void this.#listeners.left(worker, () => this.#pool.serving)
  }

  #receive(worker: WorkerHandle, message: FromWorker): void {
    if (message.type === 'returned') this.#distributor.dispatch(message, message.key)
    else if (message.type === 'released') this.#logFiles.release(message.before, worker)
    else if (message.type === 'accept_failed')
      this.#log.report('crit', `accept4() failed (${message.reason})`)
    else if (message.type === 'full') {
      this.#log.report('alert', `${this.#current.workerConnections} worker_connections are not enough`)
    }
  }
}
