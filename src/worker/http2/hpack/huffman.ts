// The Huffman code of RFC 7541 (section 5.2, appendix B), both ways. The code is canonical: the lengths say it all, and
// both tables are made of them when the module is loaded.

import { latin1 } from '../../../shared/latin1.ts'

/** Bits of each symbol's code. The last symbol, 256, is EOS. */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
]

const EOS = 256
const LONGEST = 30
/** Bits that the first look decides by: all that text is mostly made of has a shorter code. */
const ROOT_BITS = 10
const ROOT_MASK = (1 << ROOT_BITS) - 1

/** Code of each symbol. */
const codes = new Uint32Array(257)
/** Per length: the first code of that length, how many there are, and where their symbols begin in `byLength`. */
const firstCode = new Uint32Array(LONGEST + 2)
const countOf = new Uint16Array(LONGEST + 2)
const firstSymbol = new Uint16Array(LONGEST + 2)
const byLength: number[] = []
/** By the next ROOT_BITS bits: the symbol and, from bit 8 on, the length of its code; 0: the code is longer. */
const root = new Uint16Array(1 << ROOT_BITS)

let code = 0
for (let length = 1; length <= LONGEST; length++) {
  code = (code << 1) >>> 0
  firstCode[length] = code
  firstSymbol[length] = byLength.length
  for (let symbol = 0; symbol <= EOS; symbol++) {
    if (LENGTHS[symbol] !== length) continue
    byLength.push(symbol)
    codes[symbol] = code
    if (length <= ROOT_BITS) {
      const shift = ROOT_BITS - length
      root.fill((length << 8) | symbol, code << shift, (code + 1) << shift)
    }
    code++
  }
  countOf[length] = byLength.length - firstSymbol[length]!
}

/** Decoded bytes stand here until they are a string; longer texts take memory of their own. */
const SCRATCH = 16384
const scratch = Buffer.allocUnsafeSlow(SCRATCH)

/** The text that `bytes[start, end)` encode; null where that is no code, or padded with other bits than EOS begins with. */
export function huffmanDecode(bytes: Buffer, start: number, end: number): string | null {
  const most = Math.floor(((end - start) * 8) / 5)
  const out = most <= SCRATCH ? scratch : Buffer.allocUnsafeSlow(most)
  let length = 0
  let bits = 0
  let count = 0
  let at = start
  for (;;) {
    if (count < ROOT_BITS) {
      if (at + 1 < end) {
        bits = (bits << 16) | (bytes[at]! << 8) | bytes[at + 1]!
        at += 2
        count += 16
      } else if (at < end) {
        bits = (bits << 8) | bytes[at++]!
        count += 8
      }
      if (count < ROOT_BITS) break
    }
    const entry = root[(bits >>> (count - ROOT_BITS)) & ROOT_MASK]!
    if (entry !== 0) {
      out[length++] = entry & 255
      count -= entry >>> 8
      continue
    }
    const long = longCode(bytes, at * 8 - count, end * 8)
    // EOS itself is an error (RFC 7541 section 5.2).
    if (long < 0 || (long & 511) === EOS) return null
    out[length++] = long & 511
    const position = at * 8 - count + (long >>> 9)
    at = (position + 7) >>> 3
    count = at * 8 - position
    bits = count === 0 ? 0 : bytes[at - 1]!
  }
  for (;;) {
    const shift = ROOT_BITS - count
    const entry = root[((bits << shift) | ((1 << shift) - 1)) & ROOT_MASK]!
    if (entry === 0 || entry >>> 8 > count) break
    out[length++] = entry & 255
    count -= entry >>> 8
  }
  const ones = (1 << count) - 1
  return count > 7 || (bits & ones) !== ones ? null : latin1(out, 0, length)
}

/** The symbol whose code, longer than the first look, begins at bit `position`, and from bit 9 on that length; -1: none. */
function longCode(bytes: Buffer, position: number, end: number): number {
  let value = 0
  for (let length = 1; length <= LONGEST; length++) {
    if (position === end) return -1
    value = ((value << 1) | ((bytes[position >>> 3]! >>> (7 - (position & 7))) & 1)) >>> 0
    position++
    const offset = value - firstCode[length]!
    if (offset < countOf[length]!) return (length << 9) | byLength[firstSymbol[length]! + offset]!
  }
  return -1
}

/** Bytes that the latin1 `text` takes encoded. */
export function huffmanLength(text: string): number {
  let bits = 0
  for (let index = 0; index < text.length; index++) bits += LENGTHS[text.charCodeAt(index) & 255]!
  return (bits + 7) >>> 3
}

/** The latin1 `text` encoded, one character a byte. */
export function huffmanEncode(text: string): string {
  const most = text.length * 4
  const out = most <= SCRATCH ? scratch : Buffer.allocUnsafeSlow(most)
  let length = 0
  let bits = 0
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index) & 255
    let left = LENGTHS[symbol]!
    const code = codes[symbol]!
    // Long codes in pieces: with what waits, all of one might not fit into 32 bits.
    while (left > 16) {
      left -= 8
      bits = (bits << 8) | ((code >>> left) & 255)
      out[length++] = (bits >>> count) & 255
    }
    bits = (bits << left) | (code & ((1 << left) - 1))
    count += left
    while (count >= 8) {
      count -= 8
      out[length++] = (bits >>> count) & 255
    }
  }
  if (count > 0) out[length++] = ((bits << (8 - count)) | ((1 << (8 - count)) - 1)) & 255
  return latin1(out, 0, length)
}
