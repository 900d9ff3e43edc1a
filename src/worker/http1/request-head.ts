// The head of an HTTP/1 request: request line (RFC 9112 section 3), fields, and what they say of framing and of the
// connection (sections 6 and 9). What nginx refuses with a status and a log line is refused with the same.

import { hashName, NameSet } from '../http/fields.ts'
import type { RequestLine } from '../http/request.ts'
import { type NormalizedTarget, normalizeTarget } from '../http/uri.ts'
import type { ClientHeadConf } from '../modules/client-head.ts'
import { HeadBuffers } from './head-limits.ts'
import { HeadParser, INCOMPLETE, isToken, NAMES, NAMES_WITH_UNDERSCORES } from './head-parser.ts'
import { DEFAULT_RULES, type HeadRules } from './head-rules.ts'
import { hostName } from './host-name.ts'

const HOST = hashName('host')
const CONNECTION = hashName('connection')
const CONTENT_LENGTH = hashName('content-length')
const TRANSFER_ENCODING = hashName('transfer-encoding')
const EXPECT = hashName('expect')

/** Other fields that may stand once. */
const SINGLE_NAMES = [
  ...['authorization', 'content-range', 'expect', 'if-match', 'if-modified-since', 'if-none-match'],
  ...['if-range', 'if-unmodified-since'],
]
const SINGLE = new NameSet(SINGLE_NAMES)
/** 1 for the low bits of their hashes. */
const maybeSingle = new Uint8Array(64)
for (const name of SINGLE_NAMES) maybeSingle[hashName(name) & 63] = 1

/** A connection option, among others. */
const UPGRADE_OPTION = /(?:^|[ \t,])upgrade(?:$|[ \t,])/

/** Refused for its version, whatever follows. */
const NEWER = /^HTTP\/(?:[2-9]|1\d)/

const SLASH = 47

/** What nginx takes for a host in a request line, with its port. */
const HOST_AND_PORT = "(?:\\[[A-Za-z0-9:._~!$&'()*+,;=-]*\\]|[A-Za-z0-9.-]*)(?::\\d*)?"
const ABSOLUTE = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:\\/\\/(${HOST_AND_PORT})([/?].*)?$`, 's')
const AUTHORITY = new RegExp(`^${HOST_AND_PORT.slice(0, -1)}$`)

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
const TOO_MANY_FIELDS = refuse(494, 'client sent too many header lines')
const NO_HOST = refuse(400, 'client sent HTTP/1.1 request without "Host" header')
const BAD_HOST = refuse(400, 'client sent invalid host header')
const BAD_TARGET_HOST = refuse(400, 'client sent invalid host in request line')
const BAD_LENGTH = refuse(400, 'client sent invalid "Content-Length" header')
const LENGTH_AND_CODING = refuse(
  400,
  'client sent "Content-Length" and "Transfer-Encoding" headers at the same time',
)
const OLD_CODING = refuse(400, 'client sent HTTP/1.0 request with "Transfer-Encoding" header')
const UNKNOWN_CODING = refuse(501, 'client sent unknown "Transfer-Encoding"')
const BAD_CONNECT = refuse(405, 'client sent CONNECT method')
const BAD_TRACE = refuse(405, 'client sent TRACE method')

/** A header line left out for its name. */
export interface DroppedLine {
  line: string
  start: number
  /** How many fields had been read before it. */
  before: number
}

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
  /** What the authority or Host means, see host-name.ts; null: neither is there. */
  hostName: string | null = null
  /** -1 without Content-Length. */
  contentLength = -1
  chunked = false
  /** The connection may be kept after the response, as far as the client is concerned. */
  keepAlive = false
  expectContinue = false
  asksUpgrade = false
  refusal: Refusal | null = null
  /** Header lines that were left out. */
  dropped: DroppedLine[] | null = null
  readonly buffers = new HeadBuffers()
  /** The target names a host. */
  #absolute = false
  /** Which fields these are; -1: none. */
  #host = -1
  #length = -1
  #coding = -1
  /** Where reading ended because of a fault; -1: nowhere. */
  #stopped = -1
  #rules = DEFAULT_RULES
  /** The settings in force, and from where in the text on they are. */
  #conf = DEFAULT_RULES.first
  #confFrom = 0

  constructor() {
    super()
    this.begin(DEFAULT_RULES, 0, 0, 0)
  }

  /**
   * Sets what to read the next head by. `room`: what is left of the buffer that a request before it was read into, 0:
   * a buffer of its own; `busy`: large buffers that one still takes; `skipped`: characters of empty lines in front.
   */
  begin(rules: HeadRules, room: number, busy: number, skipped: number): void {
    this.#rules = rules
    const { clientHeaderBufferSize } = rules.first
    const left = (room > 0 ? room : clientHeaderBufferSize) - skipped
    this.buffers.begin(left > 0 ? left : clientHeaderBufferSize, busy)
    this.#use(rules.first, 0)
    this.watching = rules.several
  }

  #use(conf: ClientHeadConf, from: number): void {
    this.#conf = conf
    this.#confFrom = from
    this.names = conf.underscoresInHeaders ? NAMES_WITH_UNDERSCORES : NAMES
    this.keepOdd = !conf.ignoreInvalidHeaders
    this.maxFields = conf.maxHeaders
  }

  /** The settings that a line which starts at `position` is read by. */
  rulesAt(position: number): ClientHeadConf {
    return position >= this.#confFrom ? this.#conf : this.#rules.first
  }

  /** The request line is too long: nothing is known but its beginning. */
  cutLine(beginning: string): void {
    this.reset()
    this.line = beginning
  }

  /** Forgets the fields from `position` on. */
  cutFields(position: number): void {
    this.#stopped = position
    const { fields } = this
    while (fields.count > 0 && fields.start(fields.count - 1) >= position) fields.count--
    this.dropped = this.dropped?.filter(({ start }) => start < position) ?? null
  }

  protected override fieldRead(end: number): void {
    const last = this.fields.count - 1
    if (this.fields.hash(last) !== HOST || !this.fields.is(last, 'host')) return
    this.#useServer(this.fields.value(last), end)
  }

  /** From here on the settings are those of the server that `host` names. */
  #useServer(host: string, from: number): void {
    this.watching = false
    const name = hostName(host)
    if (name !== null) this.#use(this.#rules.of(name), from)
  }

  protected override fieldDropped(text: string, start: number, end: number): void {
    const line = text.slice(start, end).replace(/[ \t]*\r\n$/, '')
    this.dropped ??= []
    this.dropped.push({ line, start, before: this.fields.count })
  }

  /** For a time without use: nothing of the configuration it was read by is held on to. */
  release(): void {
    this.reset()
    this.#rules = DEFAULT_RULES
  }

  override reset(): void {
    super.reset()
    this.line = ''
    this.method = ''
    this.target = ''
    this.emptyPath = false
    this.normalized = NO_TARGET
    this.authority = ''
    this.#absolute = false
    this.minor = 1
    this.host = ''
    this.hostName = null
    this.contentLength = -1
    this.chunked = false
    this.keepAlive = false
    this.expectContinue = false
    this.asksUpgrade = false
    this.refusal = null
    this.#stopped = -1
    this.dropped = null
  }

  /** The method is HEAD, also where the rest of the line is none. */
  get isHead(): boolean {
    return this.line.startsWith('HEAD ')
  }

  /** `HTTP/1.1`; '' before the request line has been read. */
  get protocol(): string {
    return this.method === '' ? '' : this.minor === 1 ? 'HTTP/1.1' : `HTTP/1.${this.minor}`
  }

  /** Characters that count as received: nginx reads no further than a line at fault. */
  get received(): number {
    return this.#stopped < 0 ? this.position : this.#stopped
  }

  get hasBody(): boolean {
    return this.refusal === null && (this.chunked || this.contentLength > 0)
  }

  /** As HeadParser.parse; -1 leaves `refusal` set, also for a head that is well formed but contradicts itself. */
  read(text: string): number {
    const end = this.parse(text)
    if (end === INCOMPLETE) return INCOMPLETE
    // Of what is wrong with the fields, the first counts.
    if (end < 0) this.refusal ??= (this.inFields ? this.#takeFields() : null) ?? this.#headRefusal()
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
    if (targetEnd < 0 || targetEnd >= end) return false
    if (text.startsWith('CONNECT ', start)) {
      if (!this.#authorityForm(text.slice(methodEnd + 1, targetEnd))) return false
    } else if (!this.#requestTarget(text, methodEnd + 1, targetEnd)) return false
    if (!this.#version(text, targetEnd + 1, end)) {
      this.target = ''
      return false
    }
    this.method = text.slice(start, methodEnd)
    const normalized = normalizeTarget(this.target, this.#conf.mergeSlashes)
    if (normalized === null) {
      this.#stopped = end + 2
      this.target = ''
      return false
    }
    this.normalized = normalized
    return !this.#absolute || this.#targetHost(end + 2)
  }

  /** Takes the host of a target that has one; the fields start at `fields`. */
  #targetHost(fields: number): boolean {
    this.hostName = hostName(this.authority)
    if (this.hostName === null) {
      this.refusal = BAD_TARGET_HOST
      return false
    }
    if (this.watching) this.#useServer(this.authority, fields)
    return true
  }

  #version(text: string, start: number, end: number): boolean {
    if (end - start === 8 && text.startsWith('HTTP/1.', start)) {
      const digit = text.charCodeAt(start + 7) - 48
      this.minor = digit
      return digit >= 0 && digit <= 9
    }
    if (NEWER.test(text.slice(start, start + 7))) this.refusal = BAD_VERSION
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
    const match = ABSOLUTE.exec(target)
    if (match === null) return false
    this.#absolute = true
    this.authority = match[1]!
    this.target = match[2]! || '/'
    this.emptyPath = this.target.startsWith('?')
    return true
  }

  #authorityForm(target: string): boolean {
    if (!AUTHORITY.test(target)) return false
    this.#absolute = true
    this.authority = target
    this.target = '/'
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
    this.keepAlive = this.minor >= 1
    const refusal = this.#takeFields()
    if (refusal !== null) return refusal
    if (this.#host < 0 && this.minor >= 1) return NO_HOST
    if (this.#length >= 0) {
      this.contentLength = decimal(this.fields.value(this.#length))
      if (this.contentLength < 0) return BAD_LENGTH
    }
    if (this.#coding >= 0) {
      if (this.fields.value(this.#coding).toLowerCase() !== 'chunked') return UNKNOWN_CODING
      if (this.#length >= 0) return LENGTH_AND_CODING
      if (this.minor < 1) return OLD_CODING
      this.chunked = true
    }
    if (this.method === 'CONNECT') return BAD_CONNECT
    if (this.method === 'TRACE') return BAD_TRACE
    return null
  }

  /** Reads a Connection field: `close` wins, `keep-alive` revives HTTP/1.0. */
  #takeConnection(value: string): void {
    if (value === 'keep-alive') {
      this.keepAlive = true
      return
    }
    const lower = value.toLowerCase()
    if (lower.includes('close')) this.keepAlive = false
    else if (lower.includes('keep-alive')) this.keepAlive = true
    if (this.minor >= 1 && lower.includes('upgrade') && UPGRADE_OPTION.test(lower)) this.asksUpgrade = true
  }

  /** Nothing behind field `index` is read. */
  #stopBehind(index: number): void {
    this.cutFields(this.fields.text.indexOf('\n', this.fields.end(index)) + 1)
  }

  /** Looks at the fields in their order: what nginx refuses as soon as it has read the line. */
  #takeFields(): Refusal | null {
    const fields = this.fields
    this.#host = this.#length = this.#coding = -1
    for (let index = 0; index < fields.count; index++) {
      const hash = fields.hash(index)
      if (hash === HOST && fields.is(index, 'host')) {
        if (this.#host >= 0) return this.#duplicate('host header', index, this.#host)
        this.#host = index
        this.host = fields.value(index)
        const name = hostName(this.host)
        if (name === null) {
          this.#stopBehind(index)
          return BAD_HOST
        }
        // The host of the target counts where there is one.
        if (!this.#absolute) this.hostName = name
      } else if (hash === CONTENT_LENGTH && fields.is(index, 'content-length')) {
        if (this.#length >= 0) return this.#duplicate('header line', index, this.#length)
        this.#length = index
      } else if (hash === TRANSFER_ENCODING && fields.is(index, 'transfer-encoding')) {
        if (this.#coding >= 0) return this.#duplicate('header line', index, this.#coding)
        this.#coding = index
      } else if (hash === CONNECTION && fields.is(index, 'connection')) {
        this.#takeConnection(fields.value(index))
      } else if (maybeSingle[hash & 63] === 1 && fields.in(SINGLE, index)) {
        const before = fields.indexOf(fields.name(index).toLowerCase(), hash)
        if (before < index) return this.#duplicate('header line', index, before)
        if (hash === EXPECT) {
          this.expectContinue = this.minor >= 1 && fields.value(index).toLowerCase() === '100-continue'
        }
      }
    }
    return null
  }

  #duplicate(what: string, index: number, before: number): Refusal {
    const line = (at: number) => `"${this.fields.name(at)}: ${this.fields.value(at)}"`
    const reason = `client sent duplicate ${what}: ${line(index)}, previous value: ${line(before)}`
    this.#stopBehind(index)
    // nginx knows the field by its first value only.
    this.fields.count = index
    return refuse(400, reason)
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
