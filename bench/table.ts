// A run as text: an aligned table for the terminal and the same cells in Markdown. Pure.

import type { IdleOutcome, LoadOutcome, Outcome, Run, StartOutcome } from './result.ts'
import { readable } from './statistics.ts'

const PROXIES = ['weir', 'nginx'] as const

const LOAD_HEAD = [
  'scenario',
  'proxy',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'CPU us/request',
  'nginx / weir',
  'target',
]
const IDLE_HEAD = ['scenario', 'proxy', 'RSS before', 'RSS after', 'bytes/connection']
const START_HEAD = ['start with', 'proxy', '-t ms', 'first answer ms', 'RSS']

function loadRows(outcome: LoadOutcome): string[][] {
  const rows: string[][] = []
  for (const name of PROXIES) {
    const summary = outcome.proxies[name]
    if (summary === undefined) continue
    const first = rows.length === 0
    const errors = summary.errors > 0 ? ` (${summary.errors} errors)` : ''
    rows.push([
      first ? outcome.title : '',
      name + errors,
      readable(Math.round(summary.requestsPerSecond)),
      readable(summary.p50),
      readable(summary.p99),
      readable(summary.cpuPerRequest),
      first && outcome.ratio !== null ? outcome.ratio.toFixed(2) : '',
      first ? verdict(outcome) : '',
    ])
  }
  return rows
}

/** The target and whether it was reached; empty without a target. */
function verdict({ ratio, target }: LoadOutcome): string {
  if (target === null) return ''
  if (ratio === null) return `>= ${target}`
  return `>= ${target} ${ratio >= target ? 'reached' : 'missed'}`
}

function idleRows(outcome: IdleOutcome): string[][] {
  const rows: string[][] = []
  for (const name of PROXIES) {
    const figures = outcome.proxies[name]
    if (figures === undefined) continue
    rows.push([
      rows.length === 0 ? `${readable(figures.connections)} idle keepalive connections` : '',
      name,
      mebibytes(figures.before),
      mebibytes(figures.after),
      readable(Math.round(figures.bytesPerConnection)),
    ])
  }
  return rows
}

function startRows(outcome: StartOutcome): string[][] {
  const rows: string[][] = []
  for (const name of PROXIES) {
    const figures = outcome.proxies[name]
    if (figures === undefined) continue
    rows.push([
      rows.length === 0 ? outcome.title : '',
      name,
      readable(figures.check),
      readable(figures.answer),
      mebibytes(figures.resident),
    ])
  }
  return rows
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** Head and rows of each table a run has: speed, memory, start. */
function tables(outcomes: readonly Outcome[]): { head: string[]; rows: string[][]; words: number }[] {
  const load = outcomes.flatMap((outcome) => (outcome.kind === 'load' ? loadRows(outcome) : []))
  const idle = outcomes.flatMap((outcome) => (outcome.kind === 'idle' ? idleRows(outcome) : []))
  const start = outcomes.flatMap((outcome) => (outcome.kind === 'start' ? startRows(outcome) : []))
  return [
    { head: LOAD_HEAD, rows: load, words: 2 },
    { head: IDLE_HEAD, rows: idle, words: 2 },
    { head: START_HEAD, rows: start, words: 2 },
  ].filter((table) => table.rows.length > 0)
}

/** The tables for a terminal: words to the left, figures to the right. */
export function textTables(outcomes: readonly Outcome[]): string {
  return tables(outcomes)
    .map(({ head, rows, words }) => {
      const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
      const line = (row: string[]) =>
        row
          .map((cell, column) =>
            column < words ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
          )
          .join('  ')
          .trimEnd()
      return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
    })
    .join('\n\n')
}

/** The tables in Markdown, with what the reader must know of the run above them. */
export function markdown(run: Run): string {
  const blocks = tables(run.outcomes).map(({ head, rows, words }) => {
    const line = (row: string[]) => `| ${row.join(' | ')} |`
    const rule = head.map((_, column) => (column < words ? '---' : '---:'))
    return [line(head), line(rule), ...rows.map(line)].join('\n')
  })
  return `${[describeRun(run), ...run.notes.map((note) => `Note: ${note}.`), ...blocks].join('\n\n')}\n`
}

/** One sentence on machine, versions and method. */
export function describeRun(run: Run): string {
  const { machine } = run
  const nginx = machine.nginx === null ? '' : `, nginx ${machine.nginx}`
  const method = `medians of ${run.rounds} rounds of ${run.seconds} s`
  const place = run.pinned ? 'each proxy alone on one core' : 'nothing pinned'
  return `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}; Node ${machine.node}${nginx}; load from ${run.load}, backend ${run.backend}, one worker, ${place}, ${method}; ${run.date}`
}
