// The Huffman code of HPACK for tests, made of the lengths of its codes alone: RFC 7541 section 5.2 says that the
// code is canonical, so codes of one length go by symbol, and shorter ones come first.

/** `length` or `length x count`, for the bytes from 0 on and the end of the string. */
const LENGTHS =
  `13 23 28x7 24 30 28x2 30 28x8 30 28x9 6 10x2 12 13 6 8 11 10x2 8 11 8 6x3 5x3 6x7 7 8 15 6 12 10 13 6
7x22 8 7 8 13 19 13 14 6 15 5 6 5 6 5 6x3 5 7x2 6x3 5 6 7 6 5x2 6 7x5 15 11 14 13 28
20 22 20x2 22x3 23 22 23x5 24 23 24x2 22 23 24 23x4 21 22 23 22 23x2 24 22 21 20 22x2 23x2 21 23 22x2 24 21 22 23x2 21x2
22 21 23 22 23x2 20 22x3 23 22x2 23 26x2 20 19 22 23 22 25 26x3 27x2 26 24 25 19 21 26 27x2 26 27 24 21x2 26x2 28 27x3
20 24 20 21 22 21x2 23 22x2 25x2 24x2 26 23 26 27 26x2 27x5 28 27x5 26 30`
    .split(/\s/)
    .flatMap((entry) => {
      const [length, count = '1'] = entry.split('x')
      return Array<number>(Number(count)).fill(Number(length))
    })

const END = 256

/** Symbols by their code, written as a string of 0 and 1. */
const symbols = new Map<string, number>()
const codes: string[] = []

for (let length = 1, code = 0; length <= 30; length++, code *= 2) {
  for (let symbol = 0; symbol <= END; symbol++) {
    if (LENGTHS[symbol] !== length) continue
    codes[symbol] = code.toString(2).padStart(length, '0')
    symbols.set(codes[symbol], symbol)
    code++
  }
}

/** Throws when `bytes` are no code, or end in other than the start of the end of the string. */
export function unhuffman(bytes: Buffer): string {
  let text = ''
  let code = ''
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, '0')) {
      code += bit
      const symbol = symbols.get(code)
      if (symbol === undefined) continue
      if (symbol === END) throw new Error('the end of the string inside it')
      text += String.fromCharCode(symbol)
      code = ''
    }
  }
  if (code.length > 7 || code.includes('0')) throw new Error(`wrong padding ${code}`)
  return text
}

/** `padding`: what fills the last byte, and any bits behind it. */
export function huffman(text: string, padding = '1'): Buffer {
  let bits = [...text].map((char) => codes[char.charCodeAt(0)]).join('')
  while (bits.length % 8 !== 0) bits += padding[0]
  return bitBytes(bits + padding.slice(1))
}

/** The code of the end of the string. */
export const END_CODE = codes[END]!

/** Of a string of 0 and 1, filled up with 1. */
export function bitBytes(bits: string): Buffer {
  return Buffer.from((bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2)))
}
