// clinic's tools, which see the main thread only: weir runs with `master_process off`, everything in one thread.
// They write HTML; of the heap profile a table is made as well.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { describeHeap, type HeapProfile } from './heap-profile.ts'
import { type Profiling, watch } from './session.ts'

export type ClinicTool = 'doctor' | 'flame' | 'heapprofiler'

const CLINIC = createRequire(import.meta.url).resolve('clinic/bin.js')
/** Analysis takes its time after the process has ended. */
const PATIENCE = 180_000

/** Text that names the HTML file, with the table of live bytes for the heap profiler. */
export async function profileWithClinic(profiling: Profiling, tool: ClinicTool): Promise<string> {
  const folder = profiling.raw(tool)
  const { result } = await watch(
    profiling,
    {
      node: [process.execPath, CLINIC, tool, '--open=false', '--dest', folder, '--', process.execPath],
      globals: 'daemon off; master_process off;',
      // clinic passes the signal on to nobody: the group is signalled as a terminal would.
      group: true,
      env: { ...process.env, NO_INSIGHT: '1', NO_UPDATE_NOTIFIER: '1' },
    },
    (child) => child.stop('SIGINT', PATIENCE),
  )
  const files = readdirSync(folder)
  const html = files.find((file) => file.endsWith('.html'))
  if (html === undefined) throw new Error(`clinic ${tool} wrote no HTML`)
  const lines = [`${result.requests} requests; open ${relative(profiling.root, join(folder, html))}`, '']
  const heap = files.find((file) => file.endsWith('.clinic-heapprofiler'))
  if (heap !== undefined) {
    const profile = JSON.parse(readFileSync(join(folder, heap), 'utf8')) as HeapProfile
    lines.push(describeHeap(profile, profiling.root, profiling.top))
  }
  return lines.join('\n')
}
