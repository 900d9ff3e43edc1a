// Starts weir or nginx on the text of a configuration, in a folder of its own, and keeps what it writes.
//
// In the text, %PORT% is a free port of this proxy, %PORT2%, %PORT3%... others, %FOLDER% its folder, and %NAME% what
// `vars.NAME` says (%BACKEND%, by habit, a backend's address). WEIR_BIN may name the command to start instead of the
// sources, with its fixed arguments after spaces: so that an installed package can be tested.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { freePort, removeFolder, temporaryFolder } from './temporary.ts'
import { eventually } from './wait.ts'

export const NGINX = process.env.NGINX_BIN ?? '/usr/sbin/nginx'
const ROOT = resolve(import.meta.dirname, '../..')

/** Why nothing can be compared with nginx here, or null. */
export const nginxMissing = existsSync(NGINX) ? null : `nginx is not installed (${NGINX})`

export interface StartOptions {
  vars?: Record<string, string | number>
  /** Ports by number, where they must be known before the start; free ones are taken otherwise. */
  ports?: number[]
  /** Added to the command line. */
  args?: string[]
  env?: Record<string, string>
  /** Files to write into the folder first, by relative path. */
  files?: Record<string, string>
  /** Do not wait until it listens. */
  wait?: false
}

/** A running proxy, its ports and what it has written so far. */
export class RunningProxy {
  readonly kind: 'weir' | 'nginx'
  readonly folder: string
  readonly ports: readonly number[]
  readonly process: ChildProcess
  /** Everything written to stderr. */
  stderr = ''
  /** Everything written to stdout. */
  stdout = ''
  /** Resolves once the process has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>

  constructor(kind: 'weir' | 'nginx', folder: string, ports: readonly number[], child: ChildProcess) {
    this.kind = kind
    this.folder = folder
    this.ports = ports
    this.process = child
    child.stdout?.on('data', (text) => (this.stdout += text))
    child.stderr?.on('data', (text) => (this.stderr += text))
    this.ended = new Promise((done, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => done({ code, signal }))
    })
  }

  /** What %PORT% stands for. */
  get port(): number {
    return this.ports[0]!
  }

  /** The text of a file in the folder; '' while there is none. */
  read(name: string): string {
    const path = join(this.folder, name)
    return existsSync(path) ? readFileSync(path, 'latin1') : ''
  }

  get accessLog(): string {
    return this.read('logs/access.log')
  }

  get errorLog(): string {
    return this.read('logs/error.log')
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name)
  }

  /** Ends the process (TERM, and KILL when it does not obey) and removes the folder. */
  async stop(): Promise<void> {
    if (this.running) {
      this.process.kill('SIGTERM')
      const kill = setTimeout(() => this.process.kill('SIGKILL'), 5000)
      await this.ended
      clearTimeout(kill)
    }
    await removeFolder(this.folder)
  }
}

/** Starts weir on `conf`; rejects, with what it wrote, when it ends instead of listening. */
export function startWeir(conf: string, options: StartOptions = {}): Promise<RunningProxy> {
  const [command, ...fixed] = weirCommand()
  return start(
    'weir',
    command!,
    (folder) => [
      ...fixed,
      ...['-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;', ...(options.args ?? [])],
    ],
    conf,
    options,
  )
}

/** Starts nginx on the same text: one process without a master, its temporary folders inside ours. */
export function startNginx(conf: string, options: StartOptions = {}): Promise<RunningProxy> {
  return start(
    'nginx',
    NGINX,
    (folder) => [
      ...['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'logs/start.log')],
      ...['-g', 'daemon off; master_process off;', ...(options.args ?? [])],
    ],
    conf.replace(/\bhttp\s*\{/, `$&${temporaryPaths}`),
    options,
  )
}

/** The command that starts weir, with its fixed arguments. */
export function weirCommand(): string[] {
  const given = process.env.WEIR_BIN
  if (given !== undefined && given !== '') return given.split(' ')
  return [join(ROOT, 'node_modules/.bin/node'), join(ROOT, 'src/master/main.ts')]
}

const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((name) => ` ${name}_temp_path %FOLDER%/temp/${name};`)
  .join('')

async function start(
  kind: 'weir' | 'nginx',
  command: string,
  args: (folder: string) => string[],
  conf: string,
  options: StartOptions,
): Promise<RunningProxy> {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'logs'))
  await mkdir(join(folder, 'temp'))
  const ports = await takePorts(conf, options.ports ?? [])
  const text = fill(conf, ports, { FOLDER: folder, ...options.vars })
  await writeFile(join(folder, 'nginx.conf'), `pid logs/nginx.pid;\nerror_log logs/error.log info;\n${text}`)
  for (const [name, content] of Object.entries(options.files ?? {})) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  const child = spawn(command, args(folder), {
    cwd: folder,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const proxy = new RunningProxy(kind, folder, ports, child)
  if (options.wait === false) return proxy
  try {
    await listening(proxy)
  } catch (error) {
    await proxy.stop()
    throw error
  }
  return proxy
}

/** Both write the pid file once every socket is bound. */
async function listening(proxy: RunningProxy): Promise<void> {
  await eventually('pid file', () => {
    if (!proxy.running) {
      throw new Error(`${proxy.kind} ended with ${proxy.process.exitCode}: ${proxy.stderr}${proxy.errorLog}`)
    }
    return proxy.read('logs/nginx.pid').endsWith('\n')
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${proxy.stderr}`)
  })
}

async function takePorts(conf: string, known: readonly number[]): Promise<number[]> {
  const ports = [...known]
  const highest = Math.max(1, ...[...conf.matchAll(/%PORT(\d+)%/g)].map((match) => Number(match[1])))
  while (ports.length < highest) ports.push(await freePort())
  return ports
}

function fill(conf: string, ports: readonly number[], vars: Record<string, string | number>): string {
  return conf.replace(/%([A-Z]+)(\d*)%/g, (whole, name: string, number: string) => {
    if (name === 'PORT') return String(ports[number === '' ? 0 : Number(number) - 1])
    return String(vars[name + number] ?? whole)
  })
}
