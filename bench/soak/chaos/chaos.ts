// The chaos: backends that come, go, get slow and lie at random behind one upstream, of which two are always well, and
// clients that judge what they get of it. The order of a run is read here from top to bottom.

import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../port.ts'
import { Ledger } from '../ledger.ts'
import { passed, textTable } from '../report.ts'
import type { Section } from '../results.ts'
import { every, machine, quiet, workFolder } from '../run.ts'
import { type Sample, SoakedWeir } from '../weir.ts'
import { ChaosBackend } from './backend.ts'
import { type Chaos, kinds, runClient } from './clients.ts'
import { chaosConf, type ServerLine } from './conf.ts'
import { Lateness } from './lateness.ts'
import { Random } from './random.ts'
import { type ChaosOutcome, chaosMarkdown, chaosSummary, chaosVerdicts, reasonLines } from './report.ts'
import { Trials } from './trials.ts'

const WORKERS = 4
const RELOAD_EVERY = 15_000
const CRASH_EVERY = 20_000
const TELL_EVERY = 10_000

/** Of each backend but its address: the first two are always well. */
const SERVERS: readonly Omit<ServerLine, 'address'>[] = [
  { maxConns: 3, maxFails: 1, failTimeout: 1 },
  { maxConns: 0, maxFails: 1, failTimeout: 1 },
  { maxConns: 2, maxFails: 1, failTimeout: 1 },
  { maxConns: 3, maxFails: 0, failTimeout: 1 },
  { maxConns: 0, maxFails: 1, failTimeout: 1 },
  { maxConns: 0, maxFails: 3, failTimeout: 2 },
]
const ALWAYS_WELL = 2

export interface ChaosOptions {
  seconds: number
  seed: number
  /** That many times the usual clients. */
  times: number
  /** Configuration and logs stay. */
  keep: boolean
}

export async function runChaos(options: ChaosOptions): Promise<Section> {
  const { seconds, seed, keep } = options
  const trials = new Trials()
  const backends = SERVERS.map(
    ({ maxConns }, index) =>
      new ChaosBackend(`127.77.0.${index + 1}`, maxConns, new Random(seed, `backend ${index}`), trials),
  )
  for (const backend of backends) await backend.start()
  const servers = SERVERS.map((server, index) => ({ ...server, address: backends[index]!.name }))
  const ports = [await freePort(), await freePort()]
  const folder = workFolder(keep)
  const weir = new SoakedWeir(folder, ports, (generation) => chaosConf(ports, servers, generation))
  const lateness = new Lateness()
  try {
    await weir.ready()
    const before = await quiet(weir, null)
    console.log(
      `${seconds} seconds of chaos, --seed ${seed}, on process ${weir.child.pid}; logs in ${folder}`,
    )
    const ledger = new Ledger()
    const unavoidable = new Map<string, number>()
    for (const backend of backends.slice(ALWAYS_WELL)) backend.beMoody()
    const chaos = {
      ledger,
      trials,
      unavoidable,
      port: turns(ports),
      stopping: false,
      lateSince: (time: number) => lateness.since(time),
    }
    const { samples, reloads } = await load(weir, chaos, options)
    console.log('the load has stopped; waiting until nothing is open')
    for (const backend of backends.slice(ALWAYS_WELL)) await backend.calm()
    const after = await quiet(weir, before)
    await weir.child.stop('SIGQUIT', 10_000)
    return report(
      {
        ...{ seconds, seed, workers: WORKERS, before, after, samples, reloads, unavoidable },
        requests: ledger.issued,
        done: ledger.done,
        unexplained: ledger.errorCount,
        offences: trials.offences,
        victims: ledger.victims,
        crashes: ledger.crashes.length,
        alarms: weir.alarms(),
        log: ledger.compareLog(weir.log('access.log')),
        backends: backends.map(({ name, moodCounts, requests, peak, maxConns }) => ({
          ...{ name, requests, peak, maxConns },
          moods: moodCounts.size > 0 ? moodCounts : null,
        })),
        late: lateness.most,
      },
      ledger.errors,
    )
  } finally {
    lateness.stop()
    for (const backend of backends) backend.stop()
    await weir.child.stop('SIGKILL')
  }
}

function turns(ports: readonly number[]): () => number {
  let turn = 0
  return () => ports[turn++ % ports.length]!
}

/** The load with its disturbances, and a sample each second. */
async function load(
  weir: SoakedWeir,
  chaos: Chaos & { stopping: boolean },
  { seconds, seed, times }: ChaosOptions,
): Promise<{ samples: Sample[]; reloads: number }> {
  let reloads = 0
  const clients = kinds.flatMap((kind) =>
    Array.from({ length: Math.ceil(kind.clients * times) }, (_, index) =>
      runClient(chaos, kind, new Random(seed, `${kind.name} ${index}`)),
    ),
  )
  const disturbances = [
    every(RELOAD_EVERY, () => {
      reloads++
      weir.reload()
    }),
    every(CRASH_EVERY, () => {
      chaos.ledger.crash()
      weir.crash()
    }),
  ]
  const samples = await watch(weir, chaos, seconds * 1000)
  for (const disturbance of disturbances) disturbance.stop()
  chaos.stopping = true
  await Promise.all(clients)
  return { samples, reloads }
}

/** Samples for `milliseconds`, and tells how it goes. */
async function watch(
  weir: SoakedWeir,
  { ledger, unavoidable }: Chaos,
  milliseconds: number,
): Promise<Sample[]> {
  const samples: Sample[] = []
  const started = Date.now()
  let told = 0
  while (Date.now() - started < milliseconds) {
    await delay(Math.min(1000, milliseconds))
    const time = Date.now() - started
    samples.push(weir.sample(time))
    if (!weir.child.running) throw new Error(`weir has ended\n${weir.child.stderr}`)
    if (time - told < TELL_EVERY) continue
    told = time
    const errors = [...unavoidable.values()].reduce((total, count) => total + count, 0)
    console.log(
      `${Math.round(time / 1000)} s: ${(samples.at(-1)!.resident / 2 ** 20).toFixed(0)} MiB, ${ledger.doneCount} right, ${errors} unavoidable errors, ${ledger.errorCount} others, ${ledger.victims} lost in ${ledger.crashes.length} crashes`,
    )
  }
  return samples
}

function report(outcome: ChaosOutcome, errors: readonly string[]): Section {
  const list = chaosVerdicts(outcome)
  const good = passed(list)
  const verdict = good ? 'passed' : 'FAILED'
  const { seconds, seed, workers } = outcome
  const description = `${seconds} seconds of chaos (\`--seed ${seed}\`) on ${workers} workers: ${verdict}. ${machine()}`
  console.log(`\n${chaosSummary(outcome)}\n`)
  console.log(['errors that nothing could have avoided:', ...reasonLines(outcome.unavoidable), ''].join('\n'))
  for (const line of [...errors, ...outcome.offences, ...outcome.alarms.slice(0, 20)])
    console.log(`  ${line}`)
  console.log(`${textTable(list)}\n`)
  return { title: 'Chaos', text: chaosMarkdown(outcome, list, description), good }
}
