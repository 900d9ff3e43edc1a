// One weir under load while some tool watches it: start, warm up, load, stop. What the tools have in common.

import { setTimeout as delay } from 'node:timers/promises'
import type { Backend } from '../backend.ts'
import type { Child } from '../children.ts'
import type { LoadGenerator, LoadResult } from '../load/load.ts'
import { type ProxyOptions, type RunningProxy, startProxy } from '../proxy.ts'
import type { LoadScenario } from '../scenario.ts'
import type { Cores, Tools } from '../tools.ts'
import type { Window } from './cpu-profile.ts'

export interface Profiling {
  scenario: LoadScenario
  seconds: number
  /** Rows in the tables. */
  top: number
  tools: Tools
  cores: Cores | null
  work: string
  backend: Backend
  load: LoadGenerator
  /** The project's folder, with a slash: cut from file names. */
  root: string
  /** A folder for a tool's raw files, emptied first. */
  raw: (tool: string) => string
}

/** What the load was, beside what the tool saw. */
export interface Watched {
  result: LoadResult
  /** The time of the load, without start and warm-up. */
  window: Window
  cpuMicroseconds: number
}

/**
 * Runs weir as `start` says. `beside` runs during the load (a tool that attaches itself); `stop` ends the process
 * when the load is over and must wait until the tool has written what it has.
 */
export async function watch(
  profiling: Profiling,
  start: Pick<ProxyOptions, 'node' | 'globals' | 'group' | 'env'>,
  stop: (child: Child) => Promise<unknown>,
  beside: (proxy: RunningProxy) => Promise<unknown> = async () => {},
): Promise<Watched> {
  const { scenario, seconds, cores, load } = profiling
  const proxy = await startProxy('weir', {
    scenario,
    work: profiling.work,
    backendPort: profiling.backend.port,
    cores: cores?.proxy ?? null,
    nginx: null,
    openssl: profiling.tools.openssl,
    ...start,
  })
  const job = { scenario, url: proxy.url(scenario.path), cores: cores?.others ?? null }
  await load({ ...job, seconds: 2 })
  const from = monotonic()
  const cpu = proxy.cpu
  const [result] = await Promise.all([load({ ...job, seconds }), beside(proxy)])
  const window = { from, to: monotonic() }
  const cpuMicroseconds = proxy.cpu - cpu
  await delay(100)
  await stop(proxy.child)
  return { result, window, cpuMicroseconds }
}

function monotonic(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
