import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { SharedLock } from '../../src/shared/shared-lock.ts'

const LOCK = new URL('../../src/shared/shared-lock.ts', import.meta.url).href

/** Adds to a number without Atomics, `rounds` times under the lock. */
const ADDER = `
  const { workerData } = require('node:worker_threads')
  import(${JSON.stringify(LOCK)}).then(({ SharedLock }) => {
    const words = new Int32Array(workerData.memory)
    const lock = new SharedLock(words, 0, workerData.owner, 3)
    for (let round = 0; round < workerData.rounds; round++) {
      lock.lock()
      const before = words[1]
      for (let spin = round % 50; spin > 0; spin--) words[2] = spin
      words[1] = before + 1
      lock.unlock()
    }
  })`

const runAdder = (memory: SharedArrayBuffer, owner: number, rounds: number) =>
  new Promise<void>((resolve, reject) => {
    const worker = new Worker(ADDER, { eval: true, workerData: { memory, owner, rounds } })
    worker.once('error', reject)
    worker.once('exit', () => resolve())
  })

describe('SharedLock', () => {
  it('lets one of several threads in at a time', async () => {
    const memory = new SharedArrayBuffer(16)
    await Promise.all([1, 2, 3, 4].map((owner) => runAdder(memory, owner, 20_000)))
    expect([...new Int32Array(memory, 0, 2)]).toEqual([0, 80_000])
  })

  it('held by a thread that died is released by its number, and only by it', async () => {
    const memory = new SharedArrayBuffer(16)
    const words = new Int32Array(memory)
    new SharedLock(words, 0, 7).lock()
    const waiting = runAdder(memory, 2, 1)
    const master = new SharedLock(words, 0, 9, 3)
    // A sleeper shows in the word.
    while ((Atomics.load(words, 0) & 1) === 0) await new Promise(setImmediate)
    master.releaseOf(8)
    expect(Atomics.load(words, 0) >> 1).toBe(7)
    master.releaseOf(7)
    await waiting
    expect([...words.subarray(0, 2)]).toEqual([0, 1])
  })

  it('held by a thread that died, of which nobody knows, goes to who waits', () => {
    const words = new Int32Array(new SharedArrayBuffer(16))
    new SharedLock(words, 0, 7, 3).lock()
    const other = new SharedLock(words, 0, 8, 3)
    other.lock()
    expect([other.heldBy(8), words[3]]).toEqual([true, 2])
    other.unlock()
    expect(words[0]).toBe(0)
  })
})
