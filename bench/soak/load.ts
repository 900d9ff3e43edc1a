// Mixed load: minutes of it, with clients that leave, backends that die and a worker that is made to crash, while weir
// reloads and reopens its logs. Then everything must be back where it was. The order of a run is read here from top to
// bottom.

import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../port.ts'
import { leavingClients } from './aborts.ts'
import { Backend } from './backends.ts'
import { type ClientKind, goodClients, type Soak } from './clients.ts'
import { soakConf } from './conf.ts'
import { OPEN, total } from './inside.ts'
import { Ledger } from './ledger.ts'
import { markdownReport, type Outcome, passed, summary, textTable, verdicts } from './report.ts'
import type { Section } from './results.ts'
import { every, machine, quiet, workFolder } from './run.ts'
import { type Sample, SoakedWeir } from './weir.ts'
import { Broken } from './wire.ts'

const RELOAD_EVERY = 20_000
const CRASH_EVERY = 30_000
const REOPEN_EVERY = 25_000
const TELL_EVERY = 10_000
interface Counts {
  reloads: number
  reopens: number
}

export interface LoadOptions {
  minutes: number
  /** That many times the usual clients. */
  times: number
  /** Configuration and logs stay. */
  keep: boolean
}

export async function runLoad({ minutes, times, keep }: LoadOptions): Promise<Section> {
  const folder = workFolder(keep)
  const backends = [new Backend(), new Backend(), new Backend()] as const
  for (const backend of backends) await backend.start()
  const [first, second, flaky] = backends
  const ports = {
    handOff: await freePort(),
    reuseport: await freePort(),
    steady: [first.port, second.port],
    flaky: flaky.port,
    dead: await freePort(),
  }
  const weir = new SoakedWeir(folder, [ports.handOff, ports.reuseport], (generation) =>
    soakConf(ports, generation),
  )
  try {
    await weir.ready()
    const before = await quiet(weir, null)
    flaky.beFlaky()
    const ledger = new Ledger()
    console.log(`${minutes} minutes of load on process ${weir.child.pid}; logs in ${folder}`)
    const { samples, counts } = await load(weir, ledger, [ports.handOff, ports.reuseport], minutes, times)
    console.log('the load has stopped; waiting until nothing is open')
    const after = await quiet(weir, before)
    for (const backend of backends) backend.stop()
    await weir.child.stop('SIGQUIT', 10_000)
    const outcome: Outcome = {
      before,
      after,
      samples,
      requests: ledger.issued,
      errors: ledger.errorCount,
      victims: ledger.victims,
      crashes: ledger.crashes.length,
      ...counts,
      alarms: weir.alarms(),
      log: ledger.compareLog(weir.log('access.log')),
      buffered: ledger.compareBuffered(weir.log('second.log')),
    }
    return report(outcome, ledger, minutes)
  } finally {
    for (const backend of backends) backend.stop()
    await weir.child.stop('SIGKILL')
  }
}

/** The load with its disturbances, and a sample each second. */
async function load(
  weir: SoakedWeir,
  ledger: Ledger,
  ports: readonly number[],
  minutes: number,
  times: number,
): Promise<{ samples: Sample[]; counts: Counts }> {
  const counts: Counts = { reloads: 0, reopens: 0 }
  let turn = 0
  let stopping = false
  const soak: Soak = {
    ledger,
    port: () => ports[turn++ % ports.length]!,
    get stopping() {
      return stopping
    },
  }
  const clients = [...goodClients, ...leavingClients].flatMap((kind) =>
    Array.from({ length: Math.ceil(kind.clients * times) }, () => repeat(soak, kind)),
  )
  const disturbances = [
    every(RELOAD_EVERY, () => {
      counts.reloads++
      weir.reload()
    }),
    every(REOPEN_EVERY, () => {
      counts.reopens++
      weir.reopen()
    }),
    every(CRASH_EVERY, () => {
      ledger.crash()
      weir.crash()
    }),
  ]
  const samples = await watch(weir, ledger, minutes * 60_000)
  for (const disturbance of disturbances) disturbance.stop()
  stopping = true
  await Promise.all(clients)
  return { samples, counts }
}

/** Session after session of one client. */
async function repeat(soak: Soak, kind: ClientKind): Promise<void> {
  while (!soak.stopping) {
    try {
      await kind.session(soak, kind.name)
    } catch (error) {
      soak.ledger.failed(kind.name, error as Error, error instanceof Broken)
      await delay(100)
    }
  }
}

/** Samples for `milliseconds`, and tells how it goes. */
async function watch(weir: SoakedWeir, ledger: Ledger, milliseconds: number): Promise<Sample[]> {
  const samples: Sample[] = []
  const started = Date.now()
  let told = 0
  let done = 0
  while (Date.now() - started < milliseconds) {
    await delay(1000)
    const time = Date.now() - started
    const sample = weir.sample(time)
    samples.push(sample)
    if (!weir.child.running) throw new Error(`weir has ended\n${weir.child.stderr}`)
    if (process.stdout.isTTY || time - told >= TELL_EVERY) {
      const rate = ((ledger.doneCount - done) / (time - told)) * 1000
      const line = progress(sample, ledger, rate)
      process.stdout.write(process.stdout.isTTY ? `\r${line}\x1b[K` : `${line}\n`)
      told = time
      done = ledger.doneCount
    }
  }
  if (process.stdout.isTTY) process.stdout.write('\n')
  return samples
}

function progress(sample: Sample, ledger: Ledger, rate: number): string {
  const { inside } = sample
  const open = inside === null ? '?' : OPEN.map((counter) => total(inside, counter)).join('/')
  return [
    `${Math.round(sample.time / 1000)} s`.padStart(6),
    `${ledger.doneCount} done`,
    `${Math.round(rate)}/s`,
    `${ledger.errorCount} errors`,
    `${ledger.victims} lost in ${ledger.crashes.length} crashes`,
    `${(sample.resident / 2 ** 20).toFixed(0)} MiB`,
    `${sample.descriptors} descriptors`,
    `${OPEN.join('/')} ${open}`,
  ].join('  ')
}

function report(outcome: Outcome, ledger: Ledger, minutes: number): Section {
  const list = verdicts(outcome)
  const good = passed(list)
  const description = `${minutes} minutes of mixed load on two workers: ${good ? 'passed' : 'FAILED'}. ${machine()}`
  console.log(`\n${summary(outcome)}\n`)
  for (const line of [...ledger.errors, ...outcome.alarms.slice(0, 20)]) console.log(`  ${line}`)
  console.log(`${textTable(list)}\n`)
  return { title: 'Mixed load', text: markdownReport(description, outcome, list, ledger.done), good }
}
