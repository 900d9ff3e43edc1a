// The chaos made into verdicts and a report. Pure.

import type { LogFindings } from '../ledger.ts'
import {
  back,
  countTable,
  fixed,
  grown,
  HEAP_BYTES,
  heapOf,
  LEGEND,
  RESIDENT_BYTES,
  RESIDENT_GROWTH,
  type Verdict,
  verdictTable,
  type Watched,
  zero,
} from '../report.ts'

/** Too few samples tell nothing of what grows. */
const SAMPLES_FOR_MEMORY = 60

/** A backend at the end. */
export interface BackendCounts {
  name: string
  /** null: it was well all the time. */
  moods: ReadonlyMap<string, number> | null
  requests: number
  /** Most requests at a time, and what was allowed; 0: any number. */
  peak: number
  maxConns: number
}

export interface ChaosOutcome extends Watched {
  seconds: number
  seed: number
  workers: number
  requests: number
  /** Right answers. */
  done: ReadonlyMap<string, number>
  /** Errors that no retry could have avoided, by reason. */
  unavoidable: ReadonlyMap<string, number>
  /** Errors without a reason. */
  unexplained: number
  /** What backends saw that must not be. */
  offences: readonly string[]
  victims: number
  crashes: number
  reloads: number
  alarms: readonly string[]
  log: LogFindings
  backends: readonly BackendCounts[]
  /** Most milliseconds that clients and backends were late by. */
  late: number
}

export function chaosVerdicts(outcome: ChaosOutcome): Verdict[] {
  const { before, after, samples, log } = outcome
  const memory = samples.length >= SAMPLES_FOR_MEMORY
  const heaps = [
    grown('resident memory without heaps', samples, withoutHeaps, RESIDENT_BYTES, RESIDENT_GROWTH),
    grown('live heap, worker that lives throughout', samples, heapOf('1'), HEAP_BYTES, 0),
    grown('live heap, master', samples, heapOf('master'), HEAP_BYTES, 0),
  ]
  return [
    fixed('errors that a retry could have avoided, or wrong answers', outcome.unexplained, 0),
    told('errors that nothing could have avoided', sum(outcome.unavoidable)),
    fixed('rules broken at backends', outcome.offences.length, 0),
    ...outcome.backends.filter(({ maxConns }) => maxConns > 0).map(limit),
    ...requestsAtPeers(outcome),
    back('descriptors', before, after, samples, (sample) => sample.descriptors),
    ...(['active', 'upstream', 'reading', 'writing', 'waiting'] as const).map((name) => zero(name, outcome)),
    ...(memory ? heaps : []),
    fixed('answered, but not in the access log', log.missing, 0),
    fixed('requests with two log lines', log.twice, 0),
    fixed('log lines with another status', log.otherStatus, 0),
    fixed('alerts in the error log', outcome.alarms.length, 0),
  ]
}

/** Four heaps of young objects, which grow with the load up to their bounds, hide what else grows. */
function withoutHeaps({ resident, inside }: Watched['before']): number | null {
  if (inside === null) return null
  return Object.values(inside.committed).reduce((left, bytes) => left - bytes, resident)
}

function limit({ name, peak, maxConns }: BackendCounts): Verdict {
  return {
    measure: `most requests at ${name}`,
    start: '',
    end: '',
    peak: String(peak),
    good: peak <= maxConns,
    rule: `max_conns=${maxConns}`,
  }
}

/** Requests at each peer, as weir's workers count them together. */
function requestsAtPeers(outcome: ChaosOutcome): Verdict[] {
  const { before, after, samples } = outcome
  return Object.keys(before.inside?.peers ?? {}).map((name) => {
    const read = (sample: Watched['before']) => sample.inside?.peers[name] ?? null
    const verdict = back(`weir's count of requests at ${name}`, before, after, samples, read, 'must be 0')
    return { ...verdict, good: read(after) === 0 }
  })
}

function told(measure: string, value: number): Verdict {
  return { measure, start: '', end: String(value), peak: '', good: null, rule: 'told only' }
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0)
}

/** What happened, in one sentence. */
export function chaosSummary(outcome: ChaosOutcome): string {
  return [
    `${outcome.requests} requests from clients, ${sum(outcome.done)} answered right, made into ${outcome.backends.reduce((total, { requests }) => total + requests, 0)} at backends`,
    `${sum(outcome.unavoidable)} errors that nothing could have avoided, ${outcome.unexplained} others`,
    `${outcome.crashes} crashes of a worker cost ${outcome.victims} connections and ${outcome.log.lostInCrash} log lines`,
    `${outcome.reloads} reloads, each to another balancing method`,
    `clients and backends were late by ${outcome.late} ms at most`,
  ].join('; ')
}

/** A line for each reason, most frequent first. */
export function reasonLines(unavoidable: ReadonlyMap<string, number>): string[] {
  return [...unavoidable]
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${String(count).padStart(7)}  ${reason}`)
}

/** The section of bench/results/soak.md. */
export function chaosMarkdown(outcome: ChaosOutcome, list: readonly Verdict[], description: string): string {
  const moods = new Map<string, number>()
  for (const { moods: counts } of outcome.backends) {
    for (const [name, count] of counts ?? []) moods.set(name, (moods.get(name) ?? 0) + count)
  }
  return [
    description,
    chaosSummary(outcome),
    verdictTable(list),
    LEGEND,
    'Errors that nothing could have avoided:',
    countTable('reason', 'errors', outcome.unavoidable),
    countTable('client', 'right', outcome.done),
    countTable('mood of a backend', 'times', moods),
  ].join('\n\n')
}
