// Headless Chromium, as far as the tests need it: it opens a page, whose script tells a server how it went.

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { removeFolder, temporaryFolder } from './temporary.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Path of the browser: what CHROMIUM_BIN names, or one that is found in PATH; null where there is none. */
export const CHROMIUM = process.env.CHROMIUM_BIN ?? find()

/** Why nothing can be opened in a browser here, or null. */
export const chromiumMissing = CHROMIUM === null ? `none of ${NAMES.join(', ')} is installed` : null

function find(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not there.
      }
    }
  }
  return null
}

/** A browser with one page open. */
export class Browser {
  readonly #process: ChildProcess
  readonly #folder: string
  /** What it has written, for the message of a test that fails. */
  output = ''

  private constructor(child: ChildProcess, folder: string) {
    this.#process = child
    this.#folder = folder
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (this.output += text))
    child.on('error', (error) => (this.output += error.message))
  }

  /** Opens `url` in a browser of its own, which takes whatever certificate it meets. */
  static async open(url: string): Promise<Browser> {
    const folder = await temporaryFolder()
    const flags = [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-extensions'],
      ...['--ignore-certificate-errors', '--enable-logging=stderr', '--remote-debugging-pipe'],
      `--user-data-dir=${folder}`,
    ]
    // The pipe of the debugger is never spoken to; with it the browser stays until it is ended.
    const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe', 'pipe', 'pipe']
    return new Browser(spawn(CHROMIUM!, [...flags, url], { stdio, detached: true }), folder)
  }

  /** Ends it with all its processes and removes its profile. */
  async close(): Promise<void> {
    const { pid, exitCode } = this.#process
    if (pid !== undefined && exitCode === null) {
      const ended = new Promise((done) => this.#process.once('close', done))
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        this.#process.kill('SIGKILL')
      }
      await ended
    }
    await removeFolder(this.#folder)
  }
}
