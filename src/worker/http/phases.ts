// The phase engine: server handlers, location choice, location handlers, in the order plan.ts settled.

import { describeFailure } from '../../shared/failure.ts'
import { limitKeepalive } from '../modules/connection.ts'
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

function runServerPhases(r: Request, from: number): void {
  const handlers = r.server.handlers
  for (let index = from; index < handlers.length; index++) {
    const result = call(handlers[index]!, r)
    if (result instanceof Promise) {
      return settle(r, result, (value) => afterServerHandler(r, value) && runServerPhases(r, index + 1))
    }
    if (!afterServerHandler(r, result)) return
  }
  chooseLocation(r)
}

/** Puts the request into a location (the server's level where there is none); may end the keeping of its connection. */
export function enterLocation(r: Request, location: LocationPlan): void {
  r.location = location
  if (r.keepalive) limitKeepalive(r)
}

/** true: go on with the next handler. */
function afterServerHandler(r: Request, result: Result): boolean {
  if (result === DECLINED || result === OK) return true
  if (result !== DONE) finalize(r, result)
  return false
}

function chooseLocation(r: Request): void {
  let found: LocationPlan | AppendSlash | null
  try {
    found = r.server.plan.locations.find(r)
  } catch (error) {
    return finalize(r, failed(r, error))
  }
  if (found instanceof AppendSlash) {
    enterLocation(r, found.plan)
    const query = r.args === '' ? '' : `?${r.args}`
    r.response.location = `${escapeUri(r.uri)}/${query}`
    return finalize(r, 301)
  }
  enterLocation(r, found ?? r.server.plan)
  runLocationPhases(r, 0)
}

function runLocationPhases(r: Request, from: number): void {
  const { handlers, beforeContent } = r.location
  for (let index = from; index < handlers.length; index++) {
    const result = call(handlers[index]!, r)
    const content = index >= beforeContent
    if (result instanceof Promise) {
      return settle(r, result, (value) => afterHandler(r, value, content) && runLocationPhases(r, index + 1))
    }
    if (!afterHandler(r, result, content)) return
  }
  // No handler made content.
  if (r.conf(coreHttp).logNotFound) r.log('error', 'no handler found')
  finalize(r, r.uri.endsWith('/') ? 403 : 404)
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
