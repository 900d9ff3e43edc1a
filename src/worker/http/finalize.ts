// The only end of a request, and the ways a response begins.

import { coreHttp } from '../modules/core.ts'
import { serveErrorPage } from '../modules/error-page.ts'
import { limitContent } from '../modules/filter/limit-rate.ts'
import { DECLINED, DONE, OK, type Result } from './module.ts'
import type { Request } from './request.ts'
import { closesConnection, specialResponse } from './special-response.ts'

/** Close the connection without an answer; logged as it is. */
export const CLOSE = 444
/** The client went away before it had its answer. */
export const CLIENT_CLOSED_REQUEST = 499

const SILENT = new Set([408, CLOSE, CLIENT_CLOSED_REQUEST])

/** Whether `status` is only logged: the connection is closed without an answer. */
export function isSilent(status: number): boolean {
  return SILENT.has(status)
}

/**
 * Runs the header filters and hands the head to the protocol. false: a filter has refused the response, another one is
 * made in its place, and the caller has nothing more to do with the request.
 */
export function sendHead(r: Request): boolean {
  const { response } = r
  if (r.errorStatus !== 0) {
    response.status = r.errorStatus
    response.statusLine = ''
  }
  const { status } = response
  response.headerOnly = r.client.isHead || status === 101 || status === 204 || status === 304
  r.headSent = true
  // Whoever made a subrequest looks at its head, as it is; no content is made for nobody.
  if (r.parent !== null) response.headerOnly = true
  else {
    for (const filter of r.location.filters) {
      filter(r)
      if (response.refusal !== 0) return refuse(r)
    }
  }
  r.stream.sendHead(r)
  if (r.limitRate > 0 && !response.headerOnly) limitContent(r)
  return true
}

/** As in nginx, fields that filters have added go with a 416. */
function refuse(r: Request): false {
  const { response } = r
  const { refusal } = response
  const lines = refusal === 416 ? response.lines : ''
  response.clear()
  response.lines = lines
  r.headSent = false
  finalize(r, refusal)
  return false
}

/** Sends `text` (latin1) as the whole content of the response whose head is set already; false: as `sendHead`. */
export function sendContent(r: Request, text: string): boolean {
  r.response.contentLength = text.length
  if (!sendHead(r)) return false
  if (r.response.headerOnly || text === '') r.out.end(null)
  else {
    const bytes = Buffer.from(text, 'latin1')
    r.out.write(bytes, 0, bytes.length, true)
  }
  return true
}

/**
 * Ends the request: with OK when its response is complete, with a status for which `error_page` answers, or a response
 * is made here, unless one has begun.
 */
export function finalize(r: Request, result: Result): void {
  if (r.ended || result === DONE) return
  if (result === OK || result === DECLINED) return end(r)
  // A response that has begun cannot be taken back: the client learns from the missing end.
  if (r.headSent || SILENT.has(result)) {
    // As in nginx a response cut short by its backend is complete, one that the client gave up is not.
    r.complete = !SILENT.has(result)
    return abandon(r, result)
  }
  if (closesConnection(result)) r.keepalive = false
  if (serveErrorPage(r, result)) return
  respond(r, result)
}

/** Answers with weir's own response for `status`, whatever `error_page` says, and ends the request. */
export function respond(r: Request, status: number): void {
  r.errorStatus = 0
  r.stream.leaveUnasked()
  // Where a backend was to have it, nginx would have read it first.
  if (!r.stream.discardBody(r) && r.upstream !== null) return finalize(r, 400)
  const content = specialResponse(r, status)
  if (content === null) {
    r.response.contentLength = status === 204 || status === 304 ? -1 : 0
    sendHead(r)
    r.out.end(null)
  } else {
    sendContent(r, content)
  }
  end(r)
}

/** Ends the request and closes its connection without a (whole) answer; `status` is logged if there was none. */
export function abandon(r: Request, status: number): void {
  if (r.response.status === 0 || r.stream.bytesSent === 0) r.response.status = status
  r.keepalive = false
  close(r)
  r.stream.terminate(r)
}

/** Ends a request that never came to be answered: logged with `status`; its connection is the caller's to close. */
export function logUnanswered(r: Request, status: number): void {
  r.response.status = status
  close(r)
}

/** The client is gone and `r` goes on without it: what is sent waits for nobody, nor for its rate. */
export function goOnAlone(r: Request): void {
  r.limitRate = 0
  const producer = r.holding ?? r.source
  producer?.resume()
}

function end(r: Request): void {
  if (r.holding?.finishes()) return
  r.complete = true
  close(r)
  r.stream.finish(r)
}

/** The log phase: the same for every end. */
function close(r: Request): void {
  r.ended = true
  r.source?.stop()
  r.source = null
  r.holding?.stop()
  if (r.parent === null) r.doing = 'logging request'
  else if (!r.conf(coreHttp).logSubrequest) return
  for (const log of r.location.log) log(r)
  r.body?.release()
}
