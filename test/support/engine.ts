// An Engine in the test's own process, on the text of a configuration: with real client sockets on a free port, or with
// connections in memory. %PORT% in the text is the port, %FOLDER% a folder, others as given; logs are read as text.
// One at a time in a process: log files belong to the thread.

import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { makeTempFolders } from '../../src/master/temp-folders.ts'
import type { BuildOptions, Cycle } from '../../src/shared/conf/build.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { allocateZones } from '../../src/shared/conf/resources.ts'
import type { CyclePlan } from '../../src/shared/messages.ts'
import { allocateStats, WorkerStats } from '../../src/shared/stats.ts'
import type { ConnectionHost, HttpConnection } from '../../src/worker/connection/host.ts'
import { openConnection } from '../../src/worker/connection/opening.ts'
import { Engine } from '../../src/worker/engine.ts'
import { nobody } from '../../src/worker/transport/transport.ts'
import { MemoryTransport } from './memory-transport.ts'
import { removeFolder, temporaryFolder } from './temporary.ts'
import { eventually } from './wait.ts'

/** A whole configuration: one server on %PORT% with `body` in it, `http` before it. */
export function serverConf(body: string, http = '', events = ''): string {
  return `error_log logs/error.log info;
events { worker_connections 512; ${events} }
http {
  log_format short '$status $request_method $uri $body_bytes_sent';
  access_log logs/access.log short;
  ${http}
  server { listen 127.0.0.1:%PORT%; server_name test; ${body} }
}`
}

/** One client connection in memory. */
export interface MemoryClient {
  transport: MemoryTransport
  connection: HttpConnection
  /** The engine has let go of it. */
  gone: boolean
}

export class TestEngine {
  readonly engine: Engine
  readonly stats: WorkerStats
  readonly port: number
  readonly folder: string
  readonly #server: Server
  readonly #vars: Record<string, string | number>
  readonly #descriptors = new Map<string, number>()
  #zones: Record<string, SharedArrayBuffer> = {}
  #generation = 0
  #clients = 0

  private constructor(server: Server, folder: string, vars: Record<string, string | number>) {
    this.stats = new WorkerStats(allocateStats(1), 0)
    this.engine = new Engine(0, this.stats)
    this.port = (server.address() as AddressInfo).port
    this.folder = folder
    this.#server = server
    this.#vars = vars
  }

  static async start(conf: string, vars: Record<string, string | number> = {}): Promise<TestEngine> {
    const folder = await temporaryFolder()
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const engine = new TestEngine(server, folder, vars)
    engine.load(conf)
    server.on('connection', (socket) => {
      engine.stats.addActive(1)
      engine.engine.adopt(socket, engine.key)
    })
    return engine
  }

  /** The listening socket's name in the configuration. */
  get key(): string {
    return `127.0.0.1:${this.port}`
  }

  get accessLog(): string {
    return this.read('logs/access.log')
  }

  get errorLog(): string {
    return this.read('logs/error.log')
  }

  /** The text of a log file; '' when it is not open. */
  read(name: string): string {
    const path = join(this.folder, name)
    return this.#descriptors.has(path) ? readFileSync(path, 'latin1') : ''
  }

  /** Activates another configuration, as a reload does. Throws ConfError. */
  load(conf: string): Cycle {
    const tree = parseText(this.#fill(conf), 'nginx.conf', `${this.folder}/`)
    const options: BuildOptions = { prefix: `${this.folder}/`, confPrefix: `${this.folder}/` }
    const plan: CyclePlan = { generation: ++this.#generation, tree, options, logFiles: {} }
    const first = this.engine.prepare(plan)
    options.zones = this.#zones = allocateZones(first, this.#zones)
    const cycle = this.engine.prepare(plan)
    makeTempFolders(cycle.context.tempFolders.keys(), null)
    for (const path of cycle.context.logFiles) plan.logFiles[path] = this.#open(path)
    this.engine.activate(cycle, plan)
    return cycle
  }

  /** A client connection in memory. */
  connect(): MemoryClient {
    const { engine, stats } = this
    const client = { gone: false } as MemoryClient
    const host: ConnectionHost = {
      stats,
      slot: engine.slot,
      staples: engine.staples,
      get generation() {
        return engine.generation
      },
      get draining() {
        return engine.draining
      },
      servers: (key) => engine.servers(key),
      opened: (connection) => {
        client.connection = connection
      },
      handedOver: () => {},
      closed: () => {
        client.gone = true
        stats.addActive(-1)
      },
    }
    stats.addActive(1)
    client.transport = new MemoryTransport(nobody, this.port)
    openConnection(client.transport, host, this.key, ++this.#clients)
    return client
  }

  /** Waits for `count` lines in the access log and returns them all. */
  async logged(count: number): Promise<string[]> {
    return eventually(`${count} lines in the access log`, () => {
      const lines = this.accessLog.split('\n').slice(0, -1)
      return lines.length >= count && lines
    })
  }

  /** The clients have to be gone, or to be about to. */
  async stop(): Promise<void> {
    this.#server.close()
    await new Promise<void>((done) => this.engine.drain(done))
    this.engine.reopen({})
    for (const fd of this.#descriptors.values()) closeSync(fd)
    this.#descriptors.clear()
    await removeFolder(this.folder)
  }

  #open(path: string): number {
    let fd = this.#descriptors.get(path)
    if (fd === undefined) {
      mkdirSync(dirname(path), { recursive: true })
      this.#descriptors.set(path, (fd = openSync(path, 'a')))
    }
    return fd
  }

  #fill(conf: string): string {
    const vars: Record<string, string | number> = { PORT: this.port, FOLDER: this.folder, ...this.#vars }
    return conf.replace(/%([A-Z]+\d*)%/g, (whole, name: string) => String(vars[name] ?? whole))
  }
}
