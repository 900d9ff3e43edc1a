// Waiting for what no event announces (a line in a log file, a pid file), without a fixed sleep.

import { setTimeout as delay } from 'node:timers/promises'

const LIMIT = 10_000

/** Polls `check` until it gives something other than null, undefined or false; after `limit` ms throws, naming `what`. */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  limit = LIMIT,
): Promise<Exclude<T, null | undefined | false>> {
  const end = Date.now() + limit
  for (;;) {
    const value = await check()
    if (value !== null && value !== undefined && value !== false) {
      return value as Exclude<T, null | undefined | false>
    }
    if (Date.now() > end) throw new Error(`no ${what} within ${limit} ms`)
    await delay(5)
  }
}
