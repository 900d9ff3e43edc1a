// `index`: for a URI that ends in a slash, the request goes on as one for the first of these files that is there.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { HTTP_ANY, type Setter } from '../../../../shared/conf/command.ts'
import { errnoText } from '../../../../shared/errno.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { DECLINED, DONE, defineModule, type Module, type Result } from '../../../http/module.ts'
import { internalRedirect } from '../../../http/phases.ts'
import type { Request } from '../../../http/request.ts'
import { coreHttp } from '../../core.ts'
import { findFile, statFailure } from './file-test.ts'
import type { OpenFailure } from './open-file.ts'
import { climbs, mapUri } from './path.ts'

/** A file's name, or a URI that begins with a slash. */
interface IndexFile {
  text: string
  /** null where no variable stands in the text. */
  value: ComplexValue | null
}

interface IndexConf {
  index: IndexFile[]
}

export const index: Module<IndexConf> = defineModule<IndexConf>({
  name: 'index',
  commands: [
    {
      name: 'index',
      in: HTTP_ANY,
      args: [1, Infinity],
      set: addFiles,
      repeat: true,
      default: [{ text: 'index.html', value: null }],
    },
  ],
  phases: { content: { when: () => true, run: findIndex } },
})

function addFiles(...[directive, context, previous]: Parameters<Setter>): IndexFile[] {
  const { args } = directive
  if (args.some((text, at) => text.startsWith('/') && at < args.length - 1)) {
    context.warn('only the last index in "index" directive should be absolute')
  }
  // nginx names the first, whichever is empty.
  if (args.includes('')) context.error(`index "${args[0]}" in "index" directive is invalid`)
  const files = (previous as IndexFile[] | undefined) ?? []
  return [...files, ...args.map((text) => indexFile(text, context))]
}

function indexFile(text: string, context: BuildContext): IndexFile {
  return { text, value: text.includes('$') ? compileValue(text, context) : null }
}

function findIndex(r: Request): Result {
  if (!r.uri.endsWith('/')) return DECLINED
  const { method } = r
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return DECLINED
  let folder: string | null = null
  let folderTested = false
  for (const { text, value } of r.conf(index).index) {
    const name = value === null ? text : value.evaluate(r)
    if (name.startsWith('/')) return redirect(r, name)
    if (value !== null && climbs(name)) continue
    folder ??= mapUri(r)
    if (folder === null) return 500
    const path = folder + name
    const found = findFile(r, path)
    // As in nginx, whatever has the name will do.
    if (typeof found === 'string') return redirect(r, r.uri + name)
    const code = codeOf(found)
    if (code === 'ELOOP' || code === 'EMLINK') return 403
    if (found !== null && REFUSED.has(code)) return indexError(r, path, found.error)
    if (!folderTested) {
      const result = testFolder(r, folder, path)
      if (result !== DECLINED) return result
      folderTested = true
    }
    if (found !== null && code !== 'ENOENT') return failed(r, path, found)
  }
  return DECLINED
}

/** Nothing else is looked for after these. */
const REFUSED = new Set(['EACCES', 'ENAMETOOLONG', 'ENOTDIR'])

function codeOf(failure: OpenFailure | null): string {
  return failure === null ? '' : ((failure.error as NodeJS.ErrnoException).code ?? '')
}

function redirect(r: Request, uri: string): Result {
  internalRedirect(r, uri, r.args === '' && r.redirectedWithoutArgs ? null : r.args)
  return DONE
}

/** A folder that is not there is 404, not 403. DECLINED: it is there, go on. */
function testFolder(r: Request, folder: string, path: string): Result {
  const name = folder.length > 1 && folder.endsWith('/') ? folder.slice(0, -1) : folder
  const found = findFile(r, name)
  if (found === 'directory') return DECLINED
  // Below a file there is none: nginx is told so by the system when it asks for the index.
  const failure = found === null || typeof found === 'string' ? statFailure(path) : found
  if (failure === null) {
    r.log('alert', `"${name}" is not a directory`)
    return 500
  }
  const code = codeOf(failure)
  if (code === 'ENOENT' || code === 'ENOTDIR') return indexError(r, path, failure.error)
  if (code === 'ELOOP' || code === 'EMLINK') return 403
  // As in nginx: it may be entered, or looking for the index would have failed, if not read.
  return code === 'EACCES' ? DECLINED : failed(r, name, failure)
}

function failed(r: Request, path: string, { call, error }: OpenFailure): Result {
  r.log('crit', `${call} "${path}" failed (${errnoText(error)})`)
  return 500
}

function indexError(r: Request, path: string, error: unknown): Result {
  if ((error as NodeJS.ErrnoException).code === 'EACCES') {
    r.log('error', `"${path}" is forbidden (${errnoText(error)})`)
    return 403
  }
  if (r.conf(coreHttp).logNotFound) r.log('error', `"${path}" is not found (${errnoText(error)})`)
  return 404
}
