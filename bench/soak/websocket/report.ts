// The WebSocket soak made into verdicts. Pure.

import { type Counter, OPEN } from '../inside.ts'
import { fixed, grown, HEAP_BYTES, heapOf, RESIDENT_BYTES, RESIDENT_GROWTH, type Verdict } from '../report.ts'
import type { Sample } from '../weir.ts'
import type { ClientState } from './clients.ts'
import { SHUTDOWN } from './conf.ts'

/** How soon behind worker_shutdown_timeout every WebSocket has to have ended, in milliseconds. */
const PROMPT = 3000

export interface WebsocketOutcome {
  connections: number
  /** While they talked. */
  samples: readonly Sample[]
  /** All clients when they had said nothing for a while, before the end. */
  quiet: ClientState
  /** When the reload was through, and some seconds later. */
  reloaded: ClientState
  talkedOn: ClientState
  /** When all was over. */
  last: ClientState
  /** Generation of the configuration behind the reload. */
  generation: string
  exit: number | string
  log: string
  alarms: readonly string[]
}

/** The states of several processes as one. */
export function together(states: readonly ClientState[]): ClientState {
  const sum = (key: 'open' | 'sent' | 'received' | 'outstanding' | 'wrong' | 'pongs') =>
    states.reduce((total, state) => total + state[key], 0)
  const ends = states.filter(({ firstEnd }) => firstEnd >= 0)
  return {
    open: sum('open'),
    sent: sum('sent'),
    received: sum('received'),
    outstanding: sum('outstanding'),
    wrong: sum('wrong'),
    pongs: sum('pongs'),
    cut: states.reduce((total, { cut }) => total + cut, 0),
    ended: states.reduce((total, { ended }) => total + ended, 0),
    unanswered: states.reduce((total, { unanswered }) => total + unanswered, 0),
    firstEnd: ends.length === 0 ? -1 : Math.min(...ends.map(({ firstEnd }) => firstEnd)),
    lastEnd: Math.max(-1, ...ends.map(({ lastEnd }) => lastEnd)),
    faults: states.flatMap(({ faults }) => faults).slice(0, 10),
  }
}

export function websocketVerdicts(outcome: WebsocketOutcome): Verdict[] {
  const { connections, samples, quiet, reloaded, talkedOn, last, log, alarms } = outcome
  const lines = log.split('\n').filter((line) => line !== '')
  const right = lines.filter((line) => line.startsWith('101 ')).length
  return [
    fixed('WebSockets with a wrong message, or one in another order', last.wrong, 0),
    fixed('messages that did not come back', quiet.outstanding, 0),
    told('messages that came back', String(quiet.received)),
    told('pongs', String(quiet.pongs)),
    ...halves(samples, connections),
    grown('resident memory', samples, (sample) => sample.resident, RESIDENT_BYTES, RESIDENT_GROWTH),
    ...['0', '1', 'master'].map((name) =>
      grown(
        `live heap, ${name === 'master' ? name : `worker ${name}`}`,
        samples,
        heapOf(name),
        HEAP_BYTES,
        0,
      ),
    ),
    fixed('WebSockets cut, by the reload or otherwise', last.cut, 0),
    must(
      'generation of the configuration behind the reload',
      outcome.generation,
      outcome.generation === '2',
      '2',
    ),
    must(
      'messages that came back behind the reload',
      String(talkedOn.received - reloaded.received),
      talkedOn.received > reloaded.received,
      'more than 0',
    ),
    fixed('WebSockets ended by the drain', last.ended, connections),
    must('first of them after', seconds(last.firstEnd), last.firstEnd >= SHUTDOWN - 100, seconds(SHUTDOWN)),
    must(
      'last of them after',
      seconds(last.lastEnd),
      last.lastEnd >= 0 && last.lastEnd <= SHUTDOWN + PROMPT,
      `at most ${seconds(SHUTDOWN + PROMPT)}`,
    ),
    told('messages on their way then', String(last.unanswered)),
    must('exit code of weir', String(outcome.exit), outcome.exit === 0, '0'),
    fixed('lines of the access log with 101', right, connections),
    fixed('other lines', lines.length - right, 0),
    fixed('alerts in the error log', alarms.length, 0),
  ]
}

/** Counters of each worker at the last sample: clients and backends of about half of the WebSockets each. */
function halves(samples: readonly Sample[], connections: number): Verdict[] {
  const rows = samples.at(-1)?.inside?.rows ?? []
  const counters: Counter[] = OPEN.filter((counter) => counter !== 'reading' && counter !== 'waiting')
  return counters.map((counter) => {
    const values = rows.map((row) => row[counter])
    const even =
      values.length === 2 && values.every((value) => Math.abs(value - connections / 2) <= connections / 10)
    return must(
      `shared counter: ${counter}, by worker`,
      values.join(', '),
      even,
      'half of the WebSockets each',
    )
  })
}

function must(measure: string, value: string, good: boolean, rule: string): Verdict {
  return { measure, start: '', end: value, peak: '', good, rule: `must be ${rule}` }
}

function told(measure: string, value: string): Verdict {
  return { measure, start: '', end: value, peak: '', good: null, rule: '' }
}

function seconds(milliseconds: number): string {
  return milliseconds < 0 ? 'never' : `${(milliseconds / 1000).toFixed(1)} s`
}
