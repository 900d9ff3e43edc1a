// `zstd` and its directives, in the form of gzip's.

import { constants, createZstdCompress, type ZstdOptions, zstdCompressSync } from 'node:zlib'
import { HTTP_ANY, IF_IN_LOCATION } from '../../../../shared/conf/command.ts'
import { buffers, flag, number, size } from '../../../../shared/conf/setters.ts'
import { defineModule } from '../../../http/module.ts'
import { type CodingPlan, compressFailure, ratio } from './plan.ts'
import { HTML_ONLY, types, typesOf } from './types.ts'

interface ZstdConf {
  zstd: boolean
  zstdTypes: unknown
  zstdMinLength: number
  zstdCompLevel: number
}

const OWN_BUFFERS = 'what is compressed is passed on as it is ready, in buffers of its own'
/** Clients need not take frames with larger windows (RFC 9659): 8 MiB. */
const LARGEST_WINDOW = 23
/** From this level on zstd would take larger ones. */
const LARGE_WINDOWS = 20

export const zstd = defineModule<ZstdConf>({
  name: 'zstd',
  commands: [
    { name: 'zstd', in: HTTP_ANY | IF_IN_LOCATION, args: 1, set: flag(), default: false },
    { name: 'zstd_buffers', in: HTTP_ANY, args: 2, set: buffers(), noEffect: OWN_BUFFERS },
    { name: 'zstd_types', in: HTTP_ANY, args: [1, Infinity], set: types, repeat: true, default: HTML_ONLY },
    { name: 'zstd_comp_level', in: HTTP_ANY, args: 1, set: number(1, 22), default: 1 },
    { name: 'zstd_min_length', in: HTTP_ANY, args: 1, set: size(), default: 20 },
  ],
  variables: { zstd_ratio: (r) => ratio(r, 'zstd') },
})

/** The most that an event loop compresses by itself, by level. */
function wholeLimit(level: number): number {
  return level <= 5 ? 65_536 : level <= 9 ? 32_768 : level <= 12 ? 8192 : 1024
}

/** null: it is off. */
export function zstdPlan(conf: ZstdConf): CodingPlan | null {
  if (!conf.zstd) return null
  const level = conf.zstdCompLevel
  const params: Record<number, number> = { [constants.ZSTD_c_compressionLevel]: level }
  if (level >= LARGE_WINDOWS) params[constants.ZSTD_c_windowLog] = LARGEST_WINDOW
  const options: ZstdOptions = { params }
  return {
    name: 'zstd',
    key: `zstd ${level}`,
    types: typesOf(conf.zstdTypes),
    minLength: conf.zstdMinLength,
    allowed: () => true,
    wholeLimit: wholeLimit(level),
    whole: (content) => zstdCompressSync(content, options),
    stream: () => createZstdCompress(options),
    flush: constants.ZSTD_e_flush,
    failure: compressFailure,
  }
}
