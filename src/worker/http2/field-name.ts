// What the name of a request's field says of it: whether it is one, and whether it has to be looked at. Of names that are
// common this is known beforehand.

import { hashName } from '../http/fields.ts'

/**
 * `invalid`: upper case, or a character that no name has (RFC 9113 section 8.2.1); `odd`: a name nginx finds invalid but for `ignore_invalid_headers`
 * (`underscore`: for nothing but underscores); `connection`: about the connection (RFC 9113 section 8.2.2); `single`: a
 * request has one at most.
 */
export type NameKind =
  | 'plain'
  | 'invalid'
  | 'odd'
  | 'underscore'
  | 'connection'
  | 'cookie'
  | 'host'
  | 'te'
  | 'single'

/** A name, and what is known of it. */
export interface FieldName {
  readonly text: string
  readonly kind: NameKind
  readonly hash: number
  /** As nginx writes it in its log, of fields about the connection. */
  readonly title: string
}

const CONNECTION: Readonly<Record<string, string>> = {
  connection: 'Connection',
  'keep-alive': 'Keep-Alive',
  'proxy-connection': 'Proxy-Connection',
  'transfer-encoding': 'Transfer-Encoding',
  upgrade: 'Upgrade',
}

const SINGLE = new Set([
  ...['authorization', 'content-length', 'content-range', 'expect', 'if-match', 'if-modified-since'],
  ...['if-none-match', 'if-range', 'if-unmodified-since'],
])

/** Names that have come; the same few come over and over. */
const known = new Map<string, FieldName>()
const KNOWN_NAMES = 1000
const LONGEST_KNOWN = 64

/** What is known of `text`, a name as HPACK gives it (latin1). */
export function fieldName(text: string): FieldName {
  const found = known.get(text)
  if (found !== undefined) return found
  const made = { text, kind: kindOf(text), hash: hashName(text), title: CONNECTION[text] ?? '' }
  if (text.length <= LONGEST_KNOWN) {
    if (known.size >= KNOWN_NAMES) known.clear()
    known.set(text, made)
  }
  return made
}

/** What no name holds. */
export const INVALID = /[\0-\x20\x7f-\xff:A-Z]/

function kindOf(text: string): NameKind {
  if (text === '' || INVALID.test(text)) return 'invalid'
  if (text === 'cookie' || text === 'host' || text === 'te') return text
  if (Object.hasOwn(CONNECTION, text)) return 'connection'
  if (SINGLE.has(text)) return 'single'
  if (/[^a-z0-9_-]/.test(text)) return 'odd'
  return text.includes('_') ? 'underscore' : 'plain'
}
