// Which generator makes the load of a scenario.

import { fileURLToPath } from 'node:url'
import { Child } from '../children.ts'
import type { LoadScenario, Scenario } from '../scenario.ts'
import type { Tools } from '../tools.ts'
import { h2load } from './h2load.ts'
import type { LoadGenerator, LoadResult } from './load.ts'

const HANDSHAKES = fileURLToPath(new URL('./handshakes.ts', import.meta.url))

/** What `scenario` cannot be measured without and is not there; null: nothing is missing. */
export function lacks(scenario: Scenario, tools: Tools): string | null {
  if (scenario.kind !== 'load') return null
  if (scenario.tls && tools.openssl === null) return 'openssl'
  return scenario.streams !== null && tools.h2load === null ? 'h2load' : null
}

/** `usual` makes all the load that any client of HTTP/1 can make. */
export function loadFor(scenario: LoadScenario, tools: Tools, usual: LoadGenerator): LoadGenerator {
  if (scenario.streams !== null) return h2load(tools.h2load!)
  return scenario.tls && !scenario.keepalive ? handshakes : usual
}

const handshakes: LoadGenerator = async ({ scenario, url, seconds, cores }) => {
  const { port, pathname } = new URL(url)
  const kind = scenario.resumed ? 'resumed' : 'whole'
  const job = [port, pathname, scenario.connections, seconds, kind].map(String)
  const child = new Child([process.execPath, HANDSHAKES, ...job], { cores })
  await child.ended
  const line = child.stdout.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`the load of handshakes gave no result\n${child.stderr}`)
  return JSON.parse(line) as LoadResult
}
