import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { SessionZone } from '../../src/shared/session-zone.ts'
import { SharedLock } from '../../src/shared/shared-lock.ts'

const NOW = 1e9
const TIMEOUT = 1000
const SMALL = 1024

const memory = (bytes = 32_768) => new SharedArrayBuffer(bytes)
const zoneOf = (shared = memory(), worker = 0) => new SessionZone(shared, worker, TIMEOUT)
const names = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `s${from + index}`)

describe('a session zone', () => {
  it('tells every worker which server a session belongs to', () => {
    const shared = memory()
    const [first, second] = [zoneOf(shared, 0), zoneOf(shared, 1)]
    expect(first.store('one', 'a'.repeat(32), NOW, true)).toBe('stored')
    expect(first.store('two', 'b', NOW, true)).toBe('stored')
    expect([second.find('one', NOW), second.find('two', NOW), second.find('three', NOW)]).toEqual([
      'a'.repeat(32),
      'b',
      '',
    ])
  })

  it('moves a session to another server', () => {
    const zone = zoneOf()
    zone.store('one', 'long-name', NOW, true)
    zone.store('one', 'b', NOW, false)
    expect(zone.find('one', NOW)).toBe('b')
  })

  it('does not begin sessions it is not asked to begin', () => {
    const zone = zoneOf()
    expect(zone.store('one', 'a', NOW, false)).toBe('unknown')
    expect(zone.find('one', NOW)).toBe('')
  })

  it('forgets sessions that are not used for the timeout', () => {
    const zone = zoneOf()
    zone.store('one', 'a', NOW, true)
    zone.store('two', 'a', NOW, true)
    zone.store('two', 'a', NOW + 500, false)
    expect(zone.find('one', NOW + TIMEOUT - 1)).toBe('a')
    expect(zone.find('one', NOW + TIMEOUT)).toBe('')
    expect(zone.find('two', NOW + TIMEOUT)).toBe('a')
  })

  it.each([32_768, 1 << 20])('of %i bytes has room for as many sessions as nginx says', (bytes) => {
    const zone = zoneOf(memory(bytes))
    expect(zone.capacity).toBeGreaterThan(bytes / 160)
    const all = names(zone.capacity)
    for (const name of all) expect(zone.store(name, name, NOW, true)).toBe('stored')
    expect(all.filter((name) => zone.find(name, NOW) !== name)).toEqual([])
  })

  it('that is full forgets the session unused longest, whichever was begun first', () => {
    const zone = zoneOf(memory(SMALL))
    const all = names(zone.capacity)
    for (const [index, name] of all.entries()) zone.store(name, 'a', NOW + index, true)
    zone.store(all[0]!, 'b', NOW + 100, false)
    expect(zone.store('new', 'c', NOW + 101, true)).toBe('pushed out')
    expect([...all.slice(0, 3), 'new'].map((name) => zone.find(name, NOW + 101))).toEqual(['b', '', 'a', 'c'])
  })

  it('that is full of old sessions takes new ones in their place', () => {
    const zone = zoneOf(memory(SMALL))
    for (const name of names(zone.capacity)) zone.store(name, 'a', NOW, true)
    const later = names(zone.capacity, 1000)
    for (const name of later) expect(zone.store(name, 'b', NOW + TIMEOUT, true)).toBe('stored')
    expect(later.every((name) => zone.find(name, NOW + TIMEOUT) === 'b')).toBe(true)
  })

  it('stays right over many sessions that come and go', () => {
    const zone = zoneOf(memory(SMALL))
    const last = new Map<string, number>()
    for (let step = 0; step < 5000; step++) {
      const name = `s${(step * 7919) % 40}`
      zone.store(name, String(step), NOW + step * 10, true)
      last.set(name, step)
    }
    const now = NOW + 4999 * 10
    const newest = [...last].sort(([, left], [, right]) => right - left)
    for (const [index, [name, step]] of newest.entries()) {
      const kept = index < zone.capacity && 4999 * 10 - step * 10 < TIMEOUT
      expect(zone.find(name, now), name).toBe(kept ? String(step) : '')
    }
  })

  it('held by a worker that died begins anew, others stay', () => {
    const shared = memory()
    const master = zoneOf(shared, 63)
    master.store('one', 'a', NOW, true)
    master.reclaim(3)
    expect(master.find('one', NOW)).toBe('a')
    new SharedLock(new Int32Array(shared), 0, 4).lock()
    master.reclaim(2)
    expect(new Int32Array(shared)[0]).not.toBe(0)
    master.reclaim(3)
    expect(master.find('one', NOW)).toBe('')
    expect(master.store('two', 'b', NOW, true)).toBe('stored')
    expect(master.find('two', NOW)).toBe('b')
  })

  it('is used by several threads at a time', async () => {
    const shared = memory()
    await Promise.all([0, 1, 2].map((worker) => runStores(shared, worker)))
    const zone = zoneOf(shared, 5)
    const all = [0, 1, 2].flatMap((worker) => names(100).map((name) => `${worker}${name}`))
    expect(all.filter((name) => zone.find(name, NOW) !== name)).toEqual([])
  })
})

const ZONE = new URL('../../src/shared/session-zone.ts', import.meta.url).href
const STORES = `
  const { workerData: { memory, worker, now } } = require('node:worker_threads')
  import(${JSON.stringify(ZONE)}).then(({ SessionZone }) => {
    const zone = new SessionZone(memory, worker, 1000)
    for (let round = 0; round < 50; round++) {
      for (let index = 0; index < 100; index++) zone.store(worker + 's' + index, worker + 's' + index, now, true)
    }
  })`

function runStores(shared: SharedArrayBuffer, worker: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(STORES, { eval: true, workerData: { memory: shared, worker, now: NOW } })
    thread.once('error', reject)
    thread.once('exit', () => resolve())
  })
}
