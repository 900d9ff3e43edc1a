// Every process the bench starts goes through here: pinned to its core, with as many descriptors as allowed, its
// last words kept for error messages, and ended with the bench whatever ends the bench.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { RAISE_LIMIT } from './tools.ts'

export interface ChildOptions {
  /** taskset's core list; null leaves the child free. */
  cores: string | null
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** A process group of its own, for tools that must be signalled with all their children. */
  group?: boolean
}

const running = new Set<Child>()

/** One started process. `sh` and `taskset` replace themselves, so `pid` is the program's own. */
export class Child {
  readonly pid: number
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  readonly #process: ChildProcess
  readonly #group: boolean
  #stdout = ''
  #stderr = ''
  #running = true

  constructor(command: readonly string[], options: ChildOptions) {
    const pin = options.cores === null ? [] : ['taskset', '-c', options.cores]
    this.#group = options.group ?? false
    this.#process = spawn('/bin/sh', ['-c', `${RAISE_LIMIT} exec "$@"`, 'sh', ...pin, ...command], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      detached: this.#group,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.pid = this.#process.pid!
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-8192)
    })
    // A child that ends early breaks the pipe; its exit code tells the story.
    this.#process.stdin!.on('error', () => {})
    running.add(this)
    this.ended = once(this.#process, 'close').then(([code, signal]) => {
      this.#running = false
      running.delete(this)
      return (code ?? signal) as number | string
    })
  }

  get running(): boolean {
    return this.#running
  }

  get stdout(): string {
    return this.#stdout
  }

  /** The last 8 KiB of stderr. */
  get stderr(): string {
    return this.#stderr
  }

  /** Resolves with the first line of stdout that starts with `word`; rejects when the child ends without it. */
  async line(word: string): Promise<string> {
    for (;;) {
      const found = this.#stdout.split('\n').find((line) => line.startsWith(word))
      if (found !== undefined) return found
      if (!this.#running) throw new Error(`a child ended before it said "${word}": ${this.#stderr}`)
      await Promise.race([once(this.#process.stdout!, 'data'), this.ended])
    }
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#running) return
    try {
      process.kill(this.#group ? -this.pid : this.pid, name)
    } catch {
      // It ended between the check and the signal.
    }
  }

  /** Asks the child to end, and kills it when it has not done so after `patience` milliseconds. */
  async stop(name: NodeJS.Signals = 'SIGTERM', patience = 5000): Promise<number | string> {
    this.signal(name)
    const timer = setTimeout(() => this.signal('SIGKILL'), patience)
    const result = await this.ended
    clearTimeout(timer)
    return result
  }
}

process.on('exit', () => {
  for (const child of running) child.signal('SIGTERM')
})
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.on(signal, () => process.exit(128 + number))
}
