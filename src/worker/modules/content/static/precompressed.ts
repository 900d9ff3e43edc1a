// `gzip_static`, `brotli_static`, `zstd_static`: in place of a file, the one beside it that holds it compressed, where
// the client takes that. Asked before the handler of files as they are.

import { HTTP_ANY } from '../../../../shared/conf/command.ts'
import { oneOf } from '../../../../shared/conf/setters.ts'
import { DECLINED, DONE, defineModule, type Module, type Result } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { gzip } from '../../filter/compress/gzip.ts'
import { acceptEncoding, gzipAllowed } from '../../filter/compress/gzip-ok.ts'
import { qualityOf } from '../../filter/compress/quality.ts'
import { logFailure, type OpenFile, statusOf } from './open-file.ts'
import { openFileIfThere } from './open-file-cache.ts'
import { mapUri } from './path.ts'
import { sendFile } from './static.ts'

type Mode = 'off' | 'on' | 'always'

interface PrecompressedConf {
  gzipStatic: Mode
  brotliStatic: Mode
  zstdStatic: Mode
  /** Those that are not off; settled by `finish`. */
  codings: readonly FileCoding[]
}

/** Files that are compressed in one way. */
interface FileCoding {
  readonly name: string
  readonly suffix: string
  /** Sent whatever the client says of it. */
  readonly always: boolean
}

/** A file that may be there, and how much the client wants it: 0 where it is not to have it. */
interface Candidate {
  readonly coding: FileCoding
  readonly quality: number
}

const MODE = oneOf({ off: 'off', on: 'on', always: 'always' })

export const precompressed: Module<PrecompressedConf> = defineModule<PrecompressedConf>({
  name: 'precompressed',
  commands: [
    { name: 'gzip_static', in: HTTP_ANY, args: 1, set: MODE, default: 'off' },
    { name: 'brotli_static', in: HTTP_ANY, args: 1, set: MODE, default: 'off' },
    { name: 'zstd_static', in: HTTP_ANY, args: 1, set: MODE, default: 'off' },
  ],
  finish(conf) {
    // Of files that the client likes as well as each other, the one that tends to be the smallest is sent.
    conf.codings = [
      ...codingOf('br', '.br', conf.brotliStatic),
      ...codingOf('zstd', '.zst', conf.zstdStatic),
      ...codingOf('gzip', '.gz', conf.gzipStatic),
    ]
  },
  phases: { content: { when: (conf) => conf.codings.length > 0, run: handlePrecompressed } },
})

function codingOf(name: string, suffix: string, mode: Mode): FileCoding[] {
  return mode === 'off' ? [] : [{ name, suffix, always: mode === 'always' }]
}

function handlePrecompressed(r: Request): Result | Promise<Result> {
  const { method } = r
  if ((method !== 'GET' && method !== 'HEAD') || r.uri.endsWith('/')) return DECLINED
  const candidates = candidatesFor(r)
  if (candidates.length === 0) return DECLINED
  const path = mapUri(r)
  return path === null ? 500 : tryFrom(r, path, candidates, 0)
}

/** Files to look for, the best first. Behind them stand those that only tell whether other clients get another answer. */
function candidatesFor(r: Request): Candidate[] {
  const { gzipVary } = r.conf(gzip)
  const candidates: Candidate[] = []
  for (const coding of r.conf(precompressed).codings) {
    const quality = qualityFor(r, coding)
    if (quality > 0 || gzipVary) candidates.push({ coding, quality })
  }
  if (candidates.length > 1) candidates.sort((one, other) => other.quality - one.quality)
  return candidates
}

/** As nginx, a subrequest gets what is not compressed, unless there is nothing else to be had. */
function qualityFor(r: Request, { name, always }: FileCoding): number {
  const quality = r.parent === null ? qualityOf(acceptEncoding(r), name) : 0
  if (always) return quality || Number.MIN_VALUE
  return quality > 0 && (name !== 'gzip' || gzipAllowed(r, r.conf(gzip))) ? quality : 0
}

function tryFrom(
  r: Request,
  path: string,
  candidates: readonly Candidate[],
  first: number,
): Result | Promise<Result> {
  for (let at = first; at < candidates.length; at++) {
    const candidate = candidates[at]!
    const file = openFileIfThere(r, path + candidate.coding.suffix)
    if (file === null) continue
    if (file instanceof Promise) {
      return file.then((opened) => {
        const result = answerWith(r, opened, candidate)
        return result === DECLINED ? tryFrom(r, path, candidates, at + 1) : result
      })
    }
    const result = answerWith(r, file, candidate)
    if (result !== DECLINED) return result
  }
  return DECLINED
}

function answerWith(r: Request, file: OpenFile, { coding, quality }: Candidate): Result {
  const { failure } = file
  if (failure !== null) {
    if (statusOf(failure) !== 404) logFailure(r, file.path, failure)
    return DECLINED
  }
  if (r.ended) {
    file.release()
    return DONE
  }
  // A single one that is always sent is the answer for everybody.
  if (r.conf(gzip).gzipVary && (!coding.always || r.conf(precompressed).codings.length > 1)) {
    r.response.varies = true
  }
  if (quality > 0 && file.kind === 'file') return sendFile(r, file, coding.name)
  file.release()
  if (quality === 0 || file.kind === 'directory') return DECLINED
  r.log('crit', `"${file.path}" is not a regular file`)
  return 404
}
