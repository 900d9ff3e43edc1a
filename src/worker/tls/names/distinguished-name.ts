// Names in certificates as text, character for character as OpenSSL writes them: by RFC 2253 for $ssl_client_s_dn and
// $ssl_client_i_dn, in its older form for those that end in _legacy.

import { children, content, type DerElement, objectIdentifier, SEQUENCE, SET } from '../../../shared/der.ts'
import { attributeName } from './attributes.ts'

/** One attribute of a name. */
interface Attribute {
  /** Short name, or the dotted identifier of one without. */
  readonly name: string
  readonly known: boolean
  readonly value: DerElement
  /** Number of the set of attributes that it stands in. */
  readonly set: number
}

/** Width of a character in each kind of string, 0 for UTF-8; others are dumped. */
const WIDTHS: Readonly<Record<number, 0 | 1 | 2 | 4>> = {
  12: 0,
  18: 1,
  19: 1,
  20: 1,
  22: 1,
  23: 1,
  24: 1,
  26: 1,
  28: 4,
  30: 2,
}
const GENERAL_STRING = 27

/** The name by RFC 2253: the last attribute first. latin1; '' for what is no name. */
export function rfc2253Name(name: DerElement): string {
  let text = ''
  let set = -1
  for (const attribute of attributes(name).reverse()) {
    if (set >= 0) text += attribute.set === set ? '+' : ','
    set = attribute.set
    text += `${attribute.name}=${value2253(attribute)}`
  }
  return text
}

/** The name in one line, `/C=US/CN=one`. latin1; '' for what is no name. */
export function legacyName(name: DerElement): string {
  let text = ''
  let before = -1
  for (const { name: label, value, set } of attributes(name)) {
    text += `${set === before ? '+' : '/'}${label}=${legacyValue(value)}`
    before = set
  }
  return text
}

function attributes(name: DerElement): Attribute[] {
  const sets = name.tag === SEQUENCE ? children(name) : null
  if (sets === null) return []
  const list: Attribute[] = []
  sets.forEach((element, set) => {
    for (const pair of (element.tag === SET ? children(element) : null) ?? []) {
      const [type, value] = children(pair) ?? []
      const identifier = type === undefined ? null : objectIdentifier(type)
      if (identifier === null || value === undefined) continue
      const known = attributeName(identifier)
      list.push({ name: known ?? identifier, known: known !== null, value, set })
    }
  })
  return list
}

function value2253({ known, value }: Attribute): string {
  const width = known ? WIDTHS[value.tag] : undefined
  if (width === undefined) return `#${value.bytes.toString('hex', value.start, value.end).toUpperCase()}`
  const bytes = content(value)
  // What is UTF-8 already stays as it is, whatever it holds.
  if (width === 0) return escape2253(bytes)
  if (bytes.length % width !== 0) return ''
  let text = ''
  for (let at = 0; at < bytes.length; at += width) {
    const code = bytes.readUIntBE(at, width)
    text += code > 0x10ffff ? '' : String.fromCodePoint(code)
  }
  return escape2253(Buffer.from(text))
}

const BACKSLASHED = new Set(Buffer.from(',+"<>;\\', 'latin1'))
const SPACE = 32
const HASH = 35
const PLUS = 43
const SLASH = 47

/** Bytes of UTF-8 with the escapes of RFC 2253 section 2.4, and of every byte that is no printable ASCII. */
function escape2253(bytes: Buffer): string {
  let text = ''
  const last = bytes.length - 1
  bytes.forEach((byte, at) => {
    const edge = (byte === SPACE && (at === 0 || at === last)) || (byte === HASH && at === 0 && at !== last)
    if (edge || BACKSLASHED.has(byte)) text += `\\${String.fromCharCode(byte)}`
    else if (byte < SPACE || byte > 126) text += `\\${hex(byte)}`
    else text += String.fromCharCode(byte)
  })
  return text
}

function legacyValue(value: DerElement): string {
  let bytes = content(value)
  // Of characters four bytes wide that are all ASCII one is enough.
  if (value.tag === GENERAL_STRING && bytes.length % 4 === 0) {
    if (bytes.every((byte, at) => at % 4 === 3 || byte === 0))
      bytes = bytes.filter((_, at) => at % 4 === 3) as Buffer
  }
  let text = ''
  for (const byte of bytes) {
    if (byte < SPACE || byte > 126) text += `\\x${hex(byte)}`
    else text += `${byte === SLASH || byte === PLUS ? '\\' : ''}${String.fromCharCode(byte)}`
  }
  return text
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}
