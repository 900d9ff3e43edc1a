// The WebSocket part of the soak: thousands that talk for minutes, through a reload that cuts none, and a graceful end
// that gives them `worker_shutdown_timeout` and then closes them. The order of a run is read here from top to bottom.

import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child } from '../../children.ts'
import { freePort } from '../../port.ts'
import { LEGEND, passed, textTable, verdictTable } from '../report.ts'
import type { Section } from '../results.ts'
import { machine, quiet, workFolder } from '../run.ts'
import { type Sample, SoakedWeir } from '../weir.ts'
import type { ClientState } from './clients.ts'
import { SHUTDOWN, websocketConf } from './conf.ts'
import { together, type WebsocketOutcome, websocketVerdicts } from './report.ts'

const BACKEND = fileURLToPath(new URL('./backend.ts', import.meta.url))
const CLIENTS = fileURLToPath(new URL('./clients.ts', import.meta.url))
const CONNECTIONS = 2000
const PROCESSES = 2
const TELL_EVERY = 10_000
/** They talk on for so long behind the reload. */
const BEHIND_RELOAD = 5000
/** Every message that was on its way is back by then. */
const SILENCE = 5000

export interface WebsocketOptions {
  seconds: number
  /** That many times the usual number of WebSockets. */
  times: number
  keep: boolean
}

export async function runWebsocket({ seconds, times, keep }: WebsocketOptions): Promise<Section> {
  const each = Math.max(2, Math.round((CONNECTIONS * times) / PROCESSES))
  const connections = each * PROCESSES
  const folder = workFolder(keep)
  const backend = new Child([process.execPath, BACKEND], { cores: null })
  const backendPort = Number((await backend.line('port ')).slice(5))
  const port = await freePort()
  const weir = new SoakedWeir(folder, [port], (generation) =>
    websocketConf(port, backendPort, connections, generation),
  )
  const clients: Child[] = []
  try {
    await weir.ready()
    await quiet(weir, null)
    console.log(`${connections} WebSockets to process ${weir.child.pid}; logs in ${folder}`)
    for (let index = 0; index < PROCESSES; index++) {
      const job = [port, index * each, each].map(String)
      clients.push(new Child([process.execPath, CLIENTS, ...job], { cores: null }))
    }
    for (const child of clients) await child.line('ready')
    const samples = await talk(weir, clients, seconds * 1000)
    weir.reload()
    const generation = await generationOf(port, 2)
    const reloaded = await fresh(clients)
    await delay(BEHIND_RELOAD)
    const talkedOn = await fresh(clients)
    for (const child of clients) child.signal('SIGUSR2')
    await delay(SILENCE)
    const silent = await fresh(clients)
    for (const child of clients) child.signal('SIGUSR2')
    await fresh(clients)
    console.log('weir is told to quit')
    const told = performance.now()
    const exit = await weir.child.stop('SIGQUIT', SHUTDOWN + 15_000)
    await Promise.race([Promise.all(clients.map((child) => child.ended)), delay(5000)])
    console.log(`weir ended after ${((performance.now() - told) / 1000).toFixed(1)} s`)
    return report({
      ...{
        connections,
        samples,
        quiet: silent,
        reloaded,
        talkedOn,
        last: stateOf(clients),
        generation,
        exit,
      },
      ...{ log: weir.log('access.log'), alarms: weir.alarms() },
    })
  } finally {
    for (const child of [...clients, backend]) await child.stop('SIGKILL')
    await weir.child.stop('SIGKILL')
  }
}

/** Samples for `milliseconds`, and tells how it goes. */
async function talk(weir: SoakedWeir, clients: readonly Child[], milliseconds: number): Promise<Sample[]> {
  const samples: Sample[] = []
  const started = Date.now()
  let told = 0
  while (Date.now() - started < milliseconds) {
    await delay(1000)
    const time = Date.now() - started
    const sample = weir.sample(time)
    samples.push(sample)
    if (!weir.child.running) throw new Error(`weir has ended\n${weir.child.stderr}`)
    if (time - told < TELL_EVERY) continue
    told = time
    const { open, received, wrong, cut } = stateOf(clients)
    const mebibytes = Math.round(sample.resident / 2 ** 20)
    const figures = [
      `${open} open`,
      `${received} messages`,
      `${wrong} wrong`,
      `${cut} cut`,
      `${mebibytes} MiB`,
    ]
    console.log(`${String(Math.round(time / 1000)).padStart(4)} s  ${figures.join('  ')}`)
  }
  return samples
}

/** What the clients said last. */
function stateOf(clients: readonly Child[]): ClientState {
  return together(clients.map(({ stdout }) => JSON.parse(lastState(stdout)) as ClientState))
}

function lastState(text: string): string {
  const lines = text.split('\n').slice(0, -1)
  return lines.findLast((line) => line.startsWith('{')) ?? '{}'
}

/** What they say next: it is later than now. */
async function fresh(clients: readonly Child[]): Promise<ClientState> {
  const before = clients.map(({ stdout }) => stdout.length)
  const limit = Date.now() + 10_000
  while (clients.some((child, index) => child.running && child.stdout.length === before[index])) {
    if (Date.now() > limit) throw new Error('clients say nothing')
    await delay(50)
  }
  return stateOf(clients)
}

/** The generation that new connections meet, once it is the one wanted, or what it is after a while. */
async function generationOf(port: number, wanted: number): Promise<string> {
  let seen = ''
  for (let tries = 0; tries < 50 && seen !== String(wanted); tries++) {
    await delay(100)
    seen = await new Promise<string>((resolve, reject) => {
      get(`http://127.0.0.1:${port}/generation`, { agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk)).on('end', () => resolve(text))
      }).on('error', reject)
    })
  }
  return seen
}

function report(outcome: WebsocketOutcome): Section {
  const list = websocketVerdicts(outcome)
  const good = passed(list)
  const { connections, samples, last, alarms } = outcome
  const length = `${Math.round((samples.at(-1)?.time ?? 0) / 1000)} s`
  const description = [
    `${connections} WebSockets through two workers to an echo, each saying one to three messages of 20 bytes to 300 kB`,
    `a second, for ${length}; then a reload, then a graceful end: ${good ? 'passed' : 'FAILED'}. ${machine()}`,
  ].join(' ')
  for (const line of [...last.faults, ...alarms.slice(0, 20)]) console.log(`  ${line}`)
  console.log(`\n${textTable(list)}\n`)
  return { title: 'WebSockets', text: [description, verdictTable(list), LEGEND].join('\n\n'), good }
}
