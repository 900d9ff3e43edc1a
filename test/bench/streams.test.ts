// The streams scenario: its backend and its clients understand each other, and both proxies get the configuration meant.

import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Child } from '../../bench/children.ts'
import { proxyConf } from '../../bench/conf.ts'
import type { LoadResult } from '../../bench/load/load.ts'
import { sse } from '../../bench/scenarios/sse.ts'
import { startSource } from '../../bench/streams.ts'
import { buildCycle } from '../../src/shared/conf/build.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { modules } from '../../src/worker/modules.ts'

const CLIENTS = fileURLToPath(new URL('../../bench/load/event-clients.ts', import.meta.url))

async function listen(port: number, streams: number): Promise<Child> {
  const clients = new Child([process.execPath, CLIENTS, String(port), '/events', String(streams), '1'], {
    cores: null,
  })
  await clients.ended
  return clients
}

it('clients count the events of all streams and time each', async () => {
  const source = await startSource({ ...sse, interval: 50 }, null)
  try {
    const clients = await listen(source.port, 5)
    expect(clients.stderr).toBe('')
    const result = JSON.parse(await clients.line('{')) as LoadResult
    expect(result.errors).toBe(0)
    expect(result.requests).toBeGreaterThanOrEqual(5)
    expect(result.p50).toBeGreaterThan(0)
    expect(result.p99).toBeGreaterThanOrEqual(result.p50)
  } finally {
    await source.child.stop()
  }
})

it('streams that nobody opens fail the clients', async () => {
  const source = await startSource(sse, null)
  await source.child.stop()
  const clients = await listen(source.port, 5)
  expect(await clients.ended).toBe(1)
  expect(clients.stderr).toContain('a stream ended before it was measured (0 of 5 had an event)')
})

it('nginx is told not to hold events back; weir takes the configuration', () => {
  expect(proxyConf('nginx', sse, 8080, 8081)).toContain('proxy_buffering off;')
  const tree = parseText(proxyConf('weir', sse, 8080, 8081), 'nginx.conf')
  expect(() => buildCycle(tree, modules, { prefix: '/x/', confPrefix: '/x/' })).not.toThrow()
})
