// Coarse timers, on vitest's clock: a timer fires between its duration and two sweeps after it.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Timer as TimerType } from '../../src/worker/timer.ts'

const SWEEP = 100

let Timer: typeof TimerType
let fired: string[]

const named = (name: string) => new Timer(() => fired.push(name))

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'performance'] })
  vi.resetModules()
  ;({ Timer } = await import('../../src/worker/timer.ts'))
  fired = []
})
afterEach(() => vi.useRealTimers())

/** Goes on to `moment`, milliseconds since the start. */
let at = 0
beforeEach(() => {
  at = 0
})
function goTo(moment: number): void {
  vi.advanceTimersByTime(moment - at)
  at = moment
}

describe('Timer', () => {
  it('fires once, not before its duration, and at most two sweeps after it', () => {
    named('a').start(1000)
    goTo(999)
    expect(fired).toEqual([])
    goTo(1000 + 2 * SWEEP)
    expect(fired).toEqual(['a'])
    goTo(10_000)
    expect(fired).toEqual(['a'])
  })

  it('with a duration of 0 fires within two sweeps', () => {
    named('a').start(0)
    expect(fired).toEqual([])
    goTo(2 * SWEEP)
    expect(fired).toEqual(['a'])
  })

  it('started in a turn older than the last sweep fires at the next one', async () => {
    // The turn does not end here.
    vi.useRealTimers()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    vi.resetModules()
    ;({ Timer } = await import('../../src/worker/timer.ts'))
    goTo(50)
    named('first').start(60_000)
    goTo(250)
    named('late').start(0)
    goTo(250 + 2 * SWEEP)
    expect(fired).toEqual(['late'])
  })

  it('started again fires by its new deadline only', () => {
    const timer = named('a')
    timer.start(1000)
    goTo(800)
    timer.start(1000)
    goTo(1799)
    expect(fired).toEqual([])
    goTo(1800 + 2 * SWEEP)
    expect(fired).toEqual(['a'])
  })

  it('started again is not held up by timers that were started later', () => {
    const early = named('early')
    const late = named('late')
    early.start(60_000)
    goTo(1000)
    early.start(60_000)
    goTo(60_000)
    late.start(60_000)
    goTo(61_000 + 2 * SWEEP)
    expect(fired).toEqual(['early'])
    goTo(120_000 + 2 * SWEEP)
    expect(fired).toEqual(['early', 'late'])
  })

  it('started with a shorter duration fires after that', () => {
    const timer = named('a')
    timer.start(60_000)
    timer.start(1000)
    goTo(1000 + 2 * SWEEP)
    expect(fired).toEqual(['a'])
    goTo(70_000)
    expect(fired).toEqual(['a'])
  })

  it('started with a longer duration does not fire after the shorter one', () => {
    const timer = named('a')
    timer.start(1000)
    timer.start(5000)
    goTo(4999)
    expect(fired).toEqual([])
    goTo(5000 + 2 * SWEEP)
    expect(fired).toEqual(['a'])
  })

  it('stopped does not fire until it is started again', () => {
    const timer = named('a')
    timer.start(1000)
    timer.stop()
    goTo(5000)
    expect(fired).toEqual([])
    timer.start(1000)
    goTo(6000 + 2 * SWEEP)
    expect(fired).toEqual(['a'])
  })

  it('disposed does not fire, nor disturb its neighbours', () => {
    const [first, second, third] = [named('first'), named('second'), named('third')]
    for (const timer of [first, second, third]) timer.start(1000)
    second.dispose()
    goTo(2000)
    expect(fired).toEqual(['first', 'third'])
  })

  it('may start, stop and dispose timers when it fires', () => {
    const other = named('other')
    const again: TimerType = new Timer(() => {
      fired.push('again')
      other.dispose()
      if (fired.length < 3) again.start(1000)
    })
    again.start(1000)
    other.start(1000)
    goTo(10_000)
    expect(fired).toEqual(['again', 'again', 'again'])
  })

  it('of any durations, restarted at any time, fires when it should', () => {
    let seed = 1
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below
    const durations = [0, 100, 150, 1000, 5000, 60_000]
    const due = new Map<number, number>()
    const timers = Array.from({ length: 200 }, (_, index) => {
      const timer = new Timer(() => {
        const deadline = due.get(index)
        expect(deadline, `timer ${index} was not running`).toBeDefined()
        const now = performance.now() - zero
        expect(now).toBeGreaterThanOrEqual(deadline!)
        expect(now).toBeLessThanOrEqual(deadline! + 2 * SWEEP)
        due.delete(index)
      })
      return timer
    })
    const zero = performance.now()
    for (let step = 0; step < 4000; step++) {
      const index = random(timers.length)
      if (random(8) === 0) {
        timers[index]!.stop()
        due.delete(index)
      } else {
        const duration = durations[random(durations.length)]!
        timers[index]!.start(duration)
        due.set(index, at + duration)
      }
      goTo(at + random(120))
    }
    goTo(at + 60_000 + 2 * SWEEP)
    expect(due.size).toBe(0)
  })
})
