// The weir that soaks: its process, its signals, and what /proc and preload.ts tell of it.

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../children.ts'
import { listening } from '../port.ts'
import { residentBytes } from '../proc.ts'
import { type Inside, readInside } from './inside.ts'

const MAIN = fileURLToPath(new URL('../../src/master/main.ts', import.meta.url))
const PRELOAD = fileURLToPath(new URL('./preload.ts', import.meta.url))

/** weir at one moment. */
export interface Sample {
  /** Milliseconds since the start of the load. */
  time: number
  resident: number
  descriptors: number
  threads: number
  inside: Inside | null
}

export class SoakedWeir {
  readonly child: Child
  readonly #folder: string
  readonly #conf: (generation: number) => string
  readonly #ports: readonly number[]
  #generation = 0
  #logs = 0

  /** Starts it in `folder`, to listen on `ports`; it serves once `ready` resolves. `conf`: the text, by generation. */
  constructor(folder: string, ports: readonly number[], conf: (generation: number) => string) {
    this.#folder = folder
    this.#conf = conf
    this.#ports = ports
    mkdirSync(join(folder, 'logs'), { recursive: true })
    this.#writeConf()
    const flags = ['-p', `${folder}/`, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;']
    this.child = new Child([process.execPath, '--expose-gc', '--import', PRELOAD, MAIN, ...flags], {
      cores: null,
      env: { ...process.env, SOAK_INSIDE: this.#inside, UV_THREADPOOL_SIZE: '16' },
    })
  }

  async ready(): Promise<void> {
    try {
      for (const port of this.#ports) await listening(this.child, port)
    } catch (error) {
      throw new Error(`weir ${(error as Error).message}\n${this.child.stderr}`)
    }
  }

  get #inside(): string {
    return join(this.#folder, 'inside.txt')
  }

  #writeConf(): void {
    writeFileSync(join(this.#folder, 'nginx.conf'), this.#conf(++this.#generation))
  }

  reload(): void {
    this.#writeConf()
    this.child.signal('SIGHUP')
  }

  /** Moves the access logs away, as logrotate does, and has the logs opened again. */
  reopen(): void {
    this.#logs++
    for (const name of ['access.log', 'second.log']) {
      const log = join(this.#folder, 'logs', name)
      renameSync(log, `${log}.${this.#logs}`)
    }
    this.child.signal('SIGUSR1')
  }

  crash(): void {
    this.child.signal('SIGUSR2')
  }

  sample(time: number): Sample {
    const { pid } = this.child
    return {
      time,
      resident: residentBytes([pid]),
      descriptors: entries(`/proc/${pid}/fd`),
      threads: entries(`/proc/${pid}/task`),
      inside: readInside(this.#inside),
    }
  }

  /** Everything in the log of that name, the files that were moved away included. */
  log(name: string): string {
    const folder = join(this.#folder, 'logs')
    const names = readdirSync(folder).filter((file) => file.startsWith(name))
    return names.map((name) => readFileSync(join(folder, name), 'latin1')).join('')
  }

  /** Lines of the error log that tell of something that must not happen, the made crashes aside. */
  alarms(): string[] {
    const text = readFileSync(join(this.#folder, 'logs/error.log'), 'utf8')
    return text
      .split('\n')
      .filter((line) => /\[(alert|emerg|crit)\]/.test(line) && !line.includes('thrown by the soak'))
  }
}

function entries(folder: string): number {
  try {
    return readdirSync(folder).length
  } catch {
    return 0
  }
}
