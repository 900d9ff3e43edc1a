// Whether a client of the chaos got what it must get. An error is all right only where no retry could have avoided it,
// and then it has a reason: the first bytes of the answer had gone out, or the request must not, or cannot, be sent
// again. Pure.

import type { Failing, Trial } from './trials.ts'

/** What a client has seen. */
export interface Result {
  /** null: no head of an answer. */
  status: number | null
  /** The answer came to its end. */
  complete: boolean
  /** What came of the content is as it must be. */
  right: boolean
}

export type Verdict =
  | { kind: 'right' }
  | { kind: 'unavoidable'; reason: string }
  | { kind: 'unexplained'; what: string }

/** Content that a proxy keeps in memory in case it has to be sent again. */
const KEPT_CONTENT = 16_384

/** `idleClosed`: a backend has closed a kept connection since the request began. */
export function judge(trial: Trial, result: Result, idleClosed: boolean): Verdict {
  const { method, visits } = trial
  const { status, complete, right } = result
  if (method === 'POST' && visits.length > 1) return unexplained(trial, result, 'sent twice')
  if (!right) return unexplained(trial, result, 'wrong content')
  // A client that still sends may lose the head of a broken answer to the reset that follows it.
  const lost = status === null && trial.content > 0 && visits.some(({ failing }) => failing?.stage === 'body')
  if (status === 200 || lost) {
    if (complete) return { kind: 'right' }
    const broken = visits.find(({ failing }) => failing?.stage === 'body')
    return broken === undefined
      ? unexplained(trial, result, 'broke off')
      : { kind: 'unavoidable', reason: `the head of the answer was out: ${broken.failing!.name}` }
  }
  const once = onceOnly(trial)
  if (status === null || !complete || once === null) return unexplained(trial, result, 'failed')
  const last = visits.at(-1)
  if (last?.failing?.statuses.includes(status) !== true) {
    return status === 502 && idleClosed
      ? { kind: 'unavoidable', reason: `${once}: the connection was closed before it was read` }
      : unexplained(trial, result, last === undefined ? 'seen by no backend' : 'another status')
  }
  return { kind: 'unavoidable', reason: `${once}: ${last.failing.name}` }
}

/** Why the request has one chance only; null: it may be sent again. */
function onceOnly({ method, content }: Trial): string | null {
  if (method === 'POST') return 'a POST is not sent twice'
  return content > KEPT_CONTENT ? 'content of more than 16 KiB is not kept' : null
}

function unexplained(trial: Trial, { status, complete }: Result, what: string): Verdict {
  const visits = trial.visits.map(({ backend, failing }) => `${backend} ${outcome(failing)}`)
  const got = `${status ?? 'no answer'}${complete ? '' : ', incomplete'}`
  const request = `${trial.method} of ${trial.content} bytes, ?n=${trial.id}`
  return {
    kind: 'unexplained',
    what: `${request}: ${what} (${got}); at ${visits.join(', ') || 'no backend'}`,
  }
}

function outcome(failing: Failing | null): string {
  return failing === null ? '(answered)' : `(${failing.name})`
}
