// User and group names -> numbers. Node offers no such call; the files know local accounts, getent all others.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The uid of a user, or null for an unknown one. */
export function findUser(name: string): number | null {
  return find('passwd', name)
}

/** The gid of a group, or null for an unknown one. */
export function findGroup(name: string): number | null {
  return find('group', name)
}

function find(database: 'passwd' | 'group', name: string): number | null {
  return idIn(readDatabase(database), name) ?? idIn(askGetent(database, name), name)
}

/** Lines of both databases begin `name:password:id:`. */
function idIn(text: string, name: string): number | null {
  const entry = text.split('\n').find((line) => line.startsWith(`${name}:`))
  return entry === undefined ? null : Number(entry.split(':')[2])
}

function readDatabase(database: string): string {
  try {
    return readFileSync(`/etc/${database}`, 'latin1')
  } catch {
    return ''
  }
}

function askGetent(database: string, name: string): string {
  const answer = spawnSync('getent', ['--', database, name], { encoding: 'latin1', timeout: 10_000 })
  return answer.status === 0 ? answer.stdout : ''
}
