// Header blocks given as hexadecimal digits or latin1 text, and the fields that come of them.

import type { HpackDecoder } from '../../../../src/worker/http2/hpack/decoder.ts'

/** `name: value`, with ` !` behind a field that is never to be indexed. */
export interface Decoded {
  error: string | null
  fields: string[]
}

export function hex(...digits: string[]): Buffer {
  return Buffer.from(digits.join('').replaceAll(' ', ''), 'hex')
}

/** Decodes one block; takes at most `most` fields. */
export function decode(decoder: HpackDecoder, block: Buffer | string, most = Infinity): Decoded {
  const bytes = typeof block === 'string' ? Buffer.from(block, 'latin1') : block
  const fields: string[] = []
  const error = decoder.decode(bytes, 0, bytes.length, {
    field(name, value, neverIndexed) {
      fields.push(`${name}: ${value}${neverIndexed ? ' !' : ''}`)
      return fields.length < most
    },
  })
  return { error, fields }
}
