// Conditional requests (RFC 9110 section 13): a response that the client has already becomes a 304, one that fails a
// precondition a 412. The first of the filters. `etag`, `if_modified_since`.

import { HTTP_ANY } from '../../../shared/conf/command.ts'
import { flag, oneOf } from '../../../shared/conf/setters.ts'
import { parseHttpDate } from '../../../shared/http-date.ts'
import { defineModule } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'

interface NotModifiedConf {
  /** Files have an ETag. */
  etag: boolean
  ifModifiedSince: 'off' | 'exact' | 'before'
}

const IF_MODIFIED_SINCE = oneOf({ off: 'off', exact: 'exact', before: 'before' })

export const notModified = defineModule<NotModifiedConf>({
  name: 'not_modified',
  commands: [
    { name: 'etag', in: HTTP_ANY, args: 1, set: flag(), default: true },
    { name: 'if_modified_since', in: HTTP_ANY, args: 1, set: IF_MODIFIED_SINCE, default: 'exact' },
  ],
  headerFilter: { when: () => true, run: testConditions },
})

function testConditions(r: Request): void {
  const { response, fields } = r
  if (response.status !== 200 || response.fromBackend) return
  const unmodifiedSince = fields.get('if-unmodified-since')
  if (unmodifiedSince !== null && !isUnmodified(r, unmodifiedSince)) {
    response.refusal = 412
    return
  }
  const match = fields.get('if-match')
  if (match !== null && !matchesEtag(match, response.get('etag'), false)) {
    response.refusal = 412
    return
  }
  const modifiedSince = fields.get('if-modified-since')
  const noneMatch = fields.get('if-none-match')
  if (modifiedSince === null && noneMatch === null) return
  // As in nginx, both have to agree: RFC 9110 section 13.1.3 would have the date ignored.
  if (modifiedSince !== null && isModified(r, modifiedSince)) return
  if (noneMatch !== null && !matchesEtag(noneMatch, response.get('etag'), true)) return
  becomeNotModified(r)
}

function isUnmodified({ response: { modifiedTime } }: Request, value: string): boolean {
  return modifiedTime !== -1 && parseHttpDate(value) >= modifiedTime
}

function isModified(r: Request, value: string): boolean {
  const { modifiedTime } = r.response
  const { ifModifiedSince } = r.conf(notModified)
  if (modifiedTime === -1 || ifModifiedSince === 'off') return true
  const since = parseHttpDate(value)
  return since !== modifiedTime && (ifModifiedSince === 'exact' || since < modifiedTime)
}

/** Whether the list of a condition names the response; read as nginx reads it, without looking for closing quotes. */
function matchesEtag(list: string, own: string | null, weak: boolean): boolean {
  if (list === '*') return true
  if (own === null) return false
  const etag = weak && own.length > 2 && own.startsWith('W/') ? own.slice(2) : own
  let at = 0
  while (at < list.length) {
    if (weak && list.length - at > 2 && list.startsWith('W/', at)) at += 2
    if (etag.length > list.length - at) return false
    if (list.startsWith(etag, at)) {
      at = skip(list, at + etag.length, ' \t')
      if (at === list.length || list[at] === ',') return true
    }
    const comma = list.indexOf(',', at)
    if (comma < 0) return false
    at = skip(list, comma, ' \t,')
  }
  return false
}

/** The first position from `at` on with none of `characters`. */
function skip(text: string, at: number, characters: string): number {
  let end = at
  while (end < text.length && characters.includes(text[end]!)) end++
  return end
}

function becomeNotModified({ response }: Request): void {
  response.status = 304
  response.statusLine = ''
  response.headerOnly = true
  response.contentType = null
  response.contentLength = -1
  response.allowRanges = false
  response.contentEncoding = ''
  response.remove('content-encoding')
}
