// `brotli` and its directives, in the form of gzip's.

import { type BrotliOptions, brotliCompressSync, constants, createBrotliCompress } from 'node:zlib'
import { HTTP_ANY, IF_IN_LOCATION } from '../../../../shared/conf/command.ts'
import { buffers, flag, number, size } from '../../../../shared/conf/setters.ts'
import { defineModule } from '../../../http/module.ts'
import { power } from './gzip.ts'
import { type CodingPlan, compressFailure, ratio } from './plan.ts'
import { HTML_ONLY, types, typesOf } from './types.ts'

interface BrotliConf {
  brotli: boolean
  brotliTypes: unknown
  brotliMinLength: number
  brotliCompLevel: number
  /** Logarithm of the window's bytes. */
  brotliWindow: number
}

const OWN_BUFFERS = 'what is compressed is passed on as it is ready, in buffers of its own'

export const brotli = defineModule<BrotliConf>({
  name: 'brotli',
  commands: [
    { name: 'brotli', in: HTTP_ANY | IF_IN_LOCATION, args: 1, set: flag(), default: false },
    { name: 'brotli_buffers', in: HTTP_ANY, args: 2, set: buffers(), noEffect: OWN_BUFFERS },
    { name: 'brotli_types', in: HTTP_ANY, args: [1, Infinity], set: types, repeat: true, default: HTML_ONLY },
    { name: 'brotli_comp_level', in: HTTP_ANY, args: 1, set: number(0, 11), default: 6 },
    { name: 'brotli_window', in: HTTP_ANY, args: 1, set: power(10, 24), default: 19 },
    { name: 'brotli_min_length', in: HTTP_ANY, args: 1, set: size(), default: 20 },
  ],
  variables: { brotli_ratio: (r) => ratio(r, 'br') },
})

/** The most that an event loop compresses by itself, by quality. */
function wholeLimit(quality: number): number {
  // From 7 on the tables alone take milliseconds to set up.
  return quality <= 4 ? 32_768 : quality <= 6 ? 16_384 : 512
}

/** null: it is off. */
export function brotliPlan(conf: BrotliConf): CodingPlan | null {
  if (!conf.brotli) return null
  const { brotliCompLevel: quality, brotliWindow } = conf
  const options = (length: number): BrotliOptions => ({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: windowFor(brotliWindow, length),
      ...(length > 0 ? { [constants.BROTLI_PARAM_SIZE_HINT]: Math.min(length, 2 ** 30) } : {}),
    },
  })
  return {
    name: 'br',
    key: `br ${quality} ${brotliWindow}`,
    types: typesOf(conf.brotliTypes),
    minLength: conf.brotliMinLength,
    allowed: () => true,
    wholeLimit: wholeLimit(quality),
    whole: (content) => brotliCompressSync(content, options(content.length)),
    stream: (length) => createBrotliCompress(options(length)),
    flush: constants.BROTLI_OPERATION_FLUSH,
    failure: compressFailure,
  }
}

/** No larger than the content. */
function windowFor(window: number, length: number): number {
  let bits = window
  if (length > 0) while (bits > 10 && length < (1 << (bits - 1)) - 16) bits--
  return bits
}
