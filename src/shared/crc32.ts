// The CRC-32 of zlib and nginx, of texts with a byte in each character. Several calls make one sum: what the one before
// returned is where the next goes on.

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** The sum of `text` behind what `before` is the sum of; 0: nothing. */
export function crc32(text: string, before = 0): number {
  let crc = ~before
  for (let index = 0; index < text.length; index++) {
    crc = (crc >>> 8) ^ table[(crc ^ text.charCodeAt(index)) & 255]!
  }
  return ~crc >>> 0
}

/** Likewise of the four bytes of `word`, the lowest first. */
export function crc32OfWord(word: number, before: number): number {
  let crc = ~before
  for (let shift = 0; shift < 32; shift += 8) {
    crc = (crc >>> 8) ^ table[(crc ^ (word >>> shift)) & 255]!
  }
  return ~crc >>> 0
}
