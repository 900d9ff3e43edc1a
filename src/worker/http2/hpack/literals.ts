// Header fields as HPACK without a table that changes (RFC 7541 section 6): what these functions make depends on nothing
// said before, so that it can be kept and sent on any connection. All of it is latin1 text, a character a byte.

import { asciiLower } from '../../../shared/latin1.ts'
import { huffmanEncode, huffmanLength } from './huffman.ts'
import { Remembered } from './remembered.ts'
import { staticField, staticName } from './static-table.ts'

const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))

/** An integer (RFC 7541 section 5.1) whose prefix is `mask` of its first octet, beside the bits of `pattern`. */
export function integer(value: number, mask: number, pattern: number): string {
  if (value < mask) return OCTETS[pattern | value]!
  let text = OCTETS[pattern | mask]!
  let rest = value - mask
  for (; rest >= 128; rest = Math.floor(rest / 128)) text += OCTETS[(rest & 127) | 128]!
  return text + OCTETS[rest]!
}

/** Bits of a field's first octet (RFC 7541 section 6.2). */
const WITHOUT_INDEXING = 0
const NEVER_INDEXED = 0x10

const texts = new Remembered(makeString, 1024, 256)

/** A string literal (section 5.2), Huffman-coded where that is shorter. */
export function stringLiteral(text: string): string {
  return text === '' ? OCTETS[0]! : texts.get(text)
}

function makeString(text: string): string {
  const length = huffmanLength(text)
  if (length < text.length) return integer(length, 127, 128) + huffmanEncode(text)
  return integer(text.length, 127, 0) + text
}

/** A field that stands in a table, at `index`. */
export function indexedField(index: number): string {
  return integer(index, 127, 128)
}

/** The name part of a literal field: `pattern` and `mask` are those of its first octet. */
export function literalName(index: number, name: string, mask: number, pattern: number): string {
  return index > 0 ? integer(index, mask, pattern) : OCTETS[pattern]! + stringLiteral(name)
}

/** The field `name` (lower case) with `value`. `sensitive`: nobody on the way may put it into a table. */
export function field(name: string, value: string, sensitive = false): string {
  if (!sensitive) {
    const index = staticField(name, value)
    if (index > 0) return indexedField(index)
  }
  const pattern = sensitive ? NEVER_INDEXED : WITHOUT_INDEXING
  return literalName(staticName(name), name, 15, pattern) + stringLiteral(value)
}

/**
 * Whether a field is better kept out of tables: who can have a guess compressed beside a secret learns from the length
 * whether it was right (RFC 7541 section 7.1).
 */
export function isSensitive(name: string, value: string): boolean {
  switch (name) {
    case 'authorization':
    case 'proxy-authorization':
      return true
    case 'cookie':
    case 'set-cookie':
      return value.length < SHORT_SECRET
    default:
      return false
  }
}

/** A secret shorter than this could be guessed. */
const SHORT_SECRET = 20

const statuses = new Map<number, string>()

/** `:status` of a response, three digits. */
export function statusField(status: number): string {
  let known = statuses.get(status)
  if (known === undefined) statuses.set(status, (known = field(':status', String(status))))
  return known
}

const blocks = new Remembered(makeLines, 512, 1024)
const fields = new Remembered(makeField, 1024, 512)

/**
 * The fields of complete `Name: value\r\n` lines, whose names go out in lower case. Values are taken as they are;
 * lines that come again and again are made once.
 */
export function linesBlock(lines: string): string {
  return lines === '' ? '' : blocks.get(lines)
}

function makeLines(lines: string): string {
  let block = ''
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start)
    block += fields.get(lines.slice(start, end))
    start = end + 2
  }
  return block
}

function makeField(line: string): string {
  const colon = line.indexOf(':')
  const name = asciiLower(line.slice(0, colon))
  const value = line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1)
  return field(name, value, isSensitive(name, value))
}
