// The head of an HTTP/2 response as a header block, its fields in nginx's order. Nothing in it refers to a table that
// changes: what stays the same for a second, or from response to response, is made once for all connections.

import { httpDate } from '../../shared/clock.ts'
import { flat } from '../../shared/latin1.ts'
import type { Request } from '../http/request.ts'
import { serverSignature } from '../http/special-response.ts'
import { absoluteLocation } from '../modules/redirects.ts'
import { now } from '../tick.ts'
import { field, linesBlock, statusField } from './hpack/literals.ts'
import { Remembered } from './hpack/remembered.ts'

/** What every 200 of one second begins with, by signature. */
const beginnings = new Map<string, string>()
let beginningsOf = 0
let date = ''

/** Starts another second where one has begun. */
function keepTime(): void {
  const second = Math.floor(now() / 1000)
  if (second === beginningsOf) return
  beginningsOf = second
  beginnings.clear()
  date = flat(field('date', httpDate(now())))
}

function beginningOf200(signature: string): string {
  let block = beginnings.get(signature)
  if (block === undefined) {
    block = flat(statusField(200) + serverField(signature) + date)
    beginnings.set(signature, block)
  }
  return block
}

function serverField(signature: string): string {
  return signature === '' ? '' : field('server', signature)
}

const VARY = field('vary', 'Accept-Encoding')

/** The header block of `r.response`. */
export function headBlock(r: Request): string {
  const { response } = r
  const { status, statusLine } = response
  keepTime()
  let block: string
  if (status === 200 && response.ownServer && response.ownDate) block = beginningOf200(serverSignature(r))
  else {
    block = statusField(status)
    if (response.ownServer) block += serverField(serverSignature(r))
    if (response.ownDate) block += date
  }
  if (status === 204 && statusLine === '') {
    // Of weir's own; as with nginx, a backend's keeps what it says of content.
    response.contentType = null
    response.contentLength = -1
    response.lastModified = null
  }
  if (response.contentType) block += linesBlock(`Content-Type: ${response.contentType}\r\n`)
  if (response.contentLength >= 0) block += field('content-length', String(response.contentLength))
  if (response.lastModified !== null) block += linesBlock(`Last-Modified: ${response.lastModified}\r\n`)
  const { location } = response
  if (location !== null) {
    if (location.startsWith('/')) response.location = absoluteLocation(r, location) ?? location
    block += field('location', response.location ?? location)
  }
  if (response.varies) block += VARY
  return response.lines === '' ? block : block + otherFields.get(response.lines)
}

/** Fields about a connection of HTTP/1, which say nothing of this one (RFC 9113 section 8.2.2). */
const ABOUT_CONNECTION = /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade):.*\r\n/gim

/** Fields that stand as lines. */
const otherFields = new Remembered((lines) => linesBlock(lines.replace(ABOUT_CONNECTION, '')), 512, 1024)
