// Load from autocannon, the default that `npm ci` brings. It cannot count one request per connection, so that
// load comes from reconnect.ts.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Child } from '../children.ts'
import { HOST, type LoadGenerator, type LoadJob, type LoadResult } from './load.ts'

const AUTOCANNON = createRequire(import.meta.url).resolve('autocannon')
const SPREAD = fileURLToPath(new URL('./spread.ts', import.meta.url))
const RECONNECT = fileURLToPath(new URL('./reconnect.ts', import.meta.url))

/** The fields of autocannon's JSON that are used; latencies are milliseconds, whole ones. */
interface Report {
  duration: number
  requests: { total: number }
  latency: { p50: number; p99: number }
  errors: number
  timeouts: number
  non2xx: number
}

export const autocannonLoad: LoadGenerator = (job) =>
  job.scenario.keepalive ? steady(job) : reconnecting(job)

async function steady({ scenario, url, seconds, cores }: LoadJob): Promise<LoadResult> {
  const options = [
    '-j',
    '-n',
    '-c',
    String(scenario.connections),
    '-d',
    String(seconds),
    '-m',
    scenario.method,
  ]
  const accept = scenario.gzip ? ['-H', 'Accept-Encoding=gzip'] : []
  const body = scenario.requestBytes > 0 ? ['-b', 'x'.repeat(scenario.requestBytes)] : []
  const spread = [new URL(url).port, scenario.connections, seconds, scenario.servers ?? 0].map(String)
  const command =
    scenario.servers === null
      ? [AUTOCANNON, ...options, '-H', `Host=${HOST}`, ...accept, ...body, url]
      : [SPREAD, ...spread]
  const child = new Child([process.execPath, ...command], { cores })
  await child.ended
  const line = child.stdout.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`autocannon gave no result\n${child.stderr}`)
  const report = JSON.parse(line) as Report
  return {
    requests: report.requests.total,
    seconds: report.duration,
    p50: report.latency.p50,
    p99: report.latency.p99,
    errors: report.errors + report.timeouts + report.non2xx,
  }
}

async function reconnecting({ scenario, url, seconds, cores }: LoadJob): Promise<LoadResult> {
  const { port, pathname } = new URL(url)
  const job = [port, pathname, scenario.connections, seconds].map(String)
  const child = new Child([process.execPath, RECONNECT, ...job], { cores })
  await child.ended
  const line = child.stdout.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`the reconnecting load gave no result\n${child.stderr}`)
  return JSON.parse(line) as LoadResult
}
