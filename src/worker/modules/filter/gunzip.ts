// `gunzip`: what a backend sends as gzip is unpacked for clients that do not take it.

import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { HTTP_ANY } from '../../../shared/conf/command.ts'
import { buffers, flag } from '../../../shared/conf/setters.ts'
import { defineModule } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { gzip } from './compress/gzip.ts'
import { gzipOk } from './compress/gzip-ok.ts'
import { changed } from './compress/head.ts'
import { type Transcoding, transcode } from './compress/sink.ts'

interface GunzipConf {
  gunzip: boolean
}

export const gunzip = defineModule<GunzipConf>({
  name: 'gunzip',
  commands: [
    { name: 'gunzip', in: HTTP_ANY, args: 1, set: flag(), default: false },
    {
      name: 'gunzip_buffers',
      in: HTTP_ANY,
      args: 2,
      set: buffers(),
      noEffect: 'what is unpacked is passed on as it is ready, in buffers of its own',
    },
  ],
  headerFilter: { when: (conf) => conf.gunzip, run: unpackResponse },
})

/** Content that unpacks to more is unpacked piece by piece. */
const MOST_UNPACKED = 262_144

const unpacking: Transcoding = {
  name: 'gunzip',
  wholeLimit: 32_768,
  whole(content) {
    try {
      return gunzipSync(content, { maxOutputLength: MOST_UNPACKED })
    } catch {
      // Too much, or broken: the stream gives what there is before it finds that.
      return null
    }
  },
  stream: () => createGunzip(),
  flush: null,
  failure: (error) =>
    error.code === 'Z_BUF_ERROR'
      ? `inflate() returned ${error.errno} on response end`
      : `inflate() failed: ${constants.Z_NO_FLUSH}, ${error.errno}`,
}

function unpackResponse(r: Request): void {
  const { response } = r
  if (response.contentEncoding.toLowerCase() !== 'gzip') return
  const conf = r.conf(gzip)
  if (conf.gzipVary) response.varies = true
  if (gzipOk(r, conf)) return
  removeEncoding(r)
  changed(response)
  if (!response.headerOnly) transcode(r, unpacking, -1, null)
}

/** The backend's own line; `add_header` may have added others. */
function removeEncoding({ response }: Request): void {
  response.contentEncoding = ''
  response.lines = response.lines.replace(/^content-encoding: gzip *\r\n/im, '')
}
