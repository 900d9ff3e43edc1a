// Bytes as text, one character a byte: the form in which heads, URIs and log lines are handled everywhere.

interface Latin1Buffer {
  latin1Slice?: (this: Buffer, start: number, end: number) => string
  latin1Write?: (this: Buffer, text: string, offset: number) => number
}

const members = Buffer.prototype as Latin1Buffer
const slice = members.latin1Slice ?? null
const write = members.latin1Write ?? null

/** `bytes[start, end)` as latin1 text. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return slice === null ? bytes.toString('latin1', start, end) : slice.call(bytes, start, end)
}

/** Writes latin1 `text` at `offset`. */
export function writeLatin1(bytes: Buffer, text: string, offset: number): void {
  if (write === null) bytes.write(text, offset, 'latin1')
  else write.call(bytes, text, offset)
}

/** A path held as latin1 in the form Node takes paths in: Node makes its bytes UTF-8. */
export function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString()
}

/** The same text in one piece: V8 keeps what was put together as a tree, which costs each time it is written. */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** The text with the letters A to Z in lower case and every other byte as it is. */
export function asciiLower(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text
}
