// Starts weir or nginx on the configuration of a scenario, and tells what the process has used.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeCertificate } from './certificate.ts'
import { checkFirst } from './check.ts'
import { Child } from './children.ts'
import { proxyConf } from './conf.ts'
import { contentOf } from './content.ts'
import { MANY_PATH } from './many.ts'
import { freePort, listening } from './port.ts'
import { cpuMicroseconds, processTree, residentBytes } from './proc.ts'
import { BACKEND_BYTES, type BackendPath, type Scenario } from './scenario.ts'

export type ProxyName = 'weir' | 'nginx'

export interface ProxyOptions {
  scenario: Scenario
  /** A folder the proxy's own folder is made in. */
  work: string
  backendPort: number
  cores: string | null
  /** nginx's binary; only read for nginx. */
  nginx: string | null
  /** openssl's, for scenarios with TLS. */
  openssl: string | null
  /** weir only: what stands before `main.ts`, the Node binary included. Default: the running Node. */
  node?: readonly string[]
  /** Main directives beside the file's, for `-g`. Default: `daemon off;` */
  globals?: string
  /** See Child. */
  group?: boolean
  env?: NodeJS.ProcessEnv
}

const MAIN = fileURLToPath(new URL('../src/master/main.ts', import.meta.url))
/** How weir is started by people: it keeps compiled code. */
const LAUNCHER = fileURLToPath(new URL('../src/master/weir', import.meta.url))

/** A running proxy: master, workers and threads are one thing here. */
export class RunningProxy {
  readonly name: ProxyName
  readonly port: number
  readonly child: Child
  readonly #scheme: string
  #pids: number[] = []

  constructor(name: ProxyName, port: number, child: Child, tls: boolean) {
    this.name = name
    this.port = port
    this.#scheme = tls ? 'https' : 'http'
    this.child = child
  }

  /** Learns the worker processes; call it once the proxy serves. */
  survey(): void {
    this.#pids = processTree(this.child.pid)
  }

  get cpu(): number {
    return cpuMicroseconds(this.#pids)
  }

  get resident(): number {
    return residentBytes(this.#pids)
  }

  url(path: string): string {
    return `${this.#scheme}://127.0.0.1:${this.port}${path}`
  }
}

/** A proxy whose configuration is written and that may be started, several times one after the other. */
export interface PreparedProxy {
  port: number
  folder: string
  /** Starts it with these arguments beside the usual ones. */
  start(args: readonly string[]): Child
}

export async function prepareProxy(name: ProxyName, options: ProxyOptions): Promise<PreparedProxy> {
  const port = await freePort()
  const folder = join(options.work, `${name}-${options.scenario.name}`)
  mkdirSync(join(folder, 'logs'), { recursive: true })
  const conf = join(folder, 'nginx.conf')
  writeFileSync(conf, proxyConf(name, options.scenario, port, options.backendPort))
  if (options.scenario.kind === 'load' && options.scenario.files) writeFiles(folder)
  if (isSecure(options.scenario)) makeCertificate(options.openssl!, folder)
  const weir =
    options.scenario.kind === 'start' ? [LAUNCHER] : [...(options.node ?? [process.execPath]), MAIN]
  const program = name === 'nginx' ? [options.nginx!] : weir
  const flags = ['-p', `${folder}/`, '-c', conf, '-g', options.globals ?? 'daemon off;']
  const start = (args: readonly string[]) =>
    new Child([...program, ...flags, ...args], {
      cores: options.cores,
      group: options.group ?? false,
      ...(options.env === undefined ? {} : { env: options.env }),
    })
  return { port, folder, start }
}

function isSecure(scenario: Scenario): boolean {
  return scenario.kind === 'load' && scenario.tls
}

/** The backend's answers as files: `html/1k` and so on. */
function writeFiles(folder: string): void {
  mkdirSync(join(folder, 'html'), { recursive: true })
  for (const path of Object.keys(BACKEND_BYTES) as BackendPath[]) {
    if (!path.startsWith(MANY_PATH)) writeFileSync(join(folder, 'html', path), contentOf(path))
  }
}

/** Resolves once the proxy has given one right answer. */
export async function startProxy(name: ProxyName, options: ProxyOptions): Promise<RunningProxy> {
  const { port, folder, start } = await prepareProxy(name, options)
  const child = start([])
  const explain = () => `${child.stderr}${tail(join(folder, 'logs/error.log'))}`
  const proxy = new RunningProxy(name, port, child, isSecure(options.scenario))
  try {
    await listening(child, port)
    await checkFirst((path) => proxy.url(path), options.scenario)
  } catch (error) {
    await child.stop()
    throw new Error(`${name}: ${(error as Error).message}\n${explain()}`.trimEnd())
  }
  proxy.survey()
  return proxy
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2000)
  } catch {
    return ''
  }
}
