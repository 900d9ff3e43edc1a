// The phase engine: server handlers, location choice, rewriting, location handlers, in the order plan.ts settled; and
// the redirects within it, which send a request through a part of that again.

import { describeFailure } from '../../shared/failure.ts'
import { refusesBody } from '../body/limit.ts'
import { limitKeepalive } from '../modules/connection.ts'
import { mapUri } from '../modules/content/static/path.ts'
import { coreHttp } from '../modules/core.ts'
import { finalize } from './finalize.ts'
import { AppendSlash } from './locations.ts'
import { DECLINED, DONE, type Handler, OK, type Result } from './module.ts'
import type { LocationPlan } from './plan.ts'
import { RegexLimitError } from './regex.ts'
import type { Request } from './request.ts'
import { escapeUri } from './uri.ts'

/** Runs a request from its beginning; ends it unless a handler takes it over. */
export function runRequest(r: Request): void {
  runServerPhases(r, 0)
}

/** Sends the request to another URI of its server, as if it had come for that one; it ends by itself. No args: null. */
export function internalRedirect(r: Request, uri: string, args: string | null): void {
  if (mayChange(r, `internally redirecting to "${uri}"`)) runInternal(r, uri, args)
}

/** Runs the request as one for `uri` that did not come from a client. */
export function runInternal(r: Request, uri: string, args: string | null): void {
  startOver(r)
  r.doing = ''
  r.uri = uri
  r.args = args ?? ''
  r.redirectedWithoutArgs = args === null
  r.targetValid = false
  r.locationValid = true
  r.uriBehindAlias = false
  enterLocation(r, r.server.plan)
  runServerPhases(r, r.server.afterRead)
}

/** Sends the request to the location called `name` (with its `@`), its URI unchanged; it ends by itself. */
export function namedRedirect(r: Request, name: string): void {
  if (!mayChange(r, `redirect to named location "${name}"`)) return
  if (r.uri === '') {
    r.log('error', `empty URI in redirect to named location "${name}"`)
    return finalize(r, 500)
  }
  const location = r.server.plan.locations.named(name)
  if (location === null) {
    r.log('error', `could not find named location "${name}"`)
    return finalize(r, 500)
  }
  startOver(r)
  r.uriChanged = false
  enterLocation(r, location)
  runRewrite(r, 0)
}

/** What the request has been through so far no longer counts. */
function startOver(r: Request): void {
  r.internal = true
  r.contentHandler = null
  r.source?.stop()
  r.source = null
  r.upstream?.settle()
}

/** Counts one change of the URI; false: it was one too many, and has ended the request. */
function mayChange(r: Request, doing: string): boolean {
  if (--r.uriChanges > 0) return true
  r.log('error', `rewrite or internal redirection cycle while ${doing}`)
  finalize(r, 500)
  return false
}

function runServerPhases(r: Request, from: number): void {
  const handlers = r.server.handlers
  for (let index = from; index < handlers.length; index++) {
    const result = call(handlers[index]!, r)
    if (result instanceof Promise) {
      return settle(r, result, (value) => goesOn(r, value) && runServerPhases(r, index + 1))
    }
    if (!goesOn(r, result)) return
  }
  chooseLocation(r)
}

/**
 * Puts the request into a location (the server's level where there is none), or into its `limit_except` where that is
 * for the method; may end the keeping of its connection.
 */
export function enterLocation(r: Request, location: LocationPlan): void {
  r.location = location
  const { contentHandler, limitExcept } = location
  if (contentHandler !== null) r.contentHandler = contentHandler
  if (limitExcept !== null && !limitExcept.methods.has(r.method)) enterLocation(r, limitExcept.plan)
  else if (r.keepalive) limitKeepalive(r)
}

/** true: go on with the next handler. */
function goesOn(r: Request, result: Result): boolean {
  if (result === DECLINED || result === OK) return true
  if (result !== DONE) finalize(r, result)
  return false
}

function chooseLocation(r: Request): void {
  r.uriChanged = false
  r.contentHandler = null
  let found: LocationPlan | AppendSlash | null
  try {
    found = r.server.plan.locations.find(r)
  } catch (error) {
    return finalize(r, failed(r, error))
  }
  if (found instanceof AppendSlash) {
    if (isHidden(r, found.plan)) return
    enterLocation(r, found.plan)
    if (r.main.client.hasBody && isTooLarge(r, found.plan)) return
    const query = r.args === '' ? '' : `?${r.args}`
    r.response.location = `${escapeUri(r.uri)}/${query}`
    return finalize(r, 301)
  }
  const location = found ?? r.server.plan
  if (isHidden(r, location)) return
  enterLocation(r, location)
  if (r.main.client.hasBody && isTooLarge(r, location)) return
  // The rewrite phase of a server without a location has been the server's.
  if (found === null) runLocationPhases(r, 0)
  else runRewrite(r, 0)
}

/** Refuses requests of clients for `internal` locations; as in nginx their own `error_page` answers. */
function isHidden(r: Request, location: LocationPlan): boolean {
  if (!location.internal || r.internal) return false
  r.location = location
  finalize(r, 404)
  return true
}

/** Refuses a body that is known to be larger than `location` takes, before it is read. */
function isTooLarge(r: Request, location: LocationPlan): boolean {
  if (!refusesBody(r, location)) return false
  r.stream.leaveUnasked()
  r.stream.discardBody(r)
  finalize(r, 413)
  return true
}

function runRewrite(r: Request, from: number): void {
  // An `if` may change the location on the way: its handlers are of later phases.
  const { rewrite } = r.location
  for (let index = from; index < rewrite.length; index++) {
    const result = call(rewrite[index]!, r)
    if (result instanceof Promise) {
      return settle(r, result, (value) => goesOn(r, value) && runRewrite(r, index + 1))
    }
    if (!goesOn(r, result)) return
  }
  if (!r.uriChanged) return runLocationPhases(r, 0)
  if (!mayChange(r, `processing "${r.uri}"`)) return
  r.location = r.server.plan
  chooseLocation(r)
}

function runLocationPhases(r: Request, from: number): void {
  const { handlers, beforeContent } = r.location
  const end = r.contentHandler === null ? handlers.length : beforeContent
  for (let index = from; index < end; index++) {
    const result = call(handlers[index]!, r)
    const content = index >= beforeContent
    if (result instanceof Promise) {
      return settle(r, result, (value) => afterHandler(r, value, content) && runLocationPhases(r, index + 1))
    }
    if (!afterHandler(r, result, content)) return
  }
  if (r.contentHandler !== null) return makeContent(r, r.contentHandler)
  // No handler made content.
  if (r.uri.endsWith('/')) {
    const path = mapUri(r)
    if (path !== null) r.log('error', `directory index of "${path}" is forbidden`)
    return finalize(r, 403)
  }
  if (r.conf(coreHttp).logNotFound) r.log('error', 'no handler found')
  finalize(r, 404)
}

/** Has `handler` make the content, and ends the request by what it says. */
export function makeContent(r: Request, handler: Handler): void {
  const result = call(handler, r)
  if (result instanceof Promise) settle(r, result, (value) => finalize(r, value))
  else finalize(r, result)
}

function afterHandler(r: Request, result: Result, content: boolean): boolean {
  if (result === DECLINED || (result === OK && !content)) return true
  if (result !== DONE) finalize(r, result)
  return false
}

/** A handler that throws is a bug of ours: the request ends with 500, the worker lives on. */
function call(handler: Handler, r: Request): Result | Promise<Result> {
  try {
    return handler(r)
  } catch (error) {
    return failed(r, error)
  }
}

function settle(r: Request, promise: Promise<Result>, next: (value: Result) => void): void {
  promise.then(
    (value) => r.ended || next(value),
    (error) => r.ended || next(failed(r, error)),
  )
}

function failed(r: Request, error: unknown): Result {
  if (error instanceof RegexLimitError) {
    r.log('alert', error.message)
    return 500
  }
  r.log('alert', `handler failed: ${describeFailure(error)}`)
  return 500
}
