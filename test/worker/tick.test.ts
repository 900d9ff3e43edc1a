import { describe, expect, it, vi } from 'vitest'
import { atTickEnd, beforeTickEnd, now, run } from '../../src/worker/tick.ts'

const nextTurn = () => new Promise((done) => setImmediate(done))

describe('tick', () => {
  it('runs nothing within the turn, then log lines before closes', async () => {
    const order: string[] = []
    atTickEnd(() => order.push('close 1'))
    beforeTickEnd(() => order.push('line 1'))
    atTickEnd(() => order.push('close 2'))
    beforeTickEnd(() => order.push('line 2'))
    await Promise.resolve()
    expect(order).toEqual([])
    await nextTurn()
    expect(order).toEqual(['line 1', 'line 2', 'close 1', 'close 2'])
  })

  it('runs each task once', async () => {
    let count = 0
    atTickEnd(() => count++)
    await nextTurn()
    atTickEnd(() => count++)
    await nextTurn()
    await nextTurn()
    expect(count).toBe(2)
  })

  it('takes tasks that tasks add: of the same kind in the same pass, lines of a close in the next', async () => {
    const order: string[] = []
    beforeTickEnd(() => {
      order.push('line')
      beforeTickEnd(() => order.push('line of a line'))
    })
    atTickEnd(() => {
      order.push('close')
      beforeTickEnd(() => order.push('line of a close'))
      atTickEnd(() => order.push('close of a close'))
    })
    await nextTurn()
    await nextTurn()
    expect(order).toEqual(['line', 'line of a line', 'close', 'close of a close', 'line of a close'])
  })

  it('has one time for a whole turn', async () => {
    await nextTurn()
    vi.useFakeTimers({ toFake: ['Date'], now: 1000 })
    expect(now()).toBe(1000)
    vi.setSystemTime(2000)
    expect(now()).toBe(1000)
    await nextTurn()
    expect(now()).toBe(2000)
    vi.useRealTimers()
    await nextTurn()
  })

  it('run by hand leaves nothing for the end of the turn', async () => {
    const order: string[] = []
    atTickEnd(() => order.push('close'))
    beforeTickEnd(() => order.push('line'))
    run()
    expect(order).toEqual(['line', 'close'])
    await nextTurn()
    expect(order).toEqual(['line', 'close'])
  })
})
