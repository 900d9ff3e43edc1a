// What the process may do: the account it turns into, and how many descriptors it may hold.

import { readFileSync } from 'node:fs'
import type { Account } from '../shared/core.ts'
import { errnoText } from '../shared/errno.ts'

/** Node has it; its types do not know. */
const groups = process as unknown as { initgroups(user: string, group: number): void }

/** Turns into `account`, in every thread and for good. Throws an Error in nginx's words. */
export function dropPrivileges(account: Account): void {
  const { user, uid, gid } = account
  attempt(`setgid(${gid})`, () => process.setgid!(gid))
  attempt(`initgroups(${user}, ${gid})`, () => groups.initgroups(user, gid))
  attempt(`setuid(${uid})`, () => process.setuid!(uid))
}

function attempt(call: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    throw new Error(`${call} failed (${errnoText(error)})`)
  }
}

/** How many files this process may have open; Infinity where that is unknown. Node has raised it as far as it may. */
export function openFileLimit(): number {
  let text: string
  try {
    text = readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return Number.POSITIVE_INFINITY
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}

/**
 * Warnings about a limit that does not hold what is configured. Unlike nginx's workers, those of weir share the
 * limit of one process, and it cannot be raised from within.
 */
export function checkFileLimit(wanted: number | null, connections: number, workers: number): string[] {
  const limit = openFileLimit()
  const warnings: string[] = []
  if (wanted !== null && wanted > limit) {
    warnings.push(
      `worker_rlimit_nofile ${wanted} exceeds open file resource limit: ${limit}, which weir cannot raise`,
    )
  }
  if (connections > limit) {
    warnings.push(`${connections} worker_connections exceed open file resource limit: ${limit}`)
  } else if (connections * workers > limit) {
    warnings.push(
      `${connections} worker_connections of ${workers} worker_processes exceed open file resource limit: ${limit}`,
    )
  }
  return warnings
}
