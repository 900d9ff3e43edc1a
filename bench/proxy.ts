// Starts weir or nginx on the configuration of a scenario, and tells what the process has used.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { Child } from './children.ts'
import { proxyConf } from './conf.ts'
import { contentOf } from './content.ts'
import { MANY_PATH } from './many.ts'
import { freePort, listening } from './port.ts'
import { cpuMicroseconds, processTree, residentBytes } from './proc.ts'
import {
  BACKEND_BYTES,
  type BackendPath,
  type MessagesScenario,
  type Scenario,
  type StreamsScenario,
} from './scenario.ts'

export type ProxyName = 'weir' | 'nginx'

export interface ProxyOptions {
  scenario: Scenario
  /** A folder the proxy's own folder is made in. */
  work: string
  backendPort: number
  cores: string | null
  /** nginx's binary; only read for nginx. */
  nginx: string | null
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
  #pids: number[] = []

  constructor(name: ProxyName, port: number, child: Child) {
    this.name = name
    this.port = port
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
    return `http://127.0.0.1:${this.port}${path}`
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
  const proxy = new RunningProxy(name, port, child)
  try {
    await listening(child, port)
    await checkFirst(proxy, options.scenario)
  } catch (error) {
    await child.stop()
    throw new Error(`${name}: ${(error as Error).message}\n${explain()}`.trimEnd())
  }
  proxy.survey()
  return proxy
}

/** Figures of wrong answers are worth nothing: one request is looked at before the load. */
async function checkFirst(proxy: RunningProxy, scenario: Scenario): Promise<void> {
  if (scenario.kind === 'streams') return checkStream(proxy, scenario.path)
  // Clients of messages look at every answer.
  if (scenario.kind !== 'messages') return check(proxy, scenario)
}

function check(
  proxy: RunningProxy,
  scenario: Exclude<Scenario, StreamsScenario | MessagesScenario>,
): Promise<void> {
  const post = scenario.kind === 'load' && scenario.method === 'POST'
  const gzip = scenario.kind === 'load' && scenario.gzip
  return new Promise((resolve, reject) => {
    const request = get(proxy.url(scenario.path), {
      agent: false,
      method: post ? 'POST' : 'GET',
      timeout: 5000,
      headers: gzip ? { 'Accept-Encoding': 'gzip' } : {},
    })
    request.on('response', (response) => {
      let bytes = 0
      const zipped = response.headers['content-encoding'] === 'gzip'
      const content = zipped ? response.pipe(createGunzip()) : response
      content.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      content.on('error', reject)
      response.on('error', reject)
      content.on('end', () => {
        const right = response.statusCode === 200 && bytes === BACKEND_BYTES[scenario.path] && zipped === gzip
        if (right) resolve()
        else reject(new Error(`answered ${scenario.path} with ${response.statusCode} and ${bytes} bytes`))
      })
    })
    request.on('timeout', () => request.destroy(new Error(`did not answer ${scenario.path} in 5 seconds`)))
    request.on('error', reject)
    request.end()
  })
}

/** Resolves with the first event of a stream. */
function checkStream(proxy: RunningProxy, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(proxy.url(path), { agent: false, timeout: 5000 }, (response) => {
      response.once('data', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`answered ${path} with ${response.statusCode}`))
        request.destroy()
      })
      response.on('error', () => {})
    })
    request.on('timeout', () => request.destroy(new Error(`sent no event of ${path} in 5 seconds`)))
    request.on('error', reject)
  })
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2000)
  } catch {
    return ''
  }
}
