// Load over HTTP/2 from h2load, which tells the time of each request in a file of its own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from '../children.ts'
import { percentile } from '../statistics.ts'
import { HOST, type LoadGenerator } from './load.ts'

/** A generator that runs the h2load at `binary`. */
export function h2load(binary: string): LoadGenerator {
  return async ({ scenario, url, seconds, cores }) => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-h2load-'))
    const log = join(folder, 'requests')
    const command = [
      binary,
      ...['-t', '1', '-c', String(scenario.connections), '-m', String(scenario.streams)],
      ...['-D', String(seconds), '--log-file', log],
      ...['-H', `:authority: ${HOST}`, url],
    ]
    try {
      const child = new Child(command, { cores })
      await child.ended
      const total = /^requests: .* (\d+) done/m.exec(child.stdout)
      if (total === null) throw new Error(`h2load gave no result\n${child.stdout}${child.stderr}`)
      const { times, errors } = readLog(readFileSync(log, 'latin1'))
      return {
        requests: Number(total[1]),
        seconds,
        p50: percentile(times, 0.5),
        p99: percentile(times, 0.99),
        errors,
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Lines of start, status and duration, both times in microseconds; milliseconds of those answered with 200. */
function readLog(text: string): { times: number[]; errors: number } {
  const times: number[] = []
  let errors = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, status, duration] = line.split('\t')
    if (status === '200') times.push(Number(duration) / 1000)
    else errors++
  }
  return { times, errors }
}
