// CPU time and memory of a process with all its threads and child processes, read from /proc.

import { readdirSync, readFileSync } from 'node:fs'

/** `pid` and every process below it. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = Number(statFields(entry)?.[1])
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [Number(entry)])
    else siblings.push(Number(entry))
  }
  const tree = [pid]
  for (const member of tree) tree.push(...(children.get(member) ?? []))
  return tree
}

/** The fields of /proc/PID/stat from `state` on (the name before it may hold spaces); null when the process is gone. */
function statFields(pid: number | string): string[] | null {
  const text = read(`/proc/${pid}/stat`)
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Microseconds of CPU used so far by these processes. Exact to the nanosecond where the kernel keeps schedstat. */
export function cpuMicroseconds(pids: readonly number[]): number {
  let total = 0
  for (const pid of pids) total += scheduledMicroseconds(pid) ?? tickMicroseconds(pid)
  return total
}

function scheduledMicroseconds(pid: number): number | null {
  let total = 0
  let found = false
  for (const thread of threads(pid)) {
    const text = read(`/proc/${pid}/task/${thread}/schedstat`)
    if (text === null) continue
    found = true
    total += Number(text.split(' ')[0]) / 1000
  }
  return found ? total : null
}

/** utime + stime; a clock tick is 10 ms on every Linux that matters. */
function tickMicroseconds(pid: number): number {
  const fields = statFields(pid)
  return fields === null ? 0 : (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Resident bytes of these processes together. */
export function residentBytes(pids: readonly number[]): number {
  let total = 0
  for (const pid of pids) {
    const line = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')
    total += Number(line?.[1] ?? 0) * 1024
  }
  return total
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
