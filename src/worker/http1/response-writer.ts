// One HTTP/1 response on its way out: the head as text, then content framed by length, by chunks, or by the end of the
// connection (RFC 9112 section 6). The head waits for the first content, so that both leave in one piece.

import { httpDate } from '../../shared/clock.ts'
import { flat } from '../../shared/latin1.ts'
import type { BodySink } from '../http/body.ts'
import type { Fields } from '../http/fields.ts'
import type { Request } from '../http/request.ts'
import type { Response } from '../http/response.ts'
import { serverSignature, statusText } from '../http/special-response.ts'
import { clientConnection } from '../modules/connection.ts'
import { absoluteLocation } from '../modules/redirects.ts'
import { now } from '../tick.ts'
import type { Transport } from '../transport/transport.ts'

type Framing = 'none' | 'length' | 'chunked' | 'close'

/** Told what becomes of the response. */
export interface WriterOwner {
  /** `send` found the client slow (false) or not. */
  sent(more: boolean): void
}

export class ResponseWriter implements BodySink {
  readonly #transport: Transport
  readonly #owner: WriterOwner
  #framing: Framing = 'none'
  /** The head, until it is sent. */
  #head = ''
  /** The request whose response has trailers. */
  #trailersOf: Request | null = null
  #done = false
  bytesSent = 0
  bodyBytesSent = 0

  constructor(transport: Transport, owner: WriterOwner) {
    this.#transport = transport
    this.#owner = owner
  }

  /** Everything has been handed to the transport. */
  get done(): boolean {
    return this.#done
  }

  /** The content that was begun has no other end than the connection's. */
  get endsWithConnection(): boolean {
    return this.#framing === 'close'
  }

  /** Takes the head of `r.response` and settles the framing; may find that the connection cannot be kept. */
  begin(r: Request): void {
    const framing = (this.#framing = chooseFraming(r))
    if (framing === 'close') r.keepalive = false
    else if (framing === 'chunked') r.response.chunked = true
    if (r.response.trailers !== null || r.response.passesTrailers) this.#expectTrailers(r)
    this.#head = headText(r, framing === 'chunked')
  }

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#done) return true
    if (start === end) {
      // A chunk of no bytes would be the last one.
      if (last) this.end(null)
      return true
    }
    if (last) this.#done = true
    if (this.#framing === 'none') {
      if (last) this.flush()
      return true
    }
    const head = this.#head
    this.#head = ''
    this.bodyBytesSent += end - start
    if (this.#framing !== 'chunked') {
      if (last) this.#takeTrailers()
      return this.#send(head, bytes, start, end, '')
    }
    const size = `${(end - start).toString(16)}\r\n`
    return this.#send(head + size, bytes, start, end, last ? `\r\n${this.#lastChunk()}` : '\r\n')
  }

  flush(): void {
    if (this.#head === '') return
    const head = this.#head
    this.#head = ''
    this.#send(head, null, 0, 0, '')
  }

  end(_trailers: Fields | null): void {
    if (this.#done) return
    this.#done = true
    const head = this.#head
    this.#head = ''
    const tail = this.#lastChunk()
    if (head !== '' || tail !== '') this.#send(head + tail, null, 0, 0, '')
  }

  #expectTrailers(r: Request): void {
    const { headerOnly, statusLine } = r.response
    if (headerOnly && (statusLine === '' || r.client.method === 'HEAD')) return
    this.#trailersOf = r
    if (this.#framing === 'chunked') r.response.contentLength = -1
  }

  /** RFC 9112 section 7.1: the chunk of no bytes, the trailer section, an empty line; '' for content without chunks. */
  #lastChunk(): string {
    const trailers = this.#takeTrailers()
    return this.#framing === 'chunked' ? `0\r\n${trailers}\r\n` : ''
  }

  /** As nginx, trailers are made for `$sent_trailer_*` even where the client cannot get them. */
  #takeTrailers(): string {
    const r = this.#trailersOf
    if (r === null) return ''
    this.#trailersOf = null
    const { response } = r
    if (response.trailers !== null) response.trailerLines += response.trailers(r)
    return response.trailerLines
  }

  /** Bytes that went to the client by another way: those of a tunnel, or in front of the head. */
  count(bytes: number): void {
    this.bytesSent += bytes
    this.bodyBytesSent += bytes
  }

  abort(): void {
    this.flush()
    this.#done = true
  }

  #send(prefix: string, bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    this.bytesSent += prefix.length + (end - start) + suffix.length
    const more = this.#transport.send(prefix, bytes, start, end, suffix)
    this.#owner.sent(more)
    return more
  }
}

function chooseFraming(r: Request): Framing {
  const { response } = r
  if (response.headerOnly) return 'none'
  if (response.contentLength >= 0 && (response.trailers === null || r.client.minor === 0)) return 'length'
  return r.client.minor >= 1 ? 'chunked' : 'close'
}

/** The head in nginx's order of fields. */
function headText(r: Request, chunked: boolean): string {
  const { response } = r
  const { status, statusLine } = response
  let head: string
  const own = response.ownServer && response.ownDate
  if (own && status === 200 && (statusLine === '' || statusLine === '200 OK')) {
    head = firstLines(serverSignature(r))
  } else {
    head = `HTTP/1.1 ${statusLine !== '' ? statusLine : statusText(status)}\r\n`
    if (response.ownServer) head += serverLine(serverSignature(r))
    if (response.ownDate) head += `Date: ${httpDate(now())}\r\n`
  }
  if (status === 204 && statusLine === '') forgetContent(response)
  if (response.contentType) head += `Content-Type: ${response.contentType}\r\n`
  if (response.contentLength >= 0) head += `Content-Length: ${response.contentLength}\r\n`
  if (response.lastModified !== null) head += `Last-Modified: ${response.lastModified}\r\n`
  const { location } = response
  const url = location?.startsWith('/') ? absoluteLocation(r, location) : null
  if (url !== null) head += `Location: ${(response.location = url)}\r\n`
  if (chunked) head += 'Transfer-Encoding: chunked\r\n'
  head += connectionLines(r)
  if (response.varies) head += 'Vary: Accept-Encoding\r\n'
  if (location !== null && url === null) head += `Location: ${location}\r\n`
  return `${head}${response.lines}\r\n`
}

/** For a 204 of weir's own; as with nginx, a backend's keeps what it says of content. */
function forgetContent(response: Response): void {
  response.contentType = null
  response.contentLength = -1
  response.lastModified = null
}

/** What every 200 of one second begins with, by signature. */
const beginnings = new Map<string, string>()
let beginningsOf = 0

function firstLines(signature: string): string {
  const second = Math.floor(now() / 1000)
  if (second !== beginningsOf) {
    beginnings.clear()
    beginningsOf = second
  }
  let lines = beginnings.get(signature)
  if (lines === undefined) {
    lines = flat(`HTTP/1.1 200 OK\r\n${serverLine(signature)}Date: ${httpDate(now())}\r\n`)
    beginnings.set(signature, lines)
  }
  return lines
}

function serverLine(signature: string): string {
  return signature === '' ? '' : `Server: ${signature}\r\n`
}

function connectionLines(r: Request): string {
  if (r.response.status === 101) return 'Connection: upgrade\r\n'
  if (!r.keepalive) return 'Connection: close\r\n'
  const { header } = r.conf(clientConnection).keepaliveTimeout
  return header > 0
    ? `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(header / 1000)}\r\n`
    : 'Connection: keep-alive\r\n'
}
