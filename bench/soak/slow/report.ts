// The slow part made into figures, verdicts and a report. Pure.

import { percentile } from '../../statistics.ts'
import type { Visit } from './backend.ts'
import type { Fared } from './clients.ts'
import type { Look } from './watch.ts'

/** One kind of client at one proxy. */
export interface Bout {
  fared: readonly Fared[]
  /** By the client's number. */
  visits: ReadonlyMap<number, Visit>
  /** Most connections that the backend had at a time. */
  peakConnections: number
  before: Look
  after: Look
  peakResident: number
  peakFiles: number
  peakFileBytes: number
}

export interface Row {
  measure: string
  value: string
  /** What is required; '': only told. */
  rule: string
  good: boolean
}

const KIB = 1024
const MIB = 1024 * KIB
/** What README says that a response, or a body, costs at most with the sizes where nothing is said. */
const RESPONSE = (32 + 576) * KIB
const BODY = (16 + 384) * KIB
/** What all of a thread's share: memory for the next use, and garbage that nobody has collected yet. */
const SHARED = 128 * MIB

/** `held`: the proxy takes whole responses off the backend's hands. */
export function downloadRows(bout: Bout, held: boolean): Row[] {
  const { fared, visits } = bout
  const clients = fared.map(({ started, ended }) => ended - started)
  const busy = fared.map(({ id }) => {
    const visit = visits.get(id)
    return visit === undefined || visit.released === 0
      ? Number.POSITIVE_INFINITY
      : visit.released - visit.asked
  })
  const client = percentile(clients, 0.5)
  const last = Math.max(...busy)
  return [
    wrong(bout),
    told('a client takes (median)', seconds(client)),
    told('a backend is busy (median)', seconds(percentile(busy, 0.5))),
    held
      ? {
          measure: 'the longest',
          value: seconds(last),
          rule: 'less than half of that of a client',
          good: last < client / 2,
        }
      : told('the longest', seconds(last)),
    ...rest(bout, held, RESPONSE),
  ]
}

/** `held`: the proxy reads whole bodies before it asks the backend. */
export function uploadRows(bout: Bout, held: boolean): Row[] {
  const { fared, visits } = bout
  const early = fared.filter(
    ({ id, sent }) => (visits.get(id)?.asked ?? Number.POSITIVE_INFINITY) < sent,
  ).length
  const behind = fared.map(({ sent, ended }) => ended - sent)
  return [
    wrong(bout),
    told(
      'a client sends for (median)',
      seconds(
        percentile(
          fared.map(({ started, sent }) => sent - started),
          0.5,
        ),
      ),
    ),
    held
      ? {
          measure: 'requests seen before their last byte was sent',
          value: String(early),
          rule: 'must be 0',
          good: early === 0,
        }
      : told('requests seen before their last byte was sent', String(early)),
    told('from the last byte to the answer (median)', seconds(percentile(behind, 0.5))),
    told('the longest', seconds(Math.max(...behind))),
    told('connections of the backend at a time', String(bout.peakConnections)),
    ...rest(bout, held, BODY),
  ]
}

function wrong({ fared, visits }: Bout): Row {
  const count = fared.filter(({ id, error }) => error !== '' || visits.get(id)?.right !== true).length
  return { measure: 'wrong or missing', value: String(count), rule: 'must be 0', good: count === 0 }
}

/** `each`: bytes of memory that each client may cost. */
function rest(bout: Bout, held: boolean, each: number): Row[] {
  const { before, after, fared } = bout
  const grown = Math.max(0, bout.peakResident - before.resident)
  const files = String(after.files)
  const ceiling = before.resident + SHARED + fared.length * each
  return [
    told('resident memory before', mebibytes(before.resident)),
    {
      measure: 'most',
      value: mebibytes(bout.peakResident),
      rule: `at most ${mebibytes(ceiling)}`,
      good: bout.peakResident <= ceiling,
    },
    told('for each client', `${Math.round(grown / fared.length / KIB)} KiB`),
    told('temporary files, most', `${bout.peakFiles} (${mebibytes(bout.peakFileBytes)})`),
    held
      ? { measure: 'temporary files left', value: files, rule: 'must be 0', good: after.files === 0 }
      : told('temporary files left', files),
  ]
}

function told(measure: string, value: string): Row {
  return { measure, value, rule: '', good: true }
}

function seconds(milliseconds: number): string {
  return Number.isFinite(milliseconds) ? `${(milliseconds / 1000).toFixed(2)} s` : 'never'
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

/** weir's rows beside nginx's, where that was measured; the verdict is weir's. */
export function slowTable(weir: readonly Row[], nginx: readonly Row[] | null): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(['measure', 'weir', 'nginx', 'required of weir', 'verdict']),
    '| --- | ---: | ---: | --- | --- |',
    ...weir.map(({ measure, value, rule, good }, index) =>
      line([measure, value, nginx?.[index]?.value ?? '', rule, rule === '' ? '' : good ? 'ok' : 'FAILED']),
    ),
  ].join('\n')
}
