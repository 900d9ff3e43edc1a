// The head of an HTTP/2 request: pseudo-header fields and fields, as HPACK gives them one by one (RFC 9113 section 8.3),
// made into what a head of HTTP/1 is to the rest of weir. What nginx refuses is refused with its status and its words.

import { Fields, hashName } from '../http/fields.ts'
import type { RequestLine } from '../http/request.ts'
import { type NormalizedTarget, normalizeTarget } from '../http/uri.ts'
import { isFieldText } from '../http1/head-parser.ts'
import { DEFAULT_RULES, type HeadRules } from '../http1/head-rules.ts'
import { hostName } from '../http1/host-name.ts'
import { decimal, type Refusal } from '../http1/request-head.ts'
import { type FieldName, fieldName } from './field-name.ts'
import type { FieldTarget } from './hpack/decoder.ts'

const NO_TARGET: NormalizedTarget = { uri: '', args: '', quoted: false }

const refuse = (status: number, reason: string): Refusal => ({ status, reason })
const bad = (reason: string): Refusal => ({ status: 400, reason: `client sent ${reason}` })

const TOO_LARGE = refuse(494, 'client sent too large header')
const TOO_MANY = refuse(494, 'client sent too many header lines')
const OUT_OF_ORDER = bad('out of order pseudo-headers')
const NO_NAME = bad('zero header name length')
const BAD_AUTHORITY = bad('invalid ":authority" header')
const BAD_HOST = bad('invalid host header')
const BAD_TARGET = bad('invalid request')
const NO_HOST = bad('neither ":authority" nor "Host" header')
const TWO_HOSTS = bad('":authority" and "Host" headers with different values')
const BAD_TE = bad('invalid "TE" header')
const BAD_LENGTH = bad('invalid "Content-Length" header')
const CUT_SHORT = refuse(400, 'client prematurely closed stream')
const CONNECT = refuse(405, 'client sent CONNECT method')
const TRACE = refuse(405, 'client sent TRACE method')

const COOKIE = hashName('cookie')
const HOST = hashName('host')

const METHOD = /^[A-Z_-]+$/
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/
/** What may not stand in a path: blanks and control characters. */
const NO_PATH = /[\0-\x20\x7f]/

/** Takes the fields of one block after `begin`; complete, and checked, with `finish`. */
export class Http2Head implements RequestLine, FieldTarget {
  readonly fields = new Fields()
  method = ''
  target = ''
  scheme = ''
  normalized = NO_TARGET
  /** null: none was sent. */
  authority: string | null = null
  /** What the authority or Host means; null: neither is there, or it means nothing. */
  hostName: string | null = null
  contentLength = -1
  hasBody = false
  expectContinue = false
  refusal: Refusal | null = null
  /** Names of fields that were left out. */
  dropped: string[] | null = null
  #rules = DEFAULT_RULES
  #conf = DEFAULT_RULES.first
  #text = ''
  /** Bytes of names and values that may still come. */
  #room = 0
  /** Pseudo-header fields are over. */
  #inFields = false
  #cookies = ''
  #host: string | null = null

  /** HTTP/1.1 or later, for whoever asks. */
  get minor(): number {
    return 1
  }

  get protocol(): string {
    return 'HTTP/2.0'
  }

  /** As nginx: there is none before it is complete. */
  get line(): string {
    return this.#inFields && this.method !== '' && this.target !== '' && this.scheme !== ''
      ? `${this.method} ${this.target} HTTP/2.0`
      : ''
  }

  /** There is no such thing in HTTP/2. */
  get asksUpgrade(): boolean {
    return false
  }

  get isHead(): boolean {
    return this.method === 'HEAD'
  }

  /** Sets what to read a head by. */
  begin(rules: HeadRules): void {
    this.#rules = rules
    this.#conf = rules.first
    const { count, size } = rules.first.largeClientHeaderBuffers
    this.#room = count * size
  }

  /** Nothing of a head is left, nor of the configuration it was read by. */
  release(): void {
    this.fields.reset('')
    this.method = ''
    this.target = ''
    this.scheme = ''
    this.normalized = NO_TARGET
    this.authority = null
    this.hostName = null
    this.contentLength = -1
    this.hasBody = false
    this.expectContinue = false
    this.refusal = null
    this.dropped = null
    this.#rules = DEFAULT_RULES
    this.#conf = DEFAULT_RULES.first
    this.#text = ''
    this.#inFields = false
    this.#cookies = ''
    this.#host = null
  }

  field(name: string, value: string): boolean {
    this.#room -= name.length + value.length
    if (name === '') this.refusal = NO_NAME
    else if (this.#room < 0) this.refusal = TOO_LARGE
    else if (name.charCodeAt(0) === 58) this.refusal = this.#pseudo(name, value)
    else this.refusal = this.#regular(fieldName(name), value)
    return this.refusal === null
  }

  /** The block is complete; `ended`: no content follows. What is wrong with it is in `refusal`. */
  finish(ended: boolean): void {
    this.hasBody = !ended
    if (this.refusal === null) {
      this.#inFields = true
      this.refusal = this.#settle(ended)
    }
    if (this.refusal !== null) this.hasBody = false
    this.fields.text = this.#text
  }

  // --- pseudo-header fields

  #pseudo(name: string, value: string): Refusal | null {
    if (this.#inFields) return OUT_OF_ORDER
    switch (name) {
      case ':method':
        return this.#takeMethod(value)
      case ':path':
        return this.#takePath(value)
      case ':scheme':
        return this.#takeScheme(value)
      case ':authority':
        return this.#takeAuthority(value)
      default:
        return bad(`unknown pseudo-header "${name}"`)
    }
  }

  #takeMethod(value: string): Refusal | null {
    if (this.method !== '') return bad('duplicate :method header')
    if (value === '') return bad('empty :method header')
    this.method = value
    return value === 'GET' || METHOD.test(value) ? null : bad(`invalid method: "${value}"`)
  }

  #takePath(value: string): Refusal | null {
    if (this.target !== '') return bad('duplicate :path header')
    if (value === '') return bad('empty :path header')
    if (value.charCodeAt(0) !== 47 || NO_PATH.test(value)) return bad(`invalid :path header: "${value}"`)
    const normalized = normalizeTarget(value, this.#conf.mergeSlashes)
    if (normalized === null) return BAD_TARGET
    this.target = value
    this.normalized = normalized
    return null
  }

  #takeScheme(value: string): Refusal | null {
    if (this.scheme !== '') return bad('duplicate :scheme header')
    if (value === '') return bad('empty :scheme header')
    if (value !== 'https' && !SCHEME.test(value)) return bad(`invalid :scheme header: "${value}"`)
    this.scheme = value
    return null
  }

  #takeAuthority(value: string): Refusal | null {
    if (this.authority !== null) return bad('duplicate ":authority" header')
    this.authority = value
    this.hostName = hostName(value)
    if (this.hostName === null) return BAD_AUTHORITY
    this.#useServer()
    return null
  }

  /** From here on the settings are those of the server that is meant. */
  #useServer(): void {
    if (this.#rules.several && this.hostName !== null) this.#conf = this.#rules.of(this.hostName)
  }

  // --- fields

  #regular(name: FieldName, value: string): Refusal | null {
    const { text, kind } = name
    if (kind === 'invalid') return bad(`invalid header name: "${text}"`)
    if (!isValue(value)) return bad(`header "${text}" with invalid value: "${value}"`)
    this.#inFields = true
    if (kind !== 'plain') {
      if (kind === 'connection') return bad(`"${name.title}" header`)
      if (kind === 'odd' || (kind === 'underscore' && !this.#conf.underscoresInHeaders)) {
        if (this.#conf.ignoreInvalidHeaders) {
          this.dropped ??= []
          this.dropped.push(text)
          return null
        }
      } else {
        const refusal = this.#special(name, value)
        if (refusal !== null) return refusal
        if (kind === 'cookie') return null
      }
    }
    if (this.fields.count >= this.#conf.maxHeaders) return TOO_MANY
    this.#add(text, value, name.hash)
    return null
  }

  #special({ text, kind, hash }: FieldName, value: string): Refusal | null {
    switch (kind) {
      case 'cookie':
        // RFC 9113 section 8.2.3: they were one field, cut for the sake of compression.
        this.#cookies = this.#cookies === '' ? value : `${this.#cookies}; ${value}`
        return null
      case 'host':
        if (this.#host !== null) return this.#duplicate('host header', text, hash, value)
        this.#host = value
        if (hostName(value) === null) return BAD_HOST
        if (this.authority === null) {
          this.hostName = hostName(value)
          this.#useServer()
        }
        return null
      case 'te':
        return value.toLowerCase() === 'trailers' && !this.#has(text, hash) ? null : BAD_TE
      case 'single':
        if (this.#has(text, hash)) return this.#duplicate('header line', text, hash, value)
        if (text === 'content-length') {
          this.contentLength = decimal(value)
          if (this.contentLength < 0) return BAD_LENGTH
        } else if (text === 'expect') this.expectContinue = value.toLowerCase() === '100-continue'
        return null
      default:
        return null
    }
  }

  #has(name: string, hash: number): boolean {
    this.fields.text = this.#text
    return this.fields.indexOf(name, hash) >= 0
  }

  #duplicate(what: string, name: string, hash: number, value: string): Refusal {
    this.fields.text = this.#text
    const before = this.fields.value(this.fields.indexOf(name, hash))
    return bad(`duplicate ${what}: "${name}: ${value}", previous value: "${name}: ${before}"`)
  }

  #add(name: string, value: string, hash: number): void {
    const start = this.#text.length
    const at = start + name.length
    this.#text += `${name}: ${value}\r\n`
    this.fields.add(start, at, at + 2, at + 2 + value.length, hash)
  }

  /** RFC 9113 section 8.5: it has an authority, and neither scheme nor path. */
  #connect(): Refusal {
    if (this.scheme !== '') return bad('CONNECT method with :scheme header')
    if (this.target !== '') return bad('CONNECT method with :path header')
    return this.authority === null ? NO_HOST : CONNECT
  }

  /** What nginx looks at when the block is complete, in its order. */
  #settle(ended: boolean): Refusal | null {
    if (this.method === '') return bad('no :method header')
    if (this.method === 'CONNECT') return this.#connect()
    if (this.scheme === '') return bad('no :scheme header')
    if (this.target === '') return bad('no :path header')
    if (this.#cookies !== '') this.#add('cookie', this.#cookies, COOKIE)
    const { authority } = this
    if (authority === null) {
      if (this.#host === null) return NO_HOST
    } else if (this.#host === null) this.#add('host', authority, HOST)
    else if (this.#host !== authority) return TWO_HOSTS
    if (this.contentLength > 0 && ended) return CUT_SHORT
    if (this.contentLength === 0) this.hasBody = false
    return this.method === 'TRACE' ? TRACE : null
  }
}

/** RFC 9113 section 8.2.1, and no other control characters either, as in HTTP/1. */
export function isValue(value: string): boolean {
  const { length } = value
  if (length === 0) return true
  return (
    !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(length - 1)) && isFieldText(value, 0, length)
  )
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** Heads kept for reuse. */
const SPARE_HEADS = 1000
const spareHeads: Http2Head[] = []

/** An empty head, for `releaseHead` to take back. */
export function takeHead(): Http2Head {
  return spareHeads.pop() ?? new Http2Head()
}

/** Gives back the head of a request that is over: nothing may look at it any more. */
export function releaseHead(head: Http2Head): void {
  head.release()
  if (spareHeads.length < SPARE_HEADS && !head.fields.grown) spareHeads.push(head)
}
