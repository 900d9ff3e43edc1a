// The websocket scenario: what a message costs that passes an open connection, and its echo. What opening the connections
// costs is left out.

import { fileURLToPath } from 'node:url'
import { Child } from './children.ts'
import type { LoadResult } from './load/load.ts'
import { freePort } from './port.ts'
import type { RunningProxy } from './proxy.ts'
import type { Round } from './result.ts'
import type { MessagesScenario } from './scenario.ts'

const BACKEND = fileURLToPath(new URL('./echo-backend.ts', import.meta.url))
const CLIENTS = fileURLToPath(new URL('./load/echo-clients.ts', import.meta.url))

/** Starts the backend that echoes; resolves once it listens. */
export async function startEcho(cores: string | null): Promise<{ port: number; child: Child }> {
  const port = await freePort()
  const child = new Child([process.execPath, BACKEND, String(port)], { cores })
  await child.line('ready')
  return { port, child }
}

/** Opens the connections on a running proxy and measures the messages of so many seconds. */
export async function measureMessages(
  proxy: RunningProxy,
  { path, connections, bytes }: MessagesScenario,
  seconds: number,
  cores: string | null,
): Promise<Round> {
  const job = [proxy.port, path, connections, bytes, seconds].map(String)
  const clients = new Child([process.execPath, CLIENTS, ...job], { cores })
  try {
    await clients.line('ready')
    const before = proxy.cpu
    const line = await clients.line('{')
    const cpuMicroseconds = proxy.cpu - before
    if (!proxy.child.running) throw new Error(`${proxy.name} ended\n${proxy.child.stderr}`)
    const result = JSON.parse(line) as LoadResult
    if (result.requests === 0) throw new Error(`${proxy.name} passed no message on`)
    return { ...result, cpuMicroseconds }
  } finally {
    await clients.stop()
  }
}
