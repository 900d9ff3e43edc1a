// The idle scenario: how much memory one open keepalive connection costs.

import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child } from './children.ts'
import type { LoadGenerator } from './load/load.ts'
import type { RunningProxy } from './proxy.ts'
import type { IdleFigures } from './result.ts'
import { BACKEND_BYTES, baseline, type IdleScenario } from './scenario.ts'

const CLIENTS = fileURLToPath(new URL('./load/idle-clients.ts', import.meta.url))
/** Connections of one client process: below the usual limit of 4096 descriptors. */
const PER_PROCESS = 2500

/** Warms the proxy up, opens the connections, and compares its resident memory. */
export async function measureIdle(
  proxy: RunningProxy,
  scenario: IdleScenario,
  connections: number,
  load: LoadGenerator,
  cores: string | null,
): Promise<IdleFigures> {
  // Caches, compiled code and the first heap growth belong to the process, not to the connections.
  await load({ scenario: baseline, url: proxy.url(scenario.path), seconds: 3, cores })
  const before = await settled(proxy)
  const clients = await openAll(proxy, scenario, connections, cores)
  const after = await settled(proxy)
  await Promise.all(clients.map((client) => client.stop()))
  return { connections, before, after, bytesPerConnection: (after - before) / connections }
}

async function openAll(
  proxy: RunningProxy,
  scenario: IdleScenario,
  connections: number,
  cores: string | null,
): Promise<Child[]> {
  const clients: Child[] = []
  for (let left = connections; left > 0; left -= PER_PROCESS) {
    // A source address for each process: one address has some 28 000 ports only.
    const source = `127.0.0.${clients.length + 2}`
    const job = [proxy.port, scenario.path, BACKEND_BYTES[scenario.path], Math.min(left, PER_PROCESS), source]
    const client = new Child([process.execPath, CLIENTS, ...job.map(String)], { cores })
    clients.push(client)
    await client.line('ready')
  }
  return clients
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
