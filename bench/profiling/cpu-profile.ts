// A .cpuprofile (V8's sampling profiler) made into text: self and total time by function, self time by file, and
// the lines hit most often. Pure; the profiles of all threads of a process have this form.

import { readable } from '../statistics.ts'

interface CallFrame {
  functionName: string
  url: string
  /** From 0; -1 for native code. */
  lineNumber: number
}

interface ProfileNode {
  id: number
  callFrame: CallFrame
  children?: number[]
  positionTicks?: { line: number; ticks: number }[]
}

export interface CpuProfile {
  nodes: ProfileNode[]
  /** Microseconds of the monotonic clock, the one `process.hrtime` shows. */
  startTime: number
  endTime: number
  samples: number[]
  timeDeltas: number[]
}

/** Microseconds of the monotonic clock between which samples count. */
export interface Window {
  from: number
  to: number
}

export interface FunctionTime {
  name: string
  /** `src/worker/a.ts:12`, `node:net:300`, or empty for native code. */
  place: string
  file: string
  /** Microseconds in the function itself, and with all it called. */
  self: number
  total: number
}

export interface ThreadTimes {
  /** Microseconds sampled, without idle time. */
  busy: number
  idle: number
  /** Idle time left out; the largest self time first. */
  functions: FunctionTime[]
  /** Samples by source line over the whole run, most first. */
  lines: { place: string; ticks: number }[]
}

/** Sums up the samples inside `window`, or all of them when none is inside. `root` is cut from file names. */
export function analyse(profile: CpuProfile, window: Window | null, root: string): ThreadTimes {
  const self = selfTimes(profile, window)
  const functions = new Map<string, FunctionTime>()
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  addTimes(byId, profile.nodes[0]!, self, functions, new Set(), root)
  const idle = functions.get('(idle)')?.self ?? 0
  functions.delete('(idle)')
  functions.delete('(root)')
  const list = [...functions.values()].filter((entry) => entry.total > 0).sort((a, b) => b.self - a.self)
  return {
    busy: list.reduce((sum, entry) => sum + entry.self, 0),
    idle,
    functions: list,
    lines: hotLines(profile, root),
  }
}

/** Microseconds by node: a sample lasts until the next one. */
function selfTimes(profile: CpuProfile, window: Window | null): Map<number, number> {
  const times = new Map<number, number>()
  let at = profile.startTime
  for (let index = 0; index < profile.samples.length; index++) {
    at += profile.timeDeltas[index]!
    if (window !== null && (at < window.from || at > window.to)) continue
    const length = profile.timeDeltas[index + 1] ?? 0
    const node = profile.samples[index]!
    times.set(node, (times.get(node) ?? 0) + Math.max(length, 0))
  }
  return times.size === 0 && window !== null ? selfTimes(profile, null) : times
}

/** Walks the call tree; a function already on the stack (recursion) adds nothing to its total. Returns the subtree's time. */
function addTimes(
  nodes: Map<number, ProfileNode>,
  node: ProfileNode,
  self: Map<number, number>,
  functions: Map<string, FunctionTime>,
  stack: Set<string>,
  root: string,
): number {
  const key = keyOf(node.callFrame)
  let entry = functions.get(key)
  if (entry === undefined) functions.set(key, (entry = describe(node.callFrame, root)))
  const own = self.get(node.id) ?? 0
  const outermost = !stack.has(key)
  if (outermost) stack.add(key)
  let subtree = own
  for (const child of node.children ?? [])
    subtree += addTimes(nodes, nodes.get(child)!, self, functions, stack, root)
  if (outermost) stack.delete(key)
  entry.self += own
  if (outermost) entry.total += subtree
  return subtree
}

function keyOf({ functionName, url, lineNumber }: CallFrame): string {
  return url === '' ? functionName : `${functionName} ${url}:${lineNumber}`
}

function describe(frame: CallFrame, root: string): FunctionTime {
  const file = shortFile(frame.url, root)
  return {
    name: frame.functionName === '' ? '(anonymous)' : frame.functionName,
    place: file === '' ? '' : `${file}:${frame.lineNumber + 1}`,
    file: file === '' ? '(native)' : file,
    self: 0,
    total: 0,
  }
}

function shortFile(url: string, root: string): string {
  const path = url.replace(/^file:\/\//, '')
  return path.startsWith(root) ? path.slice(root.length) : path
}

function hotLines(profile: CpuProfile, root: string): { place: string; ticks: number }[] {
  const ticks = new Map<string, number>()
  for (const node of profile.nodes) {
    if (node.callFrame.url === '') continue
    const file = shortFile(node.callFrame.url, root)
    for (const tick of node.positionTicks ?? []) {
      const place = `${file}:${tick.line}`
      ticks.set(place, (ticks.get(place) ?? 0) + tick.ticks)
    }
  }
  return [...ticks].map(([place, count]) => ({ place, ticks: count })).sort((a, b) => b.ticks - a.ticks)
}

/** The tables for one thread. `requests` were answered in the window; 0 leaves out the time for one. */
export function describeThread(name: string, times: ThreadTimes, requests: number, top: number): string {
  const { busy, idle, functions, lines } = times
  const share = (time: number) => `${((100 * time) / busy).toFixed(1)} %`.padStart(7)
  const each = (time: number) => (requests === 0 ? '' : readable(time / requests).padStart(8))
  const rows = functions
    .slice(0, top)
    .map(({ name, place, self, total }) =>
      `${share(self)}${each(self)}  ${share(total)}  ${name}  ${place}`.trimEnd(),
    )
  const files = [...sumByFile(functions)]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 20)
    .map(([file, self]) => `${share(self)}${each(self)}  ${file}`)
  const perRequest = requests === 0 ? '' : `us/req`.padStart(8)
  return [
    `${name}: busy ${(busy / 1e6).toFixed(2)} s, idle ${(idle / 1e6).toFixed(2)} s`,
    '',
    `${'self'.padStart(7)}${perRequest}  ${'total'.padStart(7)}  function`,
    ...rows,
    '',
    `${'self'.padStart(7)}${perRequest}  file`,
    ...files,
    '',
    'samples  line (whole run)',
    ...lines.slice(0, 25).map(({ place, ticks }) => `${String(ticks).padStart(7)}  ${place}`),
    '',
  ].join('\n')
}

function sumByFile(functions: readonly FunctionTime[]): Map<string, number> {
  const files = new Map<string, number>()
  for (const { file, self } of functions) files.set(file, (files.get(file) ?? 0) + self)
  return files
}
