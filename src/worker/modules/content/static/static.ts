// Answers requests with files: the last handler of the content phase. What is small is sent from memory, the rest is
// read while it is sent (file-source.ts).

import { sendHead } from '../../../http/finalize.ts'
import { DECLINED, DONE, defineModule, type Module, OK, type Result } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { escapeUri } from '../../../http/uri.ts'
import { contentType, coreHttp } from '../../core.ts'
import { notModified } from '../../filter/not-modified.ts'
import { FileSource } from './file-source.ts'
import { type OpenFile, openFailure, SMALL } from './open-file.ts'
import { openFile } from './open-file-cache.ts'
import { mapUri } from './path.ts'

export const staticFiles: Module<object> = defineModule<object>({
  name: 'static',
  commands: [],
  phases: { content: { when: () => true, run: handleStatic } },
})

function handleStatic(r: Request): Result | Promise<Result> {
  const { method } = r
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return 405
  if (r.uri.endsWith('/')) return DECLINED
  const path = mapUri(r)
  if (path === null) return 500
  const file = openFile(r, path)
  return file instanceof Promise ? file.then((opened) => answerWith(r, opened)) : answerWith(r, file)
}

function answerWith(r: Request, file: OpenFile): Result {
  if (file.failure !== null) return openFailure(r, file.path, file.failure)
  if (r.ended) {
    file.release()
    return DONE
  }
  if (file.kind === 'file' && r.method !== 'POST') return sendFile(r, file, '')
  file.release()
  if (file.kind === 'directory') {
    r.response.location = `${escapeUri(r.uri)}/${r.args === '' ? '' : `?${r.args}`}`
    return 301
  }
  if (file.kind === 'file') return 405
  r.log('crit', `"${file.path}" is not a regular file`)
  return 404
}

/** Statuses that `error_page` may give a file and that keep its time of change. */
const DATED = new Set([200, 206, 304])

/** Answers with a regular file, whose release is this function's matter. `coding`: how it is compressed; '' if not. */
export function sendFile(r: Request, file: OpenFile, coding: string): Result {
  const { response } = r
  if (!r.stream.discardBody(r)) {
    file.release()
    return 400
  }
  r.doing = 'sending response to client'
  response.status = 200
  // A backend that left the response to this location may have said what it is.
  response.contentType ??= contentType(r.conf(coreHttp), r.uri) || null
  response.contentLength = file.size
  if (r.errorStatus === 0 || DATED.has(r.errorStatus)) response.lastModified = file.lastModified
  response.modifiedTime = file.modified
  if (r.conf(notModified).etag) response.add('ETag', file.etag)
  if (coding === '') response.allowRanges = true
  else {
    response.contentEncoding = coding
    response.add('Content-Encoding', coding)
  }
  response.held = file.held
  if (!sendHead(r)) {
    file.release()
    return DONE
  }
  if (response.headerOnly || file.size === 0) {
    r.out.end(null)
    file.release()
    return OK
  }
  const bytes = response.made?.bytes ?? file.bytes
  if (bytes === null || bytes.length > SMALL || response.parts !== null) {
    new FileSource(r, file, bytes).start()
    return DONE
  }
  file.release()
  r.out.write(bytes, 0, bytes.length, true)
  return OK
}
