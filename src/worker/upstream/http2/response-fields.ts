// The fields of a response that came by HTTP/2: checked as strictly as a head of HTTP/1 (RFC 9113 section 8), and laid
// out as text so that they pass on as those do.

import { Fields, hashName } from '../../http/fields.ts'
import { isFieldText, isToken } from '../../http1/head-parser.ts'
import { decimal } from '../../http1/request-head.ts'
import type { FieldTarget } from '../../http2/hpack/decoder.ts'
import { TOO_BIG_HEADER } from '../next.ts'
import type { PeerHead } from '../wire.ts'

const MAX_FIELDS = 1000
const UPPER_CASE = /[A-Z]/

/** About a connection of HTTP/1: a response of HTTP/2 with one of these is malformed (RFC 9113 section 8.2.2). */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** Takes the fields of one block after `begin`; asked for `refusal` behind it. */
export class ResponseFields implements FieldTarget, PeerHead {
  fields = new Fields()
  status = 0
  readonly statusLine = ''
  contentLength = -1
  readonly chunked = false
  /** What is wrong, in nginx's words; ''. */
  refusal = ''
  #text = ''
  #limit = 0
  #trailers = false
  /** Index of the Content-Length; -1: there is none. */
  #length = -1

  /** `limit`: bytes that the fields may have as text. `trailers`: they come behind the content. */
  begin(limit: number, trailers: boolean): void {
    this.#limit = limit
    this.#trailers = trailers
    this.#text = ''
    this.#length = -1
    this.refusal = ''
    if (trailers) {
      // The head's own are still in use.
      this.fields = new Fields()
    } else {
      this.status = 0
      this.contentLength = -1
    }
    this.fields.reset('')
  }

  /** The block is complete. Whether all of it is well formed. */
  end(): boolean {
    if (this.refusal === '' && !this.#trailers && this.status === 0) {
      this.refusal = 'upstream sent no :status header'
    }
    this.fields.text = this.#text
    return this.refusal === ''
  }

  field(name: string, value: string): boolean {
    this.refusal = name.startsWith(':') ? this.#pseudo(name, value) : this.#add(name, value)
    return this.refusal === ''
  }

  #pseudo(name: string, value: string): string {
    if (name !== ':status' || this.fields.count > 0 || this.#trailers) return this.#invalid(name, value)
    if (this.status !== 0) return 'upstream sent duplicate :status header'
    const status = value.length === 3 ? decimal(value) : -1
    if (status < 100) return `upstream sent invalid :status "${printable(value)}"`
    if (status === 101) return `upstream sent unexpected :status "${value}"`
    this.status = status
    return ''
  }

  #add(name: string, value: string): string {
    const { fields } = this
    const wellFormed = isToken(name, 0, name.length) && !UPPER_CASE.test(name)
    if (!wellFormed || !isFieldText(value, 0, value.length)) {
      return `upstream sent invalid header: "${printable(name)}: ${printable(value)}"`
    }
    if (CONNECTION_FIELDS.has(name)) return this.#invalid(name, value)
    if (fields.count === MAX_FIELDS) return 'upstream sent too many header lines'
    // RFC 9113 section 8.2.1 has no blanks around a value; as nginx, those that are there are put up with.
    const text = trimmed(value)
    const start = this.#text.length
    const valueStart = start + name.length + 2
    this.#text += `${name}: ${text}\r\n`
    if (this.#text.length > this.#limit) return TOO_BIG_HEADER
    fields.add(start, start + name.length, valueStart, valueStart + text.length, hashName(name))
    return name === 'content-length' && !this.#trailers ? this.#takeLength(text) : ''
  }

  #takeLength(value: string): string {
    if (this.#length >= 0) {
      return `upstream sent duplicate header line: "content-length: ${value}", previous value: "content-length: ${this.contentLength}"`
    }
    this.#length = this.fields.count - 1
    this.contentLength = decimal(value)
    return this.contentLength < 0
      ? `upstream sent invalid "Content-Length" header: "content-length: ${value}"`
      : ''
  }

  #invalid(name: string, value: string): string {
    const what = this.#trailers ? 'trailer' : 'header'
    return `upstream sent invalid ${what} "${printable(name)}: ${printable(value)}"`
  }
}

function trimmed(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start++
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--
  return end - start === value.length ? value : value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** Fit for a line of the log. */
function printable(text: string): string {
  return text
    .slice(0, 256)
    .replace(/[\0-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
