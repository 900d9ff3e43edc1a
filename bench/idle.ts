// The idle scenario: how much memory one open keepalive connection costs.
//
// V8 takes memory for the garbage of the requests that opened the connections, and gives it back late: seen in RSS,
// that either hides what the connections hold or is taken for it. So the proxy is fresh, sees no load before, and
// weir's young generation is kept small. What is left of the effect counts against weir.

import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child } from './children.ts'
import type { RunningProxy } from './proxy.ts'
import type { IdleFigures } from './result.ts'
import { BACKEND_BYTES, type IdleScenario } from './scenario.ts'

/** Flags for weir's Node in this scenario. */
export const IDLE_NODE_FLAGS = ['--max-semi-space-size=1']

const CLIENTS = fileURLToPath(new URL('./load/idle-clients.ts', import.meta.url))
/** Connections of one client process: below the usual limit of 4096 descriptors. */
const PER_PROCESS = 2500
/** Requests before the first look: what every process allocates once belongs to no connection. */
const WARM_UP = 500

/** Opens the connections on a fresh proxy and compares its resident memory. */
export async function measureIdle(
  proxy: RunningProxy,
  scenario: IdleScenario,
  connections: number,
  cores: string | null,
): Promise<IdleFigures> {
  const clients: Child[] = []
  const connect = async (count: number, end: 'keep' | 'close') => {
    // A source address for each process: one address has some 28 000 ports only.
    const source = `127.0.0.${clients.length + 2}`
    const job = [proxy.port, scenario.path, BACKEND_BYTES[scenario.path], count, source, end]
    const client = new Child([process.execPath, CLIENTS, ...job.map(String)], { cores })
    clients.push(client)
    await client.line('ready')
  }
  try {
    await connect(WARM_UP, 'close')
    const before = await settled(proxy)
    for (let left = connections; left > 0; left -= PER_PROCESS)
      await connect(Math.min(left, PER_PROCESS), 'keep')
    const after = await settled(proxy)
    const lost = clients.find((client) => !client.running)
    if (lost !== undefined) throw new Error(`connections did not stay idle: ${lost.stderr}`)
    return { connections, before, after, bytesPerConnection: (after - before) / connections }
  } finally {
    for (const client of clients) await client.stop()
  }
}

/** Resident bytes once they no longer move: garbage collectors act late. */
async function settled(proxy: RunningProxy): Promise<number> {
  let last = proxy.resident
  let calm = 0
  for (let sample = 0; sample < 40 && calm < 6; sample++) {
    await delay(500)
    const now = proxy.resident
    calm = Math.abs(now - last) < 64 * 1024 ? calm + 1 : 0
    last = now
  }
  return last
}
