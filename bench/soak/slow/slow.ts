// The slow part of the soak: clients that read and send far slower than backends do. When is each backend free again, or
// asked at all, and what does it cost the proxy meanwhile? nginx runs the same beside weir, one after the other.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child } from '../../children.ts'
import { knows } from '../../known.ts'
import { freePort, listening } from '../../port.ts'
import type { ProxyName } from '../../proxy.ts'
import { findTools } from '../../tools.ts'
import type { Section } from '../results.ts'
import { machine, workFolder } from '../run.ts'
import { SlowBackend } from './backend.ts'
import { download, type Fared, upload } from './clients.ts'
import { slowConf, TEMPORARY } from './conf.ts'
import { type Bout, downloadRows, type Row, slowTable, uploadRows } from './report.ts'
import { ProxyWatch } from './watch.ts'

const MAIN = fileURLToPath(new URL('../../../src/master/main.ts', import.meta.url))
const MIB = 2 ** 20
const DOWNLOADS = { clients: 200, bytes: 10 * MIB }
const UPLOADS = { clients: 100, bytes: 20 * MIB }
/** Uploads go so many times faster than downloads, so that both take a while that people wait for. */
const UPLOAD_RATE = 5

export interface SlowOptions {
  /** Bytes a second that a download is read at. */
  rate: number
  /** That many times the usual clients. */
  times: number
  keep: boolean
}

interface Figures {
  downloads: Row[]
  uploads: Row[]
}

export async function runSlow(options: SlowOptions): Promise<Section> {
  const { nginx } = findTools()
  const weir = await measure('weir', [process.execPath, MAIN], options)
  const beside = nginx === null ? null : await measure('nginx', [nginx], options)
  const good = [...weir.downloads, ...weir.uploads].every((row) => row.good)
  const scale = (count: number) => Math.max(1, Math.round(count * options.times))
  const description = [
    `${scale(DOWNLOADS.clients)} clients reading ${DOWNLOADS.bytes / MIB} MiB at ${options.rate / 1000} kB/s each, then`,
    `${scale(UPLOADS.clients)} sending ${UPLOADS.bytes / MIB} MiB at ${(options.rate * UPLOAD_RATE) / 1000} kB/s each,`,
    `one worker, the same configuration: ${good ? 'passed' : 'FAILED'}. ${machine()}`,
  ].join(' ')
  const tables = [
    '### Downloads',
    slowTable(weir.downloads, beside?.downloads ?? null),
    '### Uploads',
    slowTable(weir.uploads, beside?.uploads ?? null),
  ]
  for (const table of tables) console.log(`${table}\n`)
  return { title: 'Slow clients', text: [description, ...tables].join('\n\n'), good }
}

/** Both kinds of clients, one after the other, each on a proxy of its own. */
async function measure(name: ProxyName, program: readonly string[], options: SlowOptions): Promise<Figures> {
  const { rate, times, keep } = options
  const backend = new SlowBackend()
  const backendPort = await backend.start()
  const bout = async (what: string, clients: number, run: (port: number, id: number) => Promise<Fared>) => {
    const count = Math.max(1, Math.round(clients * times))
    const folder = join(workFolder(keep), name)
    const port = await freePort()
    const child = start(name, program, folder, slowConf(name, port, backendPort, count))
    try {
      await listening(child, port)
      // One of each kind goes ahead: what every process allocates once belongs to no client.
      await download(port, 0, 1000, 1e6)
      backend.reset()
      console.log(`${name}: ${count} ${what}`)
      return await watched(child, folder, backend, () =>
        Promise.all(Array.from({ length: count }, (_, index) => run(port, index + 1))),
      )
    } finally {
      await child.stop()
    }
  }
  try {
    const downloads = await bout('downloads', DOWNLOADS.clients, (port, id) =>
      download(port, id, DOWNLOADS.bytes, rate),
    )
    const uploads = await bout('uploads', UPLOADS.clients, (port, id) =>
      upload(port, id, UPLOADS.bytes, rate * UPLOAD_RATE),
    )
    return {
      downloads: downloadRows(downloads, knows(name, 'proxy_buffering')),
      uploads: uploadRows(uploads, knows(name, 'proxy_request_buffering')),
    }
  } finally {
    backend.stop()
  }
}

function start(name: ProxyName, program: readonly string[], folder: string, conf: string): Child {
  for (const path of ['logs', TEMPORARY]) mkdirSync(join(folder, path), { recursive: true })
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, conf)
  chmodSync(folder, 0o755)
  // Run as root, nginx's worker would otherwise be a user who may not enter the folder.
  const globals = name === 'nginx' && process.getuid?.() === 0 ? 'daemon off; user root;' : 'daemon off;'
  return new Child([...program, '-p', `${folder}/`, '-c', file, '-g', globals], { cores: null })
}

async function watched(
  child: Child,
  folder: string,
  backend: SlowBackend,
  run: () => Promise<Fared[]>,
): Promise<Bout> {
  const watch = new ProxyWatch(child.pid, folder)
  const fared = await run()
  // What is closed and removed behind the last client takes a moment.
  await delay(1000)
  if (!child.running) throw new Error(`the proxy has ended\n${child.stderr}`)
  const after = watch.stop()
  const errors = new Set(fared.map(({ error }) => error).filter((error) => error !== ''))
  for (const error of errors) console.log(`  ${error}`)
  return {
    fared,
    visits: new Map(backend.visits),
    peakConnections: backend.peak,
    before: watch.before,
    after,
    peakResident: watch.peakResident,
    peakFiles: watch.peakFiles,
    peakFileBytes: watch.peakFileBytes,
  }
}
