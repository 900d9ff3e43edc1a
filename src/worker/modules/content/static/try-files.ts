// `try_files`: the request's URI becomes the first of these that is a file, or a folder, on disk; else the last argument
// says where the request goes, or what it is answered with.

import { LOCATION, SERVER, type Setter } from '../../../../shared/conf/command.ts'
import { parseInteger } from '../../../../shared/conf/values.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { abandon } from '../../../http/finalize.ts'
import { DECLINED, DONE, defineModule, type Module, type Result } from '../../../http/module.ts'
import { internalRedirect, namedRedirect } from '../../../http/phases.ts'
import type { Request } from '../../../http/request.ts'
import { findFile, logUnlessMissing } from './file-test.ts'
import { climbs, type PathMapping, paths, WHOLE } from './path.ts'

/** What is looked for in place of the URI, without the slash at the end that says that it is a folder. */
interface Candidate {
  value: ComplexValue
  folder: boolean
}

interface TryFiles {
  candidates: Candidate[]
  /** Where to go when nothing is there. */
  last: ComplexValue
  /** What to answer instead; 0: go to `last`. */
  code: number
}

interface TryFilesConf {
  tryFiles: TryFiles | undefined
}

export const tryFiles: Module<TryFilesConf> = defineModule<TryFilesConf>({
  name: 'try_files',
  commands: [
    {
      name: 'try_files',
      in: SERVER | LOCATION,
      args: [2, Infinity],
      set: setTryFiles,
      inherit: false,
    },
  ],
  phases: { precontent: { when: (conf) => conf.tryFiles !== undefined, run: handleTryFiles } },
})

function setTryFiles(...[directive, context]: Parameters<Setter>): TryFiles {
  const last = directive.args.at(-1)!
  const candidates = directive.args.slice(0, -1).map((text) => {
    const folder = text.endsWith('/')
    return { value: compileValue(folder ? text.slice(0, -1) : text, context), folder }
  })
  let code = 0
  if (last.startsWith('=')) {
    const number = parseInteger(last.slice(1))
    if (number === null || number > 999) return context.error(`invalid code "${last}"`)
    code = number
  }
  return { candidates, last: compileValue(last, context), code }
}

function handleTryFiles(r: Request): Result {
  const { candidates, last, code } = r.conf(tryFiles).tryFiles!
  const { mapping } = r.conf(paths)
  // Tells whether there is an alias that may not be used here.
  if (mapping.isAlias && mapping.map(r) === null) return 500
  const root = mapping.root(r)
  for (const { value, folder } of candidates) {
    const name = relativeName(r, value, mapping)
    if (value.constant === null && leavesFolder(name, mapping)) continue
    const found = findFile(r, root + name)
    if (found === null) continue
    if (typeof found !== 'string') {
      logUnlessMissing(r, root + name, found)
      continue
    }
    if ((found === 'directory') !== folder) continue
    takeUri(r, name, folder, mapping)
    return DECLINED
  }
  if (code > 0 && code < 200) {
    // As in nginx, these are no answer. But the connection ends, or the client would take the next answer for this one.
    r.complete = true
    abandon(r, 0)
    return DONE
  }
  if (code !== 0) return code
  const target = relativeName(r, last, mapping)
  // Such a URI would name files beside the folder of its `root`.
  if (last.constant === null && !/^[@/]/.test(target)) {
    r.log('error', `"${target}" is not a URI to go on with`)
    return 404
  }
  if (target.startsWith('@')) namedRedirect(r, target)
  else {
    const question = target.indexOf('?')
    if (question < 0) internalRedirect(r, target, '')
    else internalRedirect(r, target.slice(0, question), target.slice(question + 1))
  }
  return DONE
}

/** What `value` says, without the part of the URI that an alias stands for: as nginx, of the last argument too. */
function relativeName(r: Request, value: ComplexValue, mapping: PathMapping): string {
  if (value.constant !== null) return value.constant
  const name = value.evaluate(r)
  const { replaced } = mapping
  return replaced > 0 && name.startsWith(r.uri.slice(0, replaced)) ? name.slice(replaced) : name
}

/** What a client has a hand in must not name a file beside the folder, which nginx would let it. */
function leavesFolder(name: string, mapping: PathMapping): boolean {
  return climbs(name) || (!mapping.isAlias && name !== '' && !name.startsWith('/'))
}

/** The request is for `name` now, in the same location. */
function takeUri(r: Request, name: string, folder: boolean, mapping: PathMapping): void {
  const { replaced } = mapping
  if (replaced === 0) r.uri = name
  else if (replaced !== WHOLE) r.uri = r.uri.slice(0, replaced) + name
  else if (!folder) {
    r.uri = name
    r.uriBehindAlias = true
  }
}
