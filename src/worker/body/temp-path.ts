// Folders for temporary files, as `client_body_temp_path` and its likes name them: made by the master before a
// configuration comes into force, and the names of the files in them, spread over up to three levels of folders.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Setter } from '../../shared/conf/command.ts'
import { parseInteger } from '../../shared/conf/values.ts'

export interface TempPath {
  /** Absolute, without a slash at its end. */
  readonly folder: string
  /** Characters of the name of each level of folders; empty: files are in the folder itself. */
  readonly levels: readonly number[]
}

/** Digits of a file's name. */
const DIGITS = 10

/** Setter of a directive `PATH [LEVEL1 [LEVEL2 [LEVEL3]]]`. */
export function setTempPath(...[directive, context]: Parameters<Setter>): TempPath {
  const [name, ...words] = directive.args as [string, ...string[]]
  const levels = words.map((word) => parseInteger(word) || invalid(directive.name, context))
  const characters = levels.reduce((sum, level) => sum + level, 0)
  if (characters > DIGITS) invalid(directive.name, context)
  const path = { folder: context.path(name).replace(/(.)\/$/, '$1'), levels }
  const other = context.tempFolders.get(path.folder)
  if (other !== undefined && other.join() !== levels.join()) {
    context.error(`the same path name "${path.folder}" has other levels elsewhere`)
  }
  context.tempFolders.set(path.folder, levels)
  return path
}

/** The folder that is used where none is named: `name` in the prefix. */
export function defaultTempPath(name: string, context: BuildContext): TempPath {
  const folder = context.path(name)
  const levels = context.tempFolders.get(folder) ?? []
  context.tempFolders.set(folder, levels)
  return { folder, levels }
}

function invalid(name: string, context: BuildContext): never {
  return context.error(`"${name}" directive invalid value`)
}

/** The place of the file with this number, as in nginx: the levels are its last digits, from the end. */
export function tempFileName({ folder, levels }: TempPath, number: number): string {
  const name = String(number).padStart(DIGITS, '0')
  let path = folder
  let end = name.length
  for (const level of levels) {
    path += `/${name.slice(end - level, end)}`
    end -= level
  }
  return `${path}/${name}`
}

/** The folders between `folder` and its file `name`, from the outside in. */
export function levelFolders({ folder, levels }: TempPath, name: string): string[] {
  let end = folder.length
  return levels.map((level) => name.slice(0, (end += level + 1)))
}
