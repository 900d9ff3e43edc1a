// Whose task the pool begins next.

import { expect, it } from 'vitest'
import { Turns } from '../../../src/worker/pool/turns.ts'

/** One place, and what was begun in it, in order; `end` ends what runs. */
function place(mostWaiting = 100) {
  const turns = new Turns(1, mostWaiting)
  const begun: string[] = []
  let end = (): void => {}
  const take = (name: string) =>
    turns.take(name[0]!, () => {
      begun.push(name)
      return new Promise<void>((resolve) => (end = resolve))
    })
  const runAll = async (): Promise<string[]> => {
    for (let count = -1; count < begun.length; ) {
      count = begun.length
      end()
      await new Promise(setImmediate)
    }
    return begun
  }
  return { take, runAll }
}

it('askers take turns, however many tasks one has', async () => {
  const { take, runAll } = place()
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) take(name)
  expect(await runAll()).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})

it('a task that is given up is not begun, one that has been is not given up', async () => {
  const { take, runAll } = place()
  const [running, waiting] = [take('a1'), take('a2'), take('b1')]
  expect([running?.(), waiting?.(), waiting?.()]).toEqual([false, true, false])
  expect(await runAll()).toEqual(['a1', 'b1'])
})

it('more than may wait are refused, until some are given up', () => {
  const { take } = place(2)
  take('a1')
  const waiting = take('a2')
  take('b1')
  expect(take('c1')).toBeNull()
  waiting!()
  expect(take('c1')).not.toBeNull()
})
