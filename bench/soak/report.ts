// Samples and ledger made into verdicts: what is measured, from which value to which, and whether that is all right.
// Pure.

import { median } from '../statistics.ts'
import { type Counter, OPEN, total } from './inside.ts'
import type { LogFindings } from './ledger.ts'
import type { Sample } from './weir.ts'

/** Resident memory may be this much larger at the end than after the warm-up: V8 gives pages back when it likes. */
export const RESIDENT_GROWTH = 0.1
export const RESIDENT_BYTES = 16 * 2 ** 20
/** Live heap may grow by this: what is alive differs with what is in flight. */
export const HEAP_BYTES = 1.5 * 2 ** 20

export interface Verdict {
  measure: string
  start: string
  end: string
  peak: string
  /** null: only told. */
  good: boolean | null
  /** What was required. */
  rule: string
}

/** weir before the load, during it, and after it was quiet again. */
export interface Watched {
  before: Sample
  after: Sample
  samples: readonly Sample[]
}

export interface Outcome extends Watched {
  requests: number
  errors: number
  victims: number
  crashes: number
  reloads: number
  reopens: number
  alarms: readonly string[]
  log: LogFindings
  /** Requests without one line in the buffered log. */
  buffered: number
}

export function verdicts(outcome: Outcome): Verdict[] {
  const { before, after, samples } = outcome
  return [
    fixed('wrong or lost answers', outcome.errors, 0),
    back('descriptors', before, after, samples, (sample) => sample.descriptors),
    back('threads', before, after, samples, (sample) => sample.threads, 'told only', null),
    ...OPEN.map((counter) => zero(counter, outcome)),
    grown('resident memory', samples, (sample) => sample.resident, RESIDENT_BYTES, RESIDENT_GROWTH),
    grown('live heap, worker that lives throughout', samples, heapOf('1'), HEAP_BYTES, 0),
    grown('live heap, master', samples, heapOf('master'), HEAP_BYTES, 0),
    fixed('answered, but not in the access log', outcome.log.missing, 0),
    fixed('requests with two log lines', outcome.log.twice, 0),
    fixed('log lines with another status', outcome.log.otherStatus, 0),
    fixed('answered, but not once in the buffered log', outcome.buffered, 0),
    fixed('alerts in the error log', outcome.alarms.length, 0),
  ]
}

export function passed(list: readonly Verdict[]): boolean {
  return list.every((verdict) => verdict.good !== false)
}

export function heapOf(name: string): (sample: Sample) => number | null {
  return (sample) => sample.inside?.heaps[name] ?? null
}

export function fixed(measure: string, value: number, wanted: number): Verdict {
  return {
    measure,
    start: '',
    end: String(value),
    peak: '',
    good: value === wanted,
    rule: `must be ${wanted}`,
  }
}

export type Reading = (sample: Sample) => number | null

/** Must be back where it was before the load. */
export function back(
  measure: string,
  before: Sample,
  after: Sample,
  samples: readonly Sample[],
  read: Reading,
  rule = 'no more than before',
  verdict: null | undefined = undefined,
): Verdict {
  const [start, end] = [read(before), read(after)]
  const values = samples.map(read).filter((value) => value !== null)
  const known = start !== null && end !== null
  return {
    measure,
    start: start === null ? '?' : String(start),
    end: end === null ? '?' : String(end),
    peak: String(Math.max(...values)),
    good: verdict === null ? null : known && end <= start,
    rule,
  }
}

/** A shared counter, over all rows. */
export function zero(counter: Counter, { before, after, samples }: Watched): Verdict {
  const read: Reading = ({ inside }) => (inside === null ? null : total(inside, counter))
  const told = back(`shared counter: ${counter}`, before, after, samples, read, 'must be 0')
  return { ...told, good: read(after) === 0 }
}

/** Median of the last third after the warm-up against that of the first; the warm-up is the first quarter. */
export function grown(
  measure: string,
  samples: readonly Sample[],
  read: Reading,
  bytes: number,
  share: number,
): Verdict {
  const values = samples.map(read).filter((value) => value !== null)
  const warm = values.slice(values.length >> 2)
  const third = Math.max(1, Math.floor(warm.length / 3))
  const start = median(warm.slice(0, third))
  const end = median(warm.slice(-third))
  const allowed = Math.max(bytes, start * share)
  return {
    measure,
    start: mebibytes(start),
    end: mebibytes(end),
    peak: mebibytes(Math.max(...values)),
    good: end - start <= allowed,
    rule: `grows by no more than ${mebibytes(allowed)}`,
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

const HEAD = ['measure', 'start', 'end', 'peak', 'verdict']

function cells(verdict: Verdict): string[] {
  const word = verdict.good === null ? verdict.rule : verdict.good ? 'ok' : `FAILED: ${verdict.rule}`
  return [verdict.measure, verdict.start, verdict.end, verdict.peak, word]
}

/** An aligned table for the terminal. */
export function textTable(list: readonly Verdict[]): string {
  const rows = [HEAD, ...list.map(cells)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column === 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** What the columns of `verdictTable` are. */
export const LEGEND =
  'For memory, start and end are medians of the first and the last third after the warm-up; for the rest, the values before the load and after it.'

const line = (row: readonly string[]) => `| ${row.join(' | ')} |`

/** As `textTable`, in Markdown, with what each verdict asks for. */
export function verdictTable(list: readonly Verdict[]): string {
  return [
    line([...HEAD.slice(0, 4), 'required', 'verdict']),
    '| --- | ---: | ---: | ---: | --- | --- |',
    ...list.map((verdict) =>
      line([
        ...cells(verdict).slice(0, 4),
        verdict.good === null ? '' : verdict.rule,
        verdict.good === null ? '' : verdict.good ? 'ok' : 'FAILED',
      ]),
    ),
  ].join('\n')
}

/** Counts by name, in Markdown. */
export function countTable(name: string, count: string, counts: ReadonlyMap<string, number>): string {
  const rows = [...counts].sort().map(([key, value]) => line([key, String(value)]))
  return [line([name, count]), '| --- | ---: |', ...rows].join('\n')
}

/** All of it for bench/results/soak.md, with what the load was. */
export function markdownReport(
  description: string,
  outcome: Outcome,
  list: readonly Verdict[],
  done: ReadonlyMap<string, number>,
): string {
  return `${[description, summary(outcome), verdictTable(list), LEGEND, countTable('client', 'done', done)].join('\n\n')}\n`
}

/** What happened, in one sentence. */
export function summary(outcome: Outcome): string {
  const { log } = outcome
  return [
    `${outcome.requests} requests sent, ${log.answered} answered completely, ${log.lines} log lines`,
    `${outcome.crashes} crashes of a worker cost ${outcome.victims} connections and ${log.lostInCrash} log lines`,
    `${outcome.reloads} reloads, ${outcome.reopens} reopenings of the logs`,
  ].join('; ')
}
