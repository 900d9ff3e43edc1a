// What is settled about a coding where its directive is on.

import type { Request } from '../../../http/request.ts'
import { type Transcoding, TranscodingSink } from './sink.ts'
import type { Types } from './types.ts'

export interface CodingPlan extends Transcoding {
  /** Name and parameters: the same content becomes the same bytes by codings of one key. */
  readonly key: string
  readonly types: Types
  /** Least `Content-Length`. */
  readonly minLength: number
  /** Whether a client that takes the coding is to get it. */
  allowed(r: Request): boolean
}

/** How a compressor says that it cannot go on. */
export function compressFailure(error: NodeJS.ErrnoException): string {
  return `compressing failed: ${error.message}`
}

/** How many times smaller the content became by `coding`, as `$gzip_ratio` has it; null: it was not compressed. */
export function ratio(r: Request, coding: string): string | null {
  const { made } = r.response
  if (made !== null)
    return r.response.contentEncoding === coding ? quotient(made.madeOf, made.bytes.length) : null
  const sink = r.holding
  if (!(sink instanceof TranscodingSink) || sink.coding.name !== coding || !sink.done) return null
  return quotient(sink.bytesIn, sink.bytesOut)
}

function quotient(bytesIn: number, bytesOut: number): string | null {
  if (bytesOut === 0) return null
  const hundredths = Math.floor((bytesIn * 100) / bytesOut)
  // As nginx rounds: 2.125 to 2.13.
  const rounded = Math.floor((bytesIn * 1000) / bytesOut) % 10 > 4 ? hundredths + 1 : hundredths
  return `${Math.floor(rounded / 100)}.${String(rounded % 100).padStart(2, '0')}`
}
