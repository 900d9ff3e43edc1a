// Sets of bytes: what one character of a pattern may be. Patterns and texts are latin1, one character a byte, and
// PCRE without UTF knows the letters of ASCII only.

/** 256 entries, 1 for each byte that is in. */
export type ByteSet = Uint8Array

export function emptySet(): ByteSet {
  return new Uint8Array(256)
}

/** The bytes in `ranges`: pairs of first and last. */
export function byteSet(...ranges: readonly (readonly [number, number])[]): ByteSet {
  const set = emptySet()
  for (const [first, last] of ranges) set.fill(1, first, last + 1)
  return set
}

/** The bytes of `characters`. */
export function setOf(characters: string): ByteSet {
  return byteSet(
    ...Array.from(characters, (character) => [character.charCodeAt(0), character.charCodeAt(0)] as const),
  )
}

export function addSet(to: ByteSet, from: ByteSet): void {
  for (let byte = 0; byte < 256; byte++) to[byte]! |= from[byte]!
}

export function union(one: ByteSet, other: ByteSet): ByteSet {
  const set = one.slice()
  addSet(set, other)
  return set
}

export function inverted(set: ByteSet): ByteSet {
  return set.map((member) => 1 - member)
}

export function disjoint(one: ByteSet, other: ByteSet): boolean {
  for (let byte = 0; byte < 256; byte++) if (one[byte]! & other[byte]!) return false
  return true
}

/** The only byte in `set`; -1: there are none or several. */
export function onlyByte(set: ByteSet): number {
  const first = set.indexOf(1)
  return first >= 0 && set.indexOf(1, first + 1) < 0 ? first : -1
}

/** Adds the other case of each ASCII letter. */
export function foldCase(set: ByteSet): void {
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    if (set[upper] === 1 || set[upper + 0x20] === 1) set[upper] = set[upper + 0x20] = 1
  }
}

/** The other case of a byte; the byte itself where it has none. */
export function otherCase(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
}

export const ALL = inverted(emptySet())
export const NOT_NEWLINE = inverted(setOf('\n'))
export const DIGIT = byteSet([0x30, 0x39])
export const LOWER = byteSet([0x61, 0x7a])
export const UPPER = byteSet([0x41, 0x5a])
export const ALPHA = union(LOWER, UPPER)
export const WORD = union(union(ALPHA, DIGIT), setOf('_'))
export const SPACE = setOf('\t\n\v\f\r ')
export const HORIZONTAL = setOf('\t \xa0')
export const VERTICAL = setOf('\n\v\f\r\x85')

/** POSIX classes by name. */
export const POSIX: Readonly<Record<string, ByteSet>> = {
  alpha: ALPHA,
  lower: LOWER,
  upper: UPPER,
  alnum: union(ALPHA, DIGIT),
  ascii: byteSet([0, 127]),
  blank: setOf('\t '),
  cntrl: byteSet([0, 31], [127, 127]),
  digit: DIGIT,
  graph: byteSet([0x21, 0x7e]),
  print: byteSet([0x20, 0x7e]),
  punct: byteSet([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]),
  space: SPACE,
  word: WORD,
  xdigit: byteSet([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]),
}

/** Escapes that stand for a set of bytes, by their letter. */
export const ESCAPED_SETS: Readonly<Record<string, ByteSet>> = {
  d: DIGIT,
  D: inverted(DIGIT),
  w: WORD,
  W: inverted(WORD),
  s: SPACE,
  S: inverted(SPACE),
  h: HORIZONTAL,
  H: inverted(HORIZONTAL),
  v: VERTICAL,
  V: inverted(VERTICAL),
  N: NOT_NEWLINE,
}
