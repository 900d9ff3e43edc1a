// The streams scenario: what an event costs that a backend writes on one of many open streams, and how long it takes to
// its client. What opening the streams costs is left out.

import { fileURLToPath } from 'node:url'
import { Child } from './children.ts'
import type { LoadResult } from './load/load.ts'
import { freePort } from './port.ts'
import type { RunningProxy } from './proxy.ts'
import type { Round } from './result.ts'
import type { StreamsScenario } from './scenario.ts'

const SOURCE = fileURLToPath(new URL('./event-source.ts', import.meta.url))
const CLIENTS = fileURLToPath(new URL('./load/event-clients.ts', import.meta.url))

/** Starts the backend that writes events; resolves once it listens. */
export async function startSource(
  { interval }: StreamsScenario,
  cores: string | null,
): Promise<{ port: number; child: Child }> {
  const port = await freePort()
  const child = new Child([process.execPath, SOURCE, String(port), String(interval)], { cores })
  await child.line('ready')
  return { port, child }
}

/** Opens the streams on a running proxy and measures the events of so many seconds. */
export async function measureStreams(
  proxy: RunningProxy,
  { path, connections }: StreamsScenario,
  seconds: number,
  cores: string | null,
): Promise<Round> {
  const job = [proxy.port, path, connections, seconds].map(String)
  const clients = new Child([process.execPath, CLIENTS, ...job], { cores })
  try {
    await clients.line('ready')
    const before = proxy.cpu
    const line = await clients.line('{')
    const cpuMicroseconds = proxy.cpu - before
    if (!proxy.child.running) throw new Error(`${proxy.name} ended\n${proxy.child.stderr}`)
    const result = JSON.parse(line) as LoadResult
    if (result.requests === 0) throw new Error(`${proxy.name} passed no event on`)
    return { ...result, cpuMicroseconds }
  } finally {
    await clients.stop()
  }
}
