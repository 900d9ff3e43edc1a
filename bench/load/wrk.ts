// Load from wrk, where it is installed: about a tenth of the CPU autocannon needs for a request.

import { fileURLToPath } from 'node:url'
import { Child } from '../children.ts'
import { MANY_PATHS } from '../many.ts'
import { HOST, type LoadGenerator, type LoadResult } from './load.ts'

const SCRIPT = fileURLToPath(new URL('./wrk.lua', import.meta.url))

/** A generator that runs the wrk at `binary`. */
export function wrkLoad(binary: string): LoadGenerator {
  return async ({ scenario, url, seconds, cores }) => {
    const command = [
      binary,
      '-t1',
      `-c${scenario.connections}`,
      `-d${seconds}s`,
      '--timeout',
      '10s',
      ...(scenario.gzip ? ['-H', 'Accept-Encoding: gzip'] : []),
      '-s',
      SCRIPT,
      url,
    ]
    const request = [
      scenario.method,
      String(scenario.requestBytes),
      scenario.keepalive ? 'keepalive' : 'close',
      HOST,
      String(scenario.servers ?? 0),
      ...(scenario.servers === null ? [] : MANY_PATHS),
    ]
    const child = new Child([...command, '--', ...request], { cores })
    const line = await child.line('RESULT ').catch(() => null)
    await child.ended
    if (line === null) throw new Error(`wrk gave no result\n${child.stdout}${child.stderr}`)
    return JSON.parse(line.slice('RESULT '.length)) as LoadResult
  }
}
