// Folders for temporary files: made before a configuration comes into force, for the account that will use them.

import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs'
import type { Account } from '../shared/core.ts'
import { errnoText } from '../shared/errno.ts'

const OWNER = 0o700

/** Makes each folder that is missing. `account`: whose they are to be; null: ours. Throws an Error in nginx's words. */
export function makeTempFolders(folders: Iterable<string>, account: Account | null): void {
  for (const name of folders) {
    const folder = Buffer.from(name, 'latin1')
    try {
      mkdirSync(folder, OWNER)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw failed('mkdir', name, error)
    }
    if (account !== null) giveTo(account, folder, name)
  }
}

function giveTo({ uid }: Account, folder: Buffer, name: string): void {
  try {
    const { uid: owner, gid, mode } = statSync(folder)
    if (owner !== uid) chownSync(folder, uid, gid)
    if ((mode & OWNER) !== OWNER) chmodSync(folder, mode | OWNER)
  } catch (error) {
    throw failed('chown', name, error)
  }
}

function failed(call: string, name: string, error: unknown): Error {
  return new Error(`${call}() "${name}" failed (${errnoText(error)})`)
}
