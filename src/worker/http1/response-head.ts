// The head of an HTTP/1 response from a backend: status line (RFC 9112 section 4), fields and framing (section 6.3).
// As strict as with clients: a head that contradicts itself is no response.

import { type Fields, hashName } from '../http/fields.ts'
import { HeadParser, INCOMPLETE, isFieldText } from './head-parser.ts'
import { decimal } from './request-head.ts'

const CONNECTION = hashName('connection')
const CONTENT_LENGTH = hashName('content-length')
const TRANSFER_ENCODING = hashName('transfer-encoding')
/** What every head begins with. */
const VERSION = 'HTTP/1.'
const NO_HEADER = 'upstream sent no valid HTTP/1.0 header'

export class ResponseHead extends HeadParser {
  status = 0
  /** Status code and reason phrase, as received. */
  statusLine = ''
  minor = 1
  /** -1 without Content-Length. */
  contentLength = -1
  chunked = false
  keepAlive = false
  /** In nginx's words, when `read` has returned -1. */
  refusal = ''

  override reset(): void {
    super.reset()
    this.status = 0
    this.statusLine = ''
    this.contentLength = -1
    this.chunked = false
    this.keepAlive = false
    this.refusal = ''
  }

  /** As HeadParser.parse; -1 leaves `refusal` set. */
  read(text: string): number {
    const end = this.parse(text)
    // What begins as no head does is not waited for: nobody knows whether there is going to be an end of it.
    if (end <= 0 && !text.startsWith(VERSION) && !VERSION.startsWith(text)) this.refusal = NO_HEADER
    else if (end === INCOMPLETE) return INCOMPLETE
    else if (end < 0) this.refusal = this.#headRefusal()
    else this.refusal = this.#interpret()
    return this.refusal === '' ? end : -1
  }

  protected override startLine(text: string, start: number, end: number): boolean {
    if (end - start < 12 || !text.startsWith(VERSION, start)) return false
    this.minor = text.charCodeAt(start + 7) - 48
    if (this.minor < 0 || this.minor > 9 || text.charCodeAt(start + 8) !== 32) return false
    this.status = decimal(text.slice(start + 9, start + 12))
    if (this.status < 100) return false
    // A dot begins a sub-status, as some servers send it: `404.1 Not Found`.
    const next = text.charCodeAt(start + 12)
    if (end > start + 12 && next !== 32 && next !== 46) return false
    this.statusLine = text.slice(start + 9, end)
    return isFieldText(text, start + 12, end)
  }

  #headRefusal(): string {
    if (this.error === 'start line') return NO_HEADER
    if (this.error === 'too many fields') return 'upstream sent too many header lines'
    if (this.error === 'field') return `upstream sent invalid header: "${this.broken}"`
    return 'upstream sent invalid header'
  }

  #interpret(): string {
    const fields = this.fields
    let length = -1
    let coding = -1
    let keepAlive = this.minor >= 1
    for (let index = 0; index < fields.count; index++) {
      const hash = fields.hash(index)
      if (hash === CONTENT_LENGTH && fields.is(index, 'content-length')) {
        if (length >= 0) return duplicate(fields, index, length)
        if (coding >= 0) return CONTRADICTION
        length = index
        this.contentLength = decimal(fields.value(index))
        if (this.contentLength < 0) {
          return `upstream sent invalid "Content-Length" header: "${fieldOf(fields, index)}"`
        }
      } else if (hash === TRANSFER_ENCODING && fields.is(index, 'transfer-encoding')) {
        if (coding >= 0) return duplicate(fields, index, coding)
        if (length >= 0) return CONTRADICTION
        coding = index
        if (fields.value(index).toLowerCase() !== 'chunked') {
          return `upstream sent unknown "Transfer-Encoding": "${fields.value(index)}"`
        }
      } else if (hash === CONNECTION && fields.is(index, 'connection')) {
        keepAlive = wantsKeepAlive(fields.value(index), keepAlive)
      }
    }
    this.chunked = coding >= 0
    this.keepAlive = keepAlive
    return ''
  }
}

/** As nginx, which looks for the words anywhere in the value. */
function wantsKeepAlive(value: string, otherwise: boolean): boolean {
  if (value === 'keep-alive') return true
  const words = value.toLowerCase()
  if (words.includes('close')) return false
  return otherwise || words.includes('keep-alive')
}

const CONTRADICTION = 'upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time'

function duplicate(fields: Fields, index: number, first: number): string {
  return (
    `upstream sent duplicate header line: "${fieldOf(fields, index)}", ` +
    `previous value: "${fieldOf(fields, first)}"`
  )
}

function fieldOf(fields: Fields, index: number): string {
  return `${fields.name(index)}: ${fields.value(index)}`
}
