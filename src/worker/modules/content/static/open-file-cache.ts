// `open_file_cache`: files that are held open, small ones in memory, with what was last known of them. Without the
// directive small files are held all the same, looked at on the disk once a second at most. `disable_symlinks` (symlinks.ts)
// says which links lead to them.

import { HTTP_ANY, type Setter } from '../../../../shared/conf/command.ts'
import { placeSuffix } from '../../../../shared/conf/directive.ts'
import { flag, number, timeSeconds } from '../../../../shared/conf/setters.ts'
import { parseInteger, parseSeconds } from '../../../../shared/conf/values.ts'
import { defineModule, type Module } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { FileCache } from './file-cache.ts'
import type { LinkRule } from './guarded-open.ts'
import type { OpenFile } from './open-file.ts'
import { type LinkPolicy, setDisableSymlinks } from './symlinks.ts'

interface OpenFileCacheConf {
  openFileCache: { max: number; inactive: number; place: string } | false
  /** Milliseconds, as all times here. */
  openFileCacheValid: number
  openFileCacheMinUses: number
  openFileCacheErrors: boolean
  disableSymlinks: LinkPolicy | false
  /** Settled by `finish`. */
  cache: FileCache
}

/** What is held without `open_file_cache`. */
const HELD = { max: 4096, inactive: 60_000, valid: 1000, minUses: 1, errors: false, all: false }

export const openFileCache: Module<OpenFileCacheConf> = defineModule<OpenFileCacheConf>({
  name: 'open_file_cache',
  commands: [
    { name: 'open_file_cache', in: HTTP_ANY, args: [1, 2], set: setCache, default: false },
    { name: 'open_file_cache_valid', in: HTTP_ANY, args: 1, set: timeSeconds(), default: 60_000 },
    { name: 'open_file_cache_min_uses', in: HTTP_ANY, args: 1, set: number(), default: 1 },
    { name: 'open_file_cache_errors', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'disable_symlinks', in: HTTP_ANY, args: [1, 2], set: setDisableSymlinks, default: false },
  ],
  finish(conf, scope) {
    const outer = scope.parent?.confs[openFileCache.index] as OpenFileCacheConf | undefined
    conf.cache = outer !== undefined && sameSettings(conf, outer) ? outer.cache : cacheOf(conf)
  },
})

/** The file called `path` (latin1), from the cache or opened; the caller releases it. */
export function openFile(r: Request, path: string): OpenFile | Promise<OpenFile> {
  const { cache, disableSymlinks } = r.conf(openFileCache)
  return cache.open(path, disableSymlinks === false ? null : disableSymlinks.ruleFor(r, path))
}

/** How symbolic links on the way to `path` are looked at; null: they are followed. */
export function linkRule(r: Request, path: string): LinkRule | null {
  const { disableSymlinks } = r.conf(openFileCache)
  return disableSymlinks === false ? null : disableSymlinks.ruleFor(r, path)
}

/** As `openFile` for one that may well not be there: null where that is seen at once. */
export function openFileIfThere(r: Request, path: string): OpenFile | Promise<OpenFile> | null {
  return r.conf(openFileCache).cache.openIfThere(path, linkRule(r, path))
}

function sameSettings(conf: OpenFileCacheConf, outer: OpenFileCacheConf): boolean {
  if (conf.openFileCache === false) return outer.openFileCache === false
  return (
    outer.openFileCache === conf.openFileCache &&
    outer.openFileCacheValid === conf.openFileCacheValid &&
    outer.openFileCacheMinUses === conf.openFileCacheMinUses &&
    outer.openFileCacheErrors === conf.openFileCacheErrors
  )
}

/** Caches of this thread by what made them: a reload goes on with what is held. */
const caches = new Map<string, FileCache>()

function cacheOf(conf: OpenFileCacheConf): FileCache {
  const { openFileCache: held } = conf
  const settings =
    held === false
      ? HELD
      : {
          max: held.max,
          inactive: held.inactive,
          valid: conf.openFileCacheValid,
          minUses: conf.openFileCacheMinUses,
          errors: conf.openFileCacheErrors,
          all: true,
        }
  const key = JSON.stringify([settings, held === false ? '' : held.place])
  let cache = caches.get(key)
  if (cache === undefined) caches.set(key, (cache = new FileCache(settings)))
  return cache
}

function setCache(...[directive, context]: Parameters<Setter>): OpenFileCacheConf['openFileCache'] {
  let max = 0
  let inactive: number | null = 60_000
  let off = false
  for (const word of directive.args) {
    const invalid = (): never => context.error(`invalid "open_file_cache" parameter "${word}"`)
    if (word.startsWith('max=')) {
      max = parseInteger(word.slice(4)) ?? 0
      if (max <= 0) invalid()
    } else if (word.startsWith('inactive=')) {
      inactive = parseSeconds(word.slice(9))
      if (inactive === null) invalid()
    } else if (word === 'off') off = true
    else invalid()
  }
  if (off) return false
  if (max === 0) context.error('"open_file_cache" must have the "max" parameter')
  return { max, inactive: inactive!, place: placeSuffix(directive) }
}
