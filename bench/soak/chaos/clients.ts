// The load of the chaos: clients that send what can be sent again and what cannot, and judge what they get.

import { setTimeout as delay } from 'node:timers/promises'
import type { Ledger } from '../ledger.ts'
import { patternAt } from '../pattern.ts'
import { Broken, Wire } from '../wire.ts'
import { judge, type Result } from './judge.ts'
import type { Random } from './random.ts'
import type { Method, Trial, Trials } from './trials.ts'

export interface Chaos {
  ledger: Ledger
  trials: Trials
  /** Errors that nothing could have avoided, by reason. */
  unavoidable: Map<string, number>
  port(): number
  /** Clients finish what they are at and begin nothing new. */
  readonly stopping: boolean
  /** Milliseconds that this process itself was late by, at most, since `time`. */
  lateSince(time: number): number
}

export interface ClientKind {
  name: string
  /** How many at once. */
  clients: number
  method: Method
  /** Bytes of content: least and most. */
  content: readonly [number, number]
  /** Bytes of the answer. */
  length: readonly [number, number]
  chunked?: true
  /** Requests on a connection, at most. */
  requests: number
  /** Leaves without waiting for the answer. */
  leaves?: true
}

const SMALL = [0, 16_000] as const
const NONE = [0, 0] as const

export const kinds: readonly ClientKind[] = [
  { name: 'GET', clients: 16, method: 'GET', content: NONE, length: [0, 20_000], requests: 100 },
  { name: 'GET, large answer', clients: 2, method: 'GET', content: NONE, length: [5e4, 8e5], requests: 20 },
  {
    name: 'GET, one request a connection',
    clients: 4,
    method: 'GET',
    content: NONE,
    length: SMALL,
    requests: 1,
  },
  { name: 'GET, leaves', clients: 3, method: 'GET', content: NONE, length: SMALL, requests: 1, leaves: true },
  { name: 'PUT', clients: 4, method: 'PUT', content: SMALL, length: SMALL, requests: 50 },
  {
    name: 'PUT in chunks',
    clients: 2,
    method: 'PUT',
    content: SMALL,
    length: SMALL,
    chunked: true,
    requests: 50,
  },
  {
    name: 'PUT of more than is kept',
    clients: 2,
    method: 'PUT',
    content: [17_000, 2e5],
    length: SMALL,
    requests: 20,
  },
  { name: 'POST', clients: 6, method: 'POST', content: SMALL, length: SMALL, requests: 50 },
  {
    name: 'POST in chunks',
    clients: 2,
    method: 'POST',
    content: SMALL,
    length: SMALL,
    chunked: true,
    requests: 50,
  },
]

/** Milliseconds between two requests of a client, at most. */
const PAUSE = 30
/** Milliseconds in which weir must have seen that a connection was closed. */
const CLOSING = 500
/** A delay of this process that a backend's time limit may have passed in. */
const STALL = 400

/** Connection after connection until the load stops. */
export async function runClient(chaos: Chaos, kind: ClientKind, random: Random): Promise<void> {
  while (!chaos.stopping) {
    const wire = new Wire(chaos.port())
    try {
      for (let left = random.between(1, kind.requests); left > 0 && !chaos.stopping; left--) {
        if (!(await request(chaos, kind, random, wire))) break
        await delay(random.between(0, PAUSE))
      }
    } finally {
      wire.end()
    }
  }
}

/** false: the connection is of no more use. */
async function request(chaos: Chaos, kind: ClientKind, random: Random, wire: Wire): Promise<boolean> {
  const { ledger, trials } = chaos
  const trial = trials.begin(
    ledger.next(),
    kind.method,
    random.between(...kind.content),
    random.between(...kind.length),
  )
  wire.partial = null
  wire.write(head(trial, kind))
  try {
    if (kind.leaves) return await leave(chaos, kind, trial, random)
    const sending = send(wire, trial, kind, random)
    const answer = await wire.answer()
    const sent = await sending
    ledger.answered(trial.id, answer.status)
    const kept = answer.fields.get('connection') !== 'close'
    return settle(chaos, kind, trial, wire, null) && sent && kept
  } catch (error) {
    return settle(chaos, kind, trial, wire, error as Error)
  } finally {
    trials.end(trial)
  }
}

async function leave(
  { ledger, trials }: Chaos,
  kind: ClientKind,
  trial: Trial,
  random: Random,
): Promise<boolean> {
  await delay(random.between(0, 60))
  trials.leave(trial)
  ledger.succeeded(kind.name)
  return false
}

/** Enters what has come in the books. */
function settle(chaos: Chaos, kind: ClientKind, trial: Trial, wire: Wire, error: Error | null): boolean {
  const { ledger, trials, unavoidable } = chaos
  const { partial } = wire
  const result: Result = {
    status: partial?.status ?? null,
    complete: error === null,
    right: partial?.status !== 200 || isRight(trial, partial.length, partial.pattern, error === null),
  }
  const verdict = judge(trial, result, trials.anyClosedSince(trial.started - CLOSING))
  const count = (reason: string) => unavoidable.set(reason, (unavoidable.get(reason) ?? 0) + 1)
  if (verdict.kind === 'right') ledger.succeeded(kind.name)
  else if (verdict.kind === 'unavoidable') count(verdict.reason)
  else if (result.right && chaos.lateSince(trial.started) > STALL) count('the load itself was late')
  else {
    const what = error === null ? verdict.what : `${verdict.what}; ${error.message}`
    ledger.failed(kind.name, new Error(what), error instanceof Broken)
  }
  return verdict.kind === 'right'
}

function isRight(trial: Trial, length: number, pattern: boolean, complete: boolean): boolean {
  return pattern && (complete ? length === trial.length : length <= trial.length)
}

function head({ id, method, content, length }: Trial, kind: ClientKind): string {
  const framing = kind.chunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${content}\r\n`
  return `${method} /bytes/${length}?n=${id}&l=${content} HTTP/1.1\r\nHost: soak.test\r\n${method === 'GET' ? '' : framing}\r\n`
}

/** The content, in pieces; ends early, with false, once an answer has come. */
async function send(wire: Wire, trial: Trial, kind: ClientKind, random: Random): Promise<boolean> {
  if (kind.method === 'GET') return true
  for (let at = 0; at < trial.content; ) {
    if (!wire.open || wire.partial !== null) return false

    const piece = patternAt(at, Math.min(trial.content - at, random.between(1, 16_000)))
    if (kind.chunked) wire.write(`${piece.length.toString(16)}\r\n`)
    wire.write(piece)
    if (kind.chunked) wire.write('\r\n')
    at += piece.length
    if (random.chance(0.1)) await delay(random.between(1, 10))
    else await wire.drained()
  }
  if (kind.chunked) wire.write('0\r\n\r\n')
  return true
}
