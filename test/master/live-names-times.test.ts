// When names that are followed are looked up again, whatever their answers say.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LiveNames } from '../../src/master/live-names.ts'
import { DEFAULT_RESOLVER } from '../../src/shared/names/found.ts'
import type { LiveFound, LiveLookUp } from '../../src/shared/names/live-look-up.ts'

const DAY = 86_400_000

let asked: ((found: LiveFound) => void)[]
let names: LiveNames

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  const lookUp: LiveLookUp = (done) => asked.push(done)
  names = new LiveNames(
    { report: () => {} },
    () => {},
    () => lookUp,
  )
  void names.add([{ name: 'a.test', service: null, resolver: DEFAULT_RESOLVER, once: false }])
})
afterEach(() => {
  names.close()
  vi.useRealTimers()
})

it.each([
  ['nothing', 0, 1000],
  ['what they say', 5000, 5000],
  ['nobody', null, 10_000],
  // Node's timers end at once where they are to run longer than they can.
  ['years', (2 ** 32 - 1) * 1000, DAY],
])('after the TTL of an answer: %s', (_, ttl, pause) => {
  asked[0]!({ addresses: [{ ip: '192.0.2.1', service: null }], ttl })
  vi.advanceTimersByTime(pause - 1)
  expect(asked).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(asked).toHaveLength(2)
})
