// What a run leaves behind: the JSON's shape, and rounds made into one line per scenario. Pure.

import type { LoadResult } from './load/load.ts'
import type { ProxyName } from './proxy.ts'
import type { LoadScenario } from './scenario.ts'
import { median, spread } from './statistics.ts'
import type { Machine } from './tools.ts'

/** One proxy under load once. */
export interface Round extends LoadResult {
  /** CPU time of the whole proxy in the round. */
  cpuMicroseconds: number
}

/** Medians over the rounds of one proxy. */
export interface Summary {
  requestsPerSecond: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** CPU microseconds for one request, master and helper threads included: the figure that counts. */
  cpuPerRequest: number
  /** How far the rounds' CPU figures are apart, as a share of their median. */
  cpuSpread: number
  /** Share of one core the proxy kept busy; well below 1, the load generator was the bound. */
  busy: number
  /** Over all rounds. */
  errors: number
}

export interface LoadOutcome {
  kind: 'load'
  name: string
  title: string
  target: number | null
  proxies: Partial<Record<ProxyName, Summary>>
  /** nginx CPU / weir CPU; null unless both were measured. Above 1, weir needs less. */
  ratio: number | null
  rounds: Partial<Record<ProxyName, Round[]>>
}

export interface IdleFigures {
  connections: number
  /** Resident bytes of the whole proxy without and with the connections. */
  before: number
  after: number
  bytesPerConnection: number
}

export interface IdleOutcome {
  kind: 'idle'
  name: string
  title: string
  proxies: Partial<Record<ProxyName, IdleFigures>>
}

/** Medians over some starts. */
export interface StartFigures {
  /** Milliseconds from the command line to the end of `-t`. */
  check: number
  /** Milliseconds from the command line to the first answer. */
  answer: number
  /** Resident bytes of the whole proxy a second later. */
  resident: number
}

export interface StartOutcome {
  kind: 'start'
  name: string
  title: string
  proxies: Partial<Record<ProxyName, StartFigures>>
}

export type Outcome = LoadOutcome | IdleOutcome | StartOutcome

/** A whole run, as it is written to the JSON. */
export interface Run {
  date: string
  machine: Machine
  load: string
  backend: string
  pinned: boolean
  rounds: number
  seconds: number
  /** What was missing on the machine, in words. */
  notes: string[]
  outcomes: Outcome[]
}

export function cpuPerRequest(round: Round): number {
  return round.cpuMicroseconds / round.requests
}

export function requestsPerSecond(round: Round): number {
  return round.requests / round.seconds
}

export function busyShare(round: Round): number {
  return round.cpuMicroseconds / 1e6 / round.seconds
}

export function summarise(rounds: readonly Round[]): Summary {
  const cpu = rounds.map(cpuPerRequest)
  return {
    requestsPerSecond: median(rounds.map(requestsPerSecond)),
    p50: median(rounds.map((round) => round.p50)),
    p99: median(rounds.map((round) => round.p99)),
    cpuPerRequest: median(cpu),
    cpuSpread: spread(cpu),
    busy: median(rounds.map(busyShare)),
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
  }
}

export function loadOutcome(
  scenario: Pick<LoadScenario, 'name' | 'title' | 'target'>,
  rounds: Partial<Record<ProxyName, Round[]>>,
): LoadOutcome {
  const proxies: Partial<Record<ProxyName, Summary>> = {}
  for (const [name, list] of Object.entries(rounds) as [ProxyName, Round[]][]) {
    if (list.length > 0) proxies[name] = summarise(list)
  }
  const { weir, nginx } = proxies
  return {
    kind: 'load',
    name: scenario.name,
    title: scenario.title,
    target: scenario.target,
    proxies,
    ratio: weir !== undefined && nginx !== undefined ? nginx.cpuPerRequest / weir.cpuPerRequest : null,
    rounds,
  }
}
