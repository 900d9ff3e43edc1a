// Opens files without following symbolic links, or only links of the same owner as what they lead to. Every folder on the
// way is opened from the one before it, so that nothing can be put in between: what openat() is for, which Node does not
// have. In its place the kernel resolves `/proc/self/fd/N/name`, where N is the open folder.

import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs'
import type { OpenFailure } from './open-file.ts'
import { fileName } from './path.ts'

/** How the links of one path are looked at. */
export interface LinkRule {
  /** Links are followed to what belongs to the link's owner. */
  owned: boolean
  /** The slash at this place of the path ends a folder that is trusted; 0: none is. */
  from: number
  /** Tells the rule apart from others; empty for no other. */
  key: string
}

/** Linux's O_PATH, the same on x64 and arm64: a folder that may be entered need not be readable. */
const O_PATH = 0o10000000
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_CREAT } = constants
const ENTER = O_PATH | O_DIRECTORY
/** For reading, without waiting for the other end of a pipe. */
export const READ = constants.O_RDONLY | O_NONBLOCK

const TOO_MANY_LINKS = Object.assign(new Error('too many symbolic links encountered'), {
  errno: -40,
  code: 'ELOOP',
})

/** Opens the file called `path` (latin1, without NUL): a descriptor, or why there is none. */
export function openGuarded(path: string, rule: LinkRule, flags = READ, mode = 0): number | OpenFailure {
  let call = 'openat()'
  let folder = -1
  let at = 0
  try {
    if (rule.from > 0) {
      call = 'open()'
      folder = openSync(fileName(path.slice(0, rule.from)), ENTER)
      call = 'openat()'
      at = rule.from + 1
    } else if (path.startsWith('/')) {
      folder = openSync('/', ENTER)
      at = 1
    }
    for (let slash = path.indexOf('/', at); slash >= 0; slash = path.indexOf('/', at)) {
      if (slash > at) {
        const outer = folder
        folder = openIn(outer, path.slice(at, slash), ENTER, mode, rule.owned)
        if (outer >= 0) closeSync(outer)
      }
      at = slash + 1
    }
    // A slash at the end: the folder itself.
    if (at === path.length) return openSync(placeOf(folder, '.'), flags, mode)
    // As in nginx, what may be made anew is not compared with the link that is there.
    return openIn(folder, path.slice(at), flags, mode, rule.owned && (flags & O_CREAT) === 0)
  } catch (error) {
    return { call, error }
  } finally {
    if (folder >= 0) closeSync(folder)
  }
}

/** What the file called `path` (latin1, without NUL) is. As in nginx, it is opened for that and has to be readable. */
export function statGuarded(path: string, rule: LinkRule): Stats | OpenFailure {
  const opened = openGuarded(path, rule)
  if (typeof opened !== 'number') return opened
  try {
    return fstatSync(opened)
  } catch (error) {
    return { call: 'fstat()', error }
  } finally {
    closeSync(opened)
  }
}

function openIn(folder: number, name: string, flags: number, mode: number, owned: boolean): number {
  const place = fileName(placeOf(folder, name))
  if (!owned) return openSync(place, flags | O_NOFOLLOW, mode)
  const opened = openSync(place, flags, mode)
  try {
    // Whether a link was followed is not known: by now something else may have the name. What the name belongs to counts.
    if (fstatSync(opened).uid === lstatSync(place).uid) return opened
    throw TOO_MANY_LINKS
  } catch (error) {
    closeSync(opened)
    throw error
  }
}

/** `folder` -1: a relative path begins. */
function placeOf(folder: number, name: string): string {
  return folder < 0 ? name : `/proc/self/fd/${folder}/${name}`
}
