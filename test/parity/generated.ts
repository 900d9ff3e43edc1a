// Generated cases side by side: many small exchanges with one pair of proxies, a test for each handful. A test names
// every case of its handful that differs, with what both did; PARITY_SHOW=1 prints those too.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxMissing } from '../support/proxy.ts'
import { type ParityCase, ProxyPair } from './compare.ts'

/** Milliseconds to wait for a line of access log that is expected and does not come. */
const PATIENCE = 400

/**
 * Declares a test for each `chunk` of `cases`; `http` is as for describeParity. The cases must be the same in every
 * run: generate them with `randomFrom` and a fixed seed.
 */
export function describeGenerated(
  area: string,
  http: string,
  cases: readonly ParityCase[],
  chunk = 25,
): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    const pair = new ProxyPair()
    beforeAll(() => pair.start(http))
    afterAll(() => pair.stop())

    for (let from = 0; from < cases.length; from += chunk) {
      const some = cases.slice(from, from + chunk)
      it(`cases ${from + 1} to ${from + some.length}`, { timeout: 60_000 }, async () => {
        const differing: { name: string; send: ParityCase['send']; [what: string]: unknown }[] = []
        const wanted: typeof differing = []
        for (const parityCase of some) {
          const { name, send } = parityCase
          const { expected, actual } = await pair.run(parityCase, PATIENCE)
          if (process.env.PARITY_SHOW === '1') {
            console.log(`PARITY ${JSON.stringify({ area, name, send, expected, actual })}`)
          }
          if (JSON.stringify(expected) === JSON.stringify(actual)) continue
          differing.push({ name, send, ...actual })
          wanted.push({ name, send, ...expected })
        }
        expect(differing).toEqual(wanted)
      })
    }
  })
}

/** Picks from lists, the same things in every run. */
export interface Random {
  /** A number from 0 to below `limit`. */
  below(limit: number): number
  /** One of `list`. */
  pick<T>(list: readonly T[]): T
  /** From `min` to `max` results of `make`, joined. */
  some(min: number, max: number, make: () => string): string
}

/** A generator of numbers that depend on `seed` alone (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
  return {
    below,
    pick: (list) => list[below(list.length)]!,
    some: (min, max, make) => Array.from({ length: min + below(max - min + 1) }, make).join(''),
  }
}
