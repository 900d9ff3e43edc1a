// What of the machine and its tools the bench can use, and what it says when something is missing.

import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os'
import { delimiter, join } from 'node:path'

/** Absolute paths; null for what is not installed. */
export interface Tools {
  nginx: string | null
  wrk: string | null
  taskset: string | null
  perf: string | null
  h2load: string | null
  openssl: string | null
}

export function findTools(): Tools {
  return {
    nginx: find('nginx'),
    wrk: find('wrk'),
    taskset: find('taskset'),
    perf: find('perf'),
    h2load: find('h2load'),
    openssl: find('openssl'),
  }
}

function find(name: string): string | null {
  // A plain user's PATH often lacks sbin, where nginx is.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here: the next folder.
    }
  }
  return null
}

/** Core lists in taskset's form: the proxy has the first core to itself. */
export interface Cores {
  proxy: string
  others: string
}

/** null when nothing can be pinned: taskset is missing or there is one core only. */
export function chooseCores(tools: Tools): Cores | null {
  if (tools.taskset === null) return null
  const allowed = allowedCores()
  if (allowed.length < 2) return null
  return { proxy: String(allowed[0]), others: allowed.slice(1).join(',') }
}

function allowedCores(): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))
    return parseCoreList(list?.[1] ?? '')
  } catch {
    return Array.from({ length: availableParallelism() }, (_, core) => core)
  }
}

/** `0-2,5` as `[0, 1, 2, 5]`. */
export function parseCoreList(list: string): number[] {
  const cores: number[] = []
  for (const part of list.split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (range === null) continue
    const last = Number(range[2] ?? range[1])
    for (let core = Number(range[1]); core <= last; core++) cores.push(core)
  }
  return cores
}

/** One sentence for each thing that is missing and what follows from it. */
export function missing(tools: Tools, cores: Cores | null): string[] {
  const notes: string[] = []
  if (tools.nginx === null) {
    notes.push(
      'nginx is not installed: weir is measured alone, without a ratio, before a backend written in JavaScript',
    )
  }
  if (tools.wrk === null)
    notes.push('wrk is not installed: autocannon makes the load, and is slower than the proxies')
  if (tools.h2load === null) notes.push('h2load is not installed: HTTP/2 is not measured')
  if (tools.openssl === null) notes.push('openssl is not installed: TLS is not measured')
  if (tools.taskset === null)
    notes.push('taskset is not installed: nothing is pinned to a core, figures scatter more')
  else if (cores === null) notes.push('only one core is available: proxy, load and backend share it')
  return notes
}

/** The machine and the versions, for the report. */
export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  nginx: string | null
}

export function describeMachine(tools: Tools): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? arch(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    nginx: tools.nginx === null ? null : nginxVersion(tools.nginx),
  }
}

function nginxVersion(nginx: string): string {
  const { stderr } = spawnSync(nginx, ['-v'], { encoding: 'utf8' })
  return /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'unknown'
}

/** How many descriptors a child may have: the hard limit, raised where that is allowed. */
export function descriptorLimit(): number {
  const limit = execFileSync('/bin/sh', ['-c', `${RAISE_LIMIT} ulimit -n`], { encoding: 'utf8' }).trim()
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
}

/** Shell words that raise the descriptor limit as far as it goes. */
export const RAISE_LIMIT = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)";'
