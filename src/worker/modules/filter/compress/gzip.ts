// `gzip` and its directives, with those that say which clients get it.

import { constants, createGzip, gzipSync, type ZlibOptions } from 'node:zlib'
import { HTTP_ANY, IF_IN_LOCATION, type Setter } from '../../../../shared/conf/command.ts'
import { buffers, flag, number, size } from '../../../../shared/conf/setters.ts'
import { defineModule } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'
import { type GzipOkConf, gzipAllowed, gzipOkCommands, inheritMsie6 } from './gzip-ok.ts'
import { type CodingPlan, compressFailure, ratio } from './plan.ts'
import { HTML_ONLY, types, typesOf } from './types.ts'

interface GzipConf extends GzipOkConf {
  gzip: boolean
  gzipTypes: unknown
  gzipMinLength: number
  gzipCompLevel: number
  /** Logarithm of the window's bytes. */
  gzipWindow: number
  /** zlib's memLevel. */
  gzipHash: number
}

const OWN_BUFFERS = 'what is compressed is passed on as it is ready, in buffers of its own'

export const gzip = defineModule<GzipConf>({
  name: 'gzip',
  commands: [
    { name: 'gzip', in: HTTP_ANY | IF_IN_LOCATION, args: 1, set: flag(), default: false },
    { name: 'gzip_buffers', in: HTTP_ANY, args: 2, set: buffers(), noEffect: OWN_BUFFERS },
    { name: 'gzip_types', in: HTTP_ANY, args: [1, Infinity], set: types, repeat: true, default: HTML_ONLY },
    { name: 'gzip_comp_level', in: HTTP_ANY, args: 1, set: number(1, 9), default: 1 },
    { name: 'gzip_window', in: HTTP_ANY, args: 1, set: power(9, 15), default: 15 },
    { name: 'gzip_hash', in: HTTP_ANY, args: 1, set: setHash, default: 8 },
    { name: 'postpone_gzipping', in: HTTP_ANY, args: 1, set: size(), noEffect: OWN_BUFFERS },
    { name: 'gzip_no_buffer', in: HTTP_ANY, args: 1, set: flag(), noEffect: OWN_BUFFERS },
    { name: 'gzip_min_length', in: HTTP_ANY, args: 1, set: size(), default: 20 },
    ...gzipOkCommands,
  ],
  finish(conf, scope) {
    inheritMsie6(conf, scope.parent?.conf(gzip))
  },
  variables: { gzip_ratio: (r) => ratio(r, 'gzip') },
})

/** Setter of a size that has to be a power of two between two others -> its logarithm. */
export function power(least: number, most: number): Setter {
  return (directive, context) => {
    const bytes = size()(directive, context, undefined) as number
    const exponent = Math.log2(bytes)
    if (Number.isInteger(exponent) && exponent >= least && exponent <= most) return exponent
    const names: string[] = []
    for (let one = least; one <= most; one++) names.push(sizeName(2 ** one))
    const last = names.pop()
    return context.error(`"${directive.name}" directive must be ${names.join(', ')}, or ${last}`)
  }
}

function sizeName(bytes: number): string {
  if (bytes >= 1_048_576) return `${bytes / 1_048_576}m`
  return bytes >= 1024 ? `${bytes / 1024}k` : String(bytes)
}

function setHash(...parameters: Parameters<Setter>): number {
  return (power(9, 17)(...parameters) as number) - 8
}

/** The most that an event loop compresses by itself, by level. */
function wholeLimit(level: number): number {
  return level <= 3 ? 65_536 : level <= 6 ? 32_768 : 16_384
}

/** null: it is off. */
export function gzipPlan(conf: GzipConf): CodingPlan | null {
  if (!conf.gzip) return null
  const { gzipCompLevel: level, gzipWindow, gzipHash } = conf
  const options = (length: number): ZlibOptions => ({ level, ...memory(gzipWindow, gzipHash, length) })
  return {
    name: 'gzip',
    key: `gzip ${level} ${gzipWindow} ${gzipHash}`,
    types: typesOf(conf.gzipTypes),
    minLength: conf.gzipMinLength,
    allowed: (r: Request) => gzipAllowed(r, conf),
    wholeLimit: wholeLimit(level),
    whole: (content) => gzipSync(content, options(content.length)),
    stream: (length) => createGzip(options(length)),
    flush: constants.Z_SYNC_FLUSH,
    failure: compressFailure,
  }
}

/** No more memory than the content needs, as nginx takes it. */
function memory(window: number, hash: number, length: number): { windowBits: number; memLevel: number } {
  let windowBits = window
  let memLevel = hash
  if (length > 0) {
    while (windowBits > 9 && length < (1 << (windowBits - 1)) - 262) {
      windowBits--
      memLevel--
    }
  }
  return { windowBits, memLevel: Math.max(memLevel, 1) }
}
