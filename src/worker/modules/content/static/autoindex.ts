// `autoindex`: lists the files of a folder that has no index, as a page, JSON, JSONP or XML.

import type { Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { datableSeconds } from '../../../../shared/clock.ts'
import { HTTP_ANY } from '../../../../shared/conf/command.ts'
import { flag, oneOf } from '../../../../shared/conf/setters.ts'
import { errnoText } from '../../../../shared/errno.ts'
import { sendHead } from '../../../http/finalize.ts'
import { DECLINED, DONE, defineModule, type Module, OK, type Result } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import {
  type Entry,
  htmlListing,
  jsonListing,
  jsonpListing,
  sortEntries,
  xmlListing,
} from './autoindex-format.ts'
import { mapUri } from './path.ts'

type Format = 'html' | 'json' | 'jsonp' | 'xml'

interface AutoindexConf {
  autoindex: boolean
  autoindexFormat: Format
  autoindexLocaltime: boolean
  autoindexExactSize: boolean
}

const FORMATS: Record<Format, Format> = { html: 'html', json: 'json', jsonp: 'jsonp', xml: 'xml' }

const TYPES: Readonly<Record<Format, string>> = {
  html: 'text/html',
  json: 'application/json',
  jsonp: 'application/javascript',
  xml: 'text/xml; charset=utf-8',
}

export const autoindex: Module<AutoindexConf> = defineModule<AutoindexConf>({
  name: 'autoindex',
  commands: [
    { name: 'autoindex', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'autoindex_format', in: HTTP_ANY, args: 1, set: oneOf(FORMATS), default: 'html' },
    { name: 'autoindex_localtime', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'autoindex_exact_size', in: HTTP_ANY, args: 1, set: flag(), default: true },
  ],
  phases: { content: { when: (conf) => conf.autoindex, run: listFolder } },
})

function listFolder(r: Request): Result | Promise<Result> {
  if (!r.uri.endsWith('/') || (r.method !== 'GET' && r.method !== 'HEAD')) return DECLINED
  if (!r.stream.discardBody(r)) return 400
  const path = mapUri(r)
  if (path === null) return 500
  let format = r.conf(autoindex).autoindexFormat
  let callback = ''
  if (format === 'jsonp') {
    callback = callbackOf(r)
    if (!CALLBACK.test(callback)) return refuseCallback(r, callback)
    if (callback === '') format = 'json'
  }
  return list(r, path, format, callback)
}

async function list(r: Request, path: string, format: Format, callback: string): Promise<Result> {
  const folder = path.length > 1 ? path.slice(0, -1) : path
  let names: Buffer[]
  try {
    names = await readdir(Buffer.from(folder, 'latin1'), { encoding: 'buffer' })
  } catch (error) {
    return r.ended ? DONE : unreadable(r, folder, error as NodeJS.ErrnoException)
  }
  const entries = r.client.isHead ? [] : await readEntries(r, `${folder}/`, names)
  if (r.ended) return DONE
  if (entries === null) return 500
  r.response.status = 200
  r.response.contentType = TYPES[format]
  if (!sendHead(r)) return DONE
  // The length is not told, as nginx does not know it then.
  if (r.response.headerOnly) r.out.end(null)
  else {
    const bytes = Buffer.from(listing(r, sortEntries(entries), format, callback), 'latin1')
    r.out.write(bytes, 0, bytes.length, true)
  }
  return OK
}

function unreadable(r: Request, folder: string, error: NodeJS.ErrnoException): Result {
  const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG'
  const forbidden = error.code === 'EACCES'
  const message = `opendir() "${folder}" failed (${errnoText(error)})`
  r.log(missing || forbidden ? 'error' : 'crit', message)
  return missing ? 404 : forbidden ? 403 : 500
}

function listing(r: Request, entries: readonly Entry[], format: Format, callback: string): string {
  if (format === 'json') return jsonListing(entries)
  if (format === 'jsonp') return jsonpListing(entries, callback)
  if (format === 'xml') return xmlListing(entries)
  const { autoindexExactSize: exactSize, autoindexLocaltime: local } = r.conf(autoindex)
  const zone = local ? -new Date().getTimezoneOffset() * 60 : 0
  // The charset filter has said what it is.
  const utf8 = /; *charset=utf-8$/i.test(r.response.contentType ?? '')
  return htmlListing(r.uri, entries, { exactSize, zone, utf8 })
}

/** How many files are asked about at a time. */
const BATCH = 32

/** All files of a folder but the hidden ones; null, with a message in the log, where one cannot be looked at. */
async function readEntries(r: Request, folder: string, names: readonly Buffer[]): Promise<Entry[] | null> {
  const shown = names.map((name) => name.toString('latin1')).filter((name) => !name.startsWith('.'))
  const entries: Entry[] = []
  for (let from = 0; from < shown.length; from += BATCH) {
    const batch = shown.slice(from, from + BATCH)
    const found = await Promise.allSettled(batch.map((name) => statsOf(folder + name)))
    if (r.ended) return null
    for (const [at, result] of found.entries()) {
      const name = batch[at]!
      if (result.status === 'fulfilled') entries.push(entryOf(name, result.value))
      else {
        r.log('error', `stat() "${folder}${name}" failed (${errnoText(result.reason)})`)
        if (result.reason.code !== 'EACCES') return null
      }
    }
  }
  return entries
}

/** Of a link that leads nowhere, what the link itself is. */
async function statsOf(path: string): Promise<Stats> {
  const name = Buffer.from(path, 'latin1')
  try {
    return await stat(name)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ELOOP') throw error
    return lstat(name)
  }
}

function entryOf(name: string, stats: Stats): Entry {
  const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other'
  return { name, kind, modified: datableSeconds(stats.mtimeMs), size: stats.size }
}

// --- JSONP

/** What may be called. */
const CALLBACK = /^[A-Za-z0-9_.]{0,128}$/

/** The value of `callback` in the query, as it stands there. */
function callbackOf(r: Request): string {
  return /(?:^|&)callback=([^&]*)/i.exec(r.args)?.[1] ?? ''
}

function refuseCallback(r: Request, callback: string): Result {
  const what = callback.length > 128 ? 'too long' : 'invalid'
  r.log('info', `client sent ${what} callback name: "${callback}"`)
  return 400
}
