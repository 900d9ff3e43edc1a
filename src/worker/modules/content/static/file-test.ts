// Whether there is a file, as `index`, `try_files` and `if` ask: of what is held of files if it is among them, else of the
// disk.

import { type Stats, statSync } from 'node:fs'
import { errnoText } from '../../../../shared/errno.ts'
import type { Request } from '../../../http/request.ts'
import { statGuarded } from './guarded-open.ts'
import { type FileKind, kindOf, type OpenFailure } from './open-file.ts'
import { linkRule, openFileCache } from './open-file-cache.ts'
import { fileName } from './path.ts'

/** The kind of what is there, null for nothing, or why that cannot be told. */
export type Found = FileKind | OpenFailure | null

/** What is called `path` (latin1). */
export function findFile(r: Request, path: string): Found {
  const { cache } = r.conf(openFileCache)
  const held = cache.find(path, linkRule(r, path))
  if (held !== null) return held.failure ?? held.kind
  const stats = statFile(r, path)
  return stats === null || 'error' in stats ? stats : kindOf(stats)
}

/** The same, asked of the disk. */
export function statFile(r: Request, path: string): Stats | OpenFailure | null {
  if (path.includes('\0')) return null
  const rule = linkRule(r, path)
  if (rule !== null) return statGuarded(path, rule)
  try {
    return statSync(fileName(path), { throwIfNoEntry: false }) ?? null
  } catch (error) {
    return { call: 'stat()', error }
  }
}

/** Why there is nothing called `path`, in the system's words; null: there is. */
export function statFailure(path: string): OpenFailure | null {
  try {
    statSync(fileName(path))
    return null
  } catch (error) {
    return { call: 'stat()', error }
  }
}

const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])

/** Logs a failure unless it says that there is no such file. */
export function logUnlessMissing(r: Request, path: string, { call, error }: OpenFailure): void {
  const { code = '' } = error as NodeJS.ErrnoException
  if (!MISSING.has(code)) r.log('crit', `${call} "${path}" failed (${errnoText(error)})`)
}
