// Which coding a response is compressed with, if any: nginx's conditions for gzip, each coding with its own directives,
// and what the client likes best where several are on.

import type { Scope } from '../../../../shared/conf/build.ts'
import { defineModule } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { brotli, brotliPlan } from './brotli.ts'
import { gzip, gzipPlan } from './gzip.ts'
import { acceptEncoding } from './gzip-ok.ts'
import { changed } from './head.ts'
import type { CodingPlan } from './plan.ts'
import { qualityOf } from './quality.ts'
import { transcode } from './sink.ts'
import { mediaType } from './types.ts'
import { zstd, zstdPlan } from './zstd.ts'

interface CompressConf {
  /** Codings that are on; the first of equals is taken. */
  codings: readonly CodingPlan[]
}

export const compress = defineModule<CompressConf>({
  name: 'compress',
  commands: [],
  finish(conf, scope) {
    conf.codings = codingsOf(scope)
  },
  headerFilter: { when: (conf) => conf.codings.length > 0, run: compressResponse },
})

function codingsOf(scope: Scope): CodingPlan[] {
  const plans = [zstdPlan(scope.conf(zstd)), brotliPlan(scope.conf(brotli)), gzipPlan(scope.conf(gzip))]
  return plans.filter((plan) => plan !== null)
}

function compressResponse(r: Request): void {
  const { response } = r
  const { status } = response
  if (status !== 200 && status !== 403 && status !== 404) return
  if (response.contentEncoding !== '') return
  const type = mediaType(response.contentType)
  const coding = choose(r, type)
  if (coding === null) return
  const { held, contentLength } = response
  changed(response)
  response.contentEncoding = coding.name
  response.add('Content-Encoding', coding.name)
  if (response.headerOnly) return
  if (held === null) return transcode(r, coding, contentLength, null)
  response.made = held.find(coding.key)
  if (response.made === null) transcode(r, coding, contentLength, (bytes) => held.keep(coding.key, bytes))
}

/** What the client likes best of what the response may be compressed with. */
function choose(r: Request, type: string): CodingPlan | null {
  const { contentLength } = r.response
  let best: CodingPlan | null = null
  let most = 0
  for (const coding of r.conf(compress).codings) {
    if (contentLength >= 0 && contentLength < coding.minLength) continue
    if (coding.types !== null && !coding.types.has(type)) continue
    if (r.conf(gzip).gzipVary) r.response.varies = true
    const quality = qualityOf(acceptEncoding(r), coding.name)
    if (quality <= most || !coding.allowed(r)) continue
    best = coding
    most = quality
  }
  return best
}
