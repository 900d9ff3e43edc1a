// `weir --demo`: a backend of weir's own in a thread beside the master, and a folder with a copy of conf/demo.conf
// that the master runs like any other configuration. main.ts starts it before the configuration is read, lets it
// introduce itself once the sockets are bound, and stops it last.

import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** The port and the backends' ports that conf/demo.conf is written with. */
const PORT = 8080
const BACKEND_PORTS = [8081, 8082]

/** A running demo backend and the configuration in front of it. */
export interface Demo {
  /** What `-p` would be; ends with a slash. */
  readonly prefix: string
  /** What `-c` would be. */
  readonly confFile: string
  /** Where to look and what to try, for the terminal. */
  readonly introduction: string
  /** Ends the backend and removes the folder, unless its configuration was edited. Returns a last word, or null. */
  stop(): Promise<string | null>
}

/** Starts the backend and writes the configuration. `port` null is 8080. Throws an Error fit to be shown. */
export async function startDemo(port: number | null): Promise<Demo> {
  const own = port ?? PORT
  const holder = await reserve(own)
  const { thread, ports } = await startBackends().finally(() => holder.close())
  const prefix = `${mkdtempSync(join(tmpdir(), 'weir-demo-'))}/`
  const confFile = `${prefix}nginx.conf`
  const conf = demoConf(own, ports)
  mkdirSync(`${prefix}logs`)
  writeFileSync(confFile, conf)
  return {
    prefix,
    confFile,
    introduction: introduction(own, confFile, prefix),
    async stop() {
      await thread.terminate()
      if (readFileSync(confFile, 'utf8') !== conf) return `the edited configuration is kept: ${confFile}`
      rmSync(prefix, { recursive: true, force: true })
      return null
    },
  }
}

/**
 * Holds the port until the backends have theirs, so that they take others. nginx's words for a taken port do not say
 * what to do about it; these do.
 */
async function reserve(port: number): Promise<Server> {
  const holder = createServer()
  try {
    holder.listen(port, '127.0.0.1')
    await once(holder, 'listening')
    return holder
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? `port ${port} is taken` : message
    throw new Error(
      `${why}; choose another: npm start -- --demo-port ${port > 65000 ? PORT + 10 : port + 10}`,
    )
  }
}

async function startBackends(): Promise<{ thread: Worker; ports: number[] }> {
  // tsc does not rewrite the name of a file in new URL().
  const entry = import.meta.url.endsWith('.ts') ? './backend-thread.ts' : './backend-thread.js'
  const thread = new Worker(new URL(entry, import.meta.url), { workerData: { ports: BACKEND_PORTS } })
  const [ports] = (await once(thread, 'message')) as [number[]]
  thread.on('error', (error) => process.stderr.write(`weir: the demo's backends ended: ${error}\n`))
  return { thread, ports }
}

function demoConf(port: number, backendPorts: number[]): string {
  const written = [PORT, ...BACKEND_PORTS]
  const actual = [port, ...backendPorts]
  const conf = readFileSync(new URL('../../../conf/demo.conf', import.meta.url), 'utf8')
  return conf.replace(/\b808[012]\b/g, (text) => `${actual[written.indexOf(Number(text))]}`)
}

function introduction(port: number, confFile: string, prefix: string): string {
  const site = `http://localhost:${port}`
  return `weir is running: ${site}/ answers with what its backends receive.

  curl '${site}/api/users?page=2'        what a backend sees of this request
  curl -d hello ${site}/cut/anything     the same, with a body and a shortened URI
  curl -i ${site}/down                   a backend that is not there
  ${site}/ws                             in a browser: a WebSocket

configuration  ${confFile}
access log     ${prefix}logs/access.log
reload         kill -HUP ${process.pid}     after editing the configuration
stop           Ctrl-C
`
}
