// The head of an HTTP/1 request: request line (RFC 9112 section 3), fields, and what they say of framing and of the
// connection (sections 6 and 9). What nginx refuses with a status and a log line is refused with the same.

import { hashName } from '../http/fields.ts'
import type { RequestLine } from '../http/request.ts'
import { type NormalizedTarget, normalizeTarget } from '../http/uri.ts'
import { HeadParser, INCOMPLETE, isToken } from './head-parser.ts'

const HOST = hashName('host')
const CONNECTION = hashName('connection')
const CONTENT_LENGTH = hashName('content-length')
const TRANSFER_ENCODING = hashName('transfer-encoding')
const EXPECT = hashName('expect')

const SLASH = 47

/** Why a request is refused: the status to answer and nginx's words for the error log (level info). */
export interface Refusal {
  status: number
  reason: string
}

const NO_TARGET: NormalizedTarget = { uri: '', args: '', quoted: false }

const refuse = (status: number, reason: string): Refusal => ({ status, reason })

const BAD_REQUEST_LINE = refuse(400, 'client sent invalid request')
const BAD_METHOD = refuse(400, 'client sent invalid method')
const BAD_VERSION = refuse(505, 'client sent invalid version')
const BAD_LINE_ENDING = refuse(400, 'client sent a bare CR or LF')
const TOO_MANY_FIELDS = refuse(400, 'client sent too many header lines')
const NO_HOST = refuse(400, 'client sent HTTP/1.1 request without "Host" header')
const BAD_HOST = refuse(400, 'client sent invalid host header')
const BAD_LENGTH = refuse(400, 'client sent invalid "Content-Length" header')
const LENGTH_AND_CODING = refuse(
  400,
  'client sent "Content-Length" and "Transfer-Encoding" headers at the same time',
)
const OLD_CODING = refuse(400, 'client sent HTTP/1.0 request with "Transfer-Encoding" header')
const UNKNOWN_CODING = refuse(501, 'client sent unknown "Transfer-Encoding"')
const BAD_CONNECT = refuse(405, 'client sent CONNECT method')
const BAD_TRACE = refuse(405, 'client sent TRACE method')

export class RequestHead extends HeadParser implements RequestLine {
  /** The request line as received. */
  line = ''
  method = ''
  /** The request target without scheme and authority, as received; without path it may be empty or `?query`. */
  target = ''
  /** The target is in absolute form and has no path. */
  emptyPath = false
  /** What `target` means. */
  normalized: NormalizedTarget = NO_TARGET
  /** Authority of a target in absolute form; '' for one in origin form. */
  authority = ''
  /** Minor version: HTTP/1.minor. */
  minor = 1
  /** Value of Host; '' when missing (HTTP/1.0). */
  host = ''
  /** What the authority or Host means, see normalizeHost; null: neither is there. */
  hostName: string | null = null
  /** -1 without Content-Length. */
  contentLength = -1
  chunked = false
  /** The connection may be kept after the response, as far as the client is concerned. */
  keepAlive = false
  expectContinue = false
  refusal: Refusal | null = null

  constructor() {
    super(true)
  }

  override reset(): void {
    super.reset()
    this.line = ''
    this.method = ''
    this.target = ''
    this.emptyPath = false
    this.normalized = NO_TARGET
    this.authority = ''
    this.minor = 1
    this.host = ''
    this.hostName = null
    this.contentLength = -1
    this.chunked = false
    this.keepAlive = false
    this.expectContinue = false
    this.refusal = null
  }

  /** `HTTP/1.1`; '' before the request line has been read. */
  get protocol(): string {
    return this.method === '' ? '' : this.minor === 1 ? 'HTTP/1.1' : `HTTP/1.${this.minor}`
  }

  get hasBody(): boolean {
    return this.refusal === null && (this.chunked || this.contentLength > 0)
  }

  /** As HeadParser.parse; -1 leaves `refusal` set, also for a head that is well formed but contradicts itself. */
  read(text: string): number {
    const end = this.parse(text)
    if (end === INCOMPLETE) return INCOMPLETE
    if (end < 0) this.refusal ??= this.#headRefusal()
    else this.refusal = this.#interpret()
    return this.refusal === null ? end : -1
  }

  protected override startLine(text: string, start: number, end: number): boolean {
    this.line = text.slice(start, end)
    const methodEnd = text.indexOf(' ', start)
    if (methodEnd < 0 || methodEnd >= end || !isMethod(text, start, methodEnd)) {
      this.refusal = BAD_METHOD
      return false
    }
    const targetEnd = text.indexOf(' ', methodEnd + 1)
    if (targetEnd < 0 || targetEnd >= end || !this.#version(text, targetEnd + 1, end)) return false
    const connect = text.startsWith('CONNECT ', start)
    if (!connect && !this.#requestTarget(text, methodEnd + 1, targetEnd)) return false
    this.method = text.slice(start, methodEnd)
    const normalized = connect ? NO_TARGET : normalizeTarget(this.target)
    if (normalized !== null) this.normalized = normalized
    else this.target = ''
    return normalized !== null
  }

  #version(text: string, start: number, end: number): boolean {
    if (!text.startsWith('HTTP/', start)) return false
    if (end - start === 8 && text.startsWith('1.', start + 5)) {
      const digit = text.charCodeAt(start + 7) - 48
      this.minor = digit
      return digit >= 0 && digit <= 9
    }
    const match = /^([1-9]\d{0,2})\.\d{1,3}$/.exec(text.slice(start + 5, end))
    if (match !== null && Number(match[1]) > 1) this.refusal = BAD_VERSION
    return false
  }

  #requestTarget(text: string, start: number, end: number): boolean {
    for (let index = start; index < end; index++) {
      const code = text.charCodeAt(index)
      if (code <= 32 || code === 127) return false
    }
    if (text.charCodeAt(start) === SLASH) {
      this.target = text.slice(start, end)
      return true
    }
    return this.#absoluteForm(text.slice(start, end))
  }

  #absoluteForm(target: string): boolean {
    const match = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]+)(.*)$/s.exec(target)
    if (match === null) return false
    this.authority = match[1]!
    this.target = match[2]! || '/'
    this.emptyPath = !match[2]!.startsWith('/')
    return true
  }

  #headRefusal(): Refusal {
    if (this.error === 'line ending') return BAD_LINE_ENDING
    if (this.error === 'start line') return BAD_REQUEST_LINE
    if (this.error === 'too many fields') return TOO_MANY_FIELDS
    return refuse(400, `client sent invalid header line: "${this.broken}"`)
  }

  /** RFC 9112 section 6.3, with every doubt refused. */
  #interpret(): Refusal | null {
    const fields = this.fields
    let host = -1
    let length = -1
    let coding = -1
    let keepAlive = this.minor >= 1
    for (let index = 0; index < fields.count; index++) {
      const hash = fields.hash(index)
      if (hash === HOST && fields.is(index, 'host')) {
        if (host >= 0) return this.#duplicate('host header', index, host)
        host = index
        this.host = fields.value(index)
      } else if (hash === CONTENT_LENGTH && fields.is(index, 'content-length')) {
        if (length >= 0) return this.#duplicate('header line', index, length)
        length = index
        this.contentLength = decimal(fields.value(index))
        if (this.contentLength < 0) return BAD_LENGTH
      } else if (hash === TRANSFER_ENCODING && fields.is(index, 'transfer-encoding')) {
        if (coding >= 0) return this.#duplicate('header line', index, coding)
        coding = index
        if (fields.value(index).toLowerCase() !== 'chunked') return UNKNOWN_CODING
      } else if (hash === CONNECTION && fields.is(index, 'connection')) {
        keepAlive = wantsKeepAlive(fields.value(index), keepAlive)
      } else if (hash === EXPECT && fields.is(index, 'expect')) {
        this.expectContinue = this.minor >= 1 && fields.value(index).toLowerCase() === '100-continue'
      }
    }
    if (host < 0 && this.minor >= 1) return NO_HOST
    if (host >= 0 && (this.hostName = hostName(this.host)) === null) return BAD_HOST
    if (coding >= 0) {
      if (length >= 0) return LENGTH_AND_CODING
      if (this.minor < 1) return OLD_CODING
      this.chunked = true
    }
    this.keepAlive = keepAlive
    if (this.method === 'CONNECT') return BAD_CONNECT
    if (this.method === 'TRACE') return BAD_TRACE
    if (this.authority !== '' && (this.hostName = hostName(this.authority)) === null) return BAD_HOST
    return null
  }

  #duplicate(what: string, index: number, before: number): Refusal {
    const line = (at: number) => `"${this.fields.name(at)}: ${this.fields.value(at)}"`
    return refuse(400, `client sent duplicate ${what}: ${line(index)}, previous value: ${line(before)}`)
  }
}

function isMethod(text: string, start: number, end: number): boolean {
  if (!isToken(text, start, end)) return false
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index)
    // As nginx: upper case letters, `_` and `-`.
    if ((code < 65 || code > 90) && code !== 95 && code !== 45) return false
  }
  return true
}

/** The number `text` spells in decimal digits; -1 for anything else and for what is not a safe integer. */
export function decimal(text: string): number {
  if (text.length === 0 || text.length > 15) return -1
  let number = 0
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}

/** Reads a Connection field: `close` wins, `keep-alive` revives HTTP/1.0. */
function wantsKeepAlive(value: string, before: boolean): boolean {
  if (value === 'keep-alive') return true
  const lower = value.toLowerCase()
  if (lower.includes('close')) return false
  return before || lower.includes('keep-alive')
}

/**
 * A Host value as nginx compares it: lower case, without port and trailing dot. null when it is not one
 * (RFC 3986 section 3.2.2 allows less than what is let through here).
 */
export function normalizeHost(value: string): string | null {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\0-\x20\x7f/\\?#@[\]:]*)(?::\d*)?$/.exec(value)
  if (match === null) return null
  let host = match[1]!.toLowerCase()
  if (host.includes('..')) return null
  if (host.endsWith('.')) host = host.slice(0, -1)
  if (host === '') return null
  return host
}

/** What Host values mean: clients send the same few over and over. */
const knownHosts = new Map<string, string | null>()
const KNOWN_HOSTS = 1000

/** As normalizeHost, remembered. */
export function hostName(value: string): string | null {
  let name = knownHosts.get(value)
  if (name !== undefined) return name
  name = normalizeHost(value)
  if (knownHosts.size >= KNOWN_HOSTS) knownHosts.clear()
  if (value.length <= 255) knownHosts.set(value, name)
  return name
}
