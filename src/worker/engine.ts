// What a worker thread runs: the HTTP engine behind the messages of worker/main.ts.

import type { Socket } from 'node:net'
import { buildCycle, type Cycle, type Scope } from '../shared/conf/build.ts'
import { core, workerConnections } from '../shared/core.ts'
import { ErrorLog, type ErrorLogFile, type Level } from '../shared/error-log.ts'
import type { CyclePlan } from '../shared/messages.ts'
import type { LiveAnswers } from '../shared/names/live.ts'
import type { WorkerStats } from '../shared/stats.ts'
import { closeSyslog, onSyslogFailure } from '../shared/syslog.ts'
import type { ConnectionHost, HttpConnection } from './connection/host.ts'
import { openConnection } from './connection/opening.ts'
import { planServers, type SocketServers } from './http/servers.ts'
import { flushLogFiles, reopenLogFiles, useLogFiles } from './modules/log.ts'
import { httpModules, modules } from './modules.ts'
import { run as runTick } from './tick.ts'
import { Timer } from './timer.ts'
import { StapleStore } from './tls/stapling.ts'
import { onCrash } from './transport/crash.ts'
import { openTransport } from './transport/open.ts'
import { nobody } from './transport/transport.ts'
import { type LiveGroup, liveGroups } from './upstream/live-servers.ts'
import type { PeerGroup, UpstreamHost } from './upstream/peers.ts'
import type { RuntimeGroups } from './upstream/runtime-groups.ts'
import { allGroups } from './upstream/upstream-block.ts'

/** Connection numbers of different workers do not meet: each has its own range in every so many. */
const CONNECTION_STRIDE = 1024

export class Engine implements ConnectionHost, UpstreamHost {
  readonly stats: WorkerStats
  generation = 0
  draining = false
  connectionLimit = 512
  readonly slot: number
  readonly staples = new StapleStore()
  readonly #connections = new Set<HttpConnection>()
  #sockets = new Map<string, SocketServers>()
  #groups: (PeerGroup | RuntimeGroups)[] = []
  #liveGroups: readonly LiveGroup[] = []
  /** Addresses of live names, as the master told them last. */
  #live: LiveAnswers = {}
  /** By their directives, of all Cycles so far: requests of an earlier one still write to theirs. */
  readonly #errorLogs = new Map<string, ErrorLog>()
  #mainLog: ErrorLog | null = null
  #drained: (() => void) | null = null
  /** Milliseconds; 0: none. */
  #shutdownTimeout = 0

  /** `slot`: number of the worker; `stats`: its row. */
  constructor(slot: number, stats: WorkerStats) {
    this.slot = slot
    this.stats = stats
  }

  /** Builds a Cycle from `plan` without touching the running one. Throws ConfError. */
  prepare(plan: CyclePlan): Cycle {
    this.#live = { ...this.#live, ...plan.options.live }
    this.staples.use(plan.options.staples ?? {})
    return buildCycle(plan.tree, modules, plan.options)
  }

  /** New requests use this Cycle from now on; those in flight finish on theirs. */
  activate(cycle: Cycle, plan: CyclePlan): void {
    useLogFiles(plan.logFiles, cycle.context)
    for (const log of this.#errorLogs.values()) log.reopen(plan.logFiles)
    const errorLog = (scope: Scope) => this.#errorLog(scope.conf(core).errorLog, plan.logFiles)
    this.#sockets = planServers(cycle, { modules: httpModules, errorLog })
    for (const group of this.#groups) group.idle.close()
    this.#groups = [...allGroups(cycle.context)]
    for (const group of this.#groups) group.bind(this)
    this.#liveGroups = liveGroups(cycle.context)
    this.#live = Object.fromEntries(Object.entries(this.#live).filter(([key]) => cycle.context.live.has(key)))
    // The master may have had news since the Cycle was built.
    for (const group of this.#liveGroups) group.use(this.#live)
    this.connectionLimit = workerConnections(cycle.root)
    this.#shutdownTimeout = cycle.root.conf(core).workerShutdownTimeout
    this.generation = plan.generation
    const mainLog = errorLog(cycle.root)
    this.#mainLog = mainLog
    onCrash((stack) => mainLog.alert(`internal error: ${stack}`))
    onSyslogFailure((message) => mainLog.alert(message))
    closeSyslog(cycle.context)
  }

  /** Live names have these addresses from now on. Returns how many of them upstreams have no room for. */
  follow(answers: LiveAnswers): number {
    this.#live = { ...this.#live, ...answers }
    const names = Object.keys(answers)
    const concerned = this.#liveGroups.filter((group) => group.concerns(names))
    return concerned.reduce((leftOut, group) => leftOut + group.use(this.#live), 0)
  }

  /** Writes logs to other descriptors from now on; everything gathered so far went to the old ones. */
  reopen(logFiles: Record<string, number>): void {
    reopenLogFiles(logFiles)
    for (const log of this.#errorLogs.values()) log.reopen(logFiles)
  }

  /**
   * Takes over an accepted client connection (paused) that arrived on the listening socket `key`. It has been counted
   * as active already.
   */
  adopt(socket: Socket, key: string): void {
    const servers = this.#sockets.get(key)
    this.stats.countAccepted()
    if (servers === undefined || socket.destroyed) {
      this.stats.addActive(-1)
      socket.destroy()
      return
    }
    this.stats.countHandled()
    // Counted over the life of the row, so a worker that replaces another goes on where it was.
    const id = this.stats.accepted * CONNECTION_STRIDE + this.slot
    openConnection(openTransport(socket, nobody), this, key, id)
  }

  servers(key: string): SocketServers | null {
    return this.#sockets.get(key) ?? null
  }

  opened(connection: HttpConnection): void {
    this.#connections.add(connection)
  }

  handedOver(connection: HttpConnection): void {
    this.#connections.delete(connection)
  }

  closed(connection: HttpConnection): void {
    if (!this.#connections.delete(connection)) return
    this.stats.addActive(-1)
    if (this.#connections.size === 0) this.#finishDraining()
  }

  /** Closes up to `count` idle keepalive client connections, the longest idle first; returns how many. */
  shed(count: number): number {
    if (this.stats.waiting === 0) return 0
    const idle = [...this.#connections].filter((connection) => connection.idleSince > 0)
    idle.sort((left, right) => left.idleSince - right.idleSince)
    const chosen = idle.slice(0, count)
    for (const connection of chosen) connection.retire()
    return chosen.length
  }

  log(level: Level, message: string): void {
    this.#mainLog?.log(level, message)
  }

  makeRoom(): boolean {
    return this.#groups.some((group) => group.idle.closeOldest()) || this.shed(1) > 0
  }

  /** Closes idle connections, lets the others finish, then calls `done`. */
  drain(done: () => void): void {
    this.draining = true
    this.#drained = done
    for (const connection of this.#connections) connection.retire()
    for (const group of this.#groups) group.idle.close()
    if (this.#connections.size === 0) this.#finishDraining()
    else if (this.#shutdownTimeout > 0) new Timer(() => this.#shutDown()).start(this.#shutdownTimeout)
  }

  /** worker_shutdown_timeout is over. */
  #shutDown(): void {
    const { size } = this.#connections
    if (size === 0) return
    this.log('notice', `worker_shutdown_timeout is over, ${size} connections are closed`)
    for (const connection of [...this.#connections]) connection.shutDown()
  }

  /** The thread's last act: writes what logs have gathered. */
  finishLogs(): void {
    runTick()
    flushLogFiles()
  }

  #errorLog(files: readonly ErrorLogFile[], logFiles: Record<string, number>): ErrorLog {
    const key = JSON.stringify(files)
    let log = this.#errorLogs.get(key)
    if (log === undefined) this.#errorLogs.set(key, (log = ErrorLog.of(files, logFiles)))
    return log
  }

  #finishDraining(): void {
    const done = this.#drained
    if (done === null) return
    this.#drained = null
    this.finishLogs()
    done()
  }
}
