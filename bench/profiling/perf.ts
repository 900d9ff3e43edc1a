// Linux perf, where it is installed: the one view with JavaScript, Node's native code and the kernel side by side.

import { join } from 'node:path'
import { Child } from '../children.ts'
import { type Profiling, watch } from './session.ts'

/** How perf shows the sources of this checkout. */
const ROOT = new URL('../../', import.meta.url).href

/** Text with the shares of kernel, native and compiled code, and the symbols with the most samples. */
export async function profileWithPerf(profiling: Profiling, perf: string): Promise<string> {
  const data = join(profiling.raw('perf'), 'perf.data')
  const cores = profiling.cores?.others ?? null
  const { result, cpuMicroseconds } = await watch(
    profiling,
    // Names of compiled functions go to /tmp/perf-PID.map, where perf looks for them.
    { node: [process.execPath, '--perf-basic-prof'] },
    (child) => child.stop('SIGQUIT', 15_000),
    async (proxy) => {
      const seconds = String(profiling.seconds)
      const recorder = new Child(
        [
          perf,
          'record',
          '-q',
          '-F',
          '1999',
          '-o',
          data,
          '-p',
          String(proxy.child.pid),
          '--',
          'sleep',
          seconds,
        ],
        { cores },
      )
      await recorder.ended
    },
  )
  const report = async (...options: string[]) => {
    const child = new Child([perf, 'report', '-i', data, '--stdio', '-g', 'none', ...options], { cores })
    await child.ended
    const lines = child.stdout
      .replaceAll(ROOT, '')
      .split('\n')
      .map((line) => line.trimEnd())
    return lines.filter((line) => line !== '' && !line.startsWith('#'))
  }
  const objects = await report('--fields', 'overhead,dso', '--percent-limit', '0.5')
  const symbols = await report('--fields', 'overhead,dso,symbol', '--percent-limit', '0.1')
  if (symbols.length === 0)
    throw new Error('perf recorded nothing; it needs kernel.perf_event_paranoid <= 1 or root')
  const each = cpuMicroseconds / result.requests
  return [
    `${result.requests} requests, ${each.toFixed(1)} us CPU each with perf on`,
    '',
    ...objects,
    '',
    ...symbols.slice(0, profiling.top * 2),
    '',
  ].join('\n')
}
