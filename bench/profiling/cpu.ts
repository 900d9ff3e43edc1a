// `--cpu-prof`: V8's sampling profiler in the master and in every worker thread, one file for each.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { analyse, type CpuProfile, describeThread } from './cpu-profile.ts'
import { type Profiling, watch } from './session.ts'

const INTERVAL = 250

/** Text with a table for every thread that did something; the raw files open in Chromium's developer tools. */
export async function profileCpu(profiling: Profiling): Promise<string> {
  const folder = profiling.raw('cpu')
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL}`]
  const watched = await watch(profiling, { node: [process.execPath, ...flags] }, (child) =>
    child.stop('SIGQUIT', 15_000),
  )
  const { result, window, cpuMicroseconds } = watched
  const threads = readdirSync(folder)
    .map((file) => ({ file, thread: Number(file.split('.')[4]) }))
    .sort((a, b) => a.thread - b.thread)
  if (threads.length === 0) throw new Error('no profile was written: weir did not end by itself')
  const sections = threads.map(({ file, thread }) => {
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile
    const times = analyse(profile, window, profiling.root)
    const name = thread === 0 ? 'main thread' : `worker thread ${thread}`
    // A thread that only waits is not worth a table.
    if (times.busy < 0.01 * (window.to - window.from)) return `${name}: idle\n`
    return describeThread(name, times, result.requests, profiling.top)
  })
  const each = cpuMicroseconds / result.requests
  const load = `${result.requests} requests in ${result.seconds.toFixed(1)} s, ${each.toFixed(1)} us CPU each with the profiler on`
  return `${load}; sampled every ${INTERVAL} us\n\n${sections.join('\n')}`
}
