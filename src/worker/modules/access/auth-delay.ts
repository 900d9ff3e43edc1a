// `auth_delay`: a refusal for want of credentials waits, so that guessing passwords takes long.

import { CLIENT_CLOSED_REQUEST, finalize } from '../../http/finalize.ts'
import type { Handler, Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { Timer } from '../../timer.ts'

const UNAUTHORIZED = 401

/** `handler`, with each 401 it gives coming `delay` milliseconds later. */
export function delayRefusals(handler: Handler, delay: number): Handler {
  return (r) => {
    const result = handler(r)
    if (result instanceof Promise) return result.then((value) => delayed(r, value, delay))
    return delayed(r, result, delay)
  }
}

function delayed(r: Request, result: Result, delay: number): Result | Promise<Result> {
  if (result !== UNAUTHORIZED || r.ended) return result
  r.log('info', 'delaying unauthorized request')
  return new Promise((settle) => {
    const timer = new Timer(() => {
      r.source = null
      settle(result)
    })
    r.source = {
      resume() {},
      clientGone: () => finalize(r, CLIENT_CLOSED_REQUEST),
      stop: () => timer.dispose(),
    }
    timer.start(delay)
  })
}
