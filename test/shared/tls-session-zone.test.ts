import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SharedLock } from '../../src/shared/shared-lock.ts'
import { TlsSessionZone } from '../../src/shared/tls-session-zone.ts'

const NOW = 1e9
const LATER = NOW + 1000
const memory = (bytes = 32_768) => new SharedArrayBuffer(bytes)
const session = (text: string, bytes = 150) => Buffer.from(text.padEnd(bytes, '.'))

describe('a zone of TLS sessions', () => {
  it('gives every worker what one has stored', () => {
    const shared = memory()
    const id = randomBytes(32)
    const [first, second] = [new TlsSessionZone(shared, 0), new TlsSessionZone(shared, 1)]
    expect(first.store(id, session('one'), LATER)).toBe(true)
    expect(second.find(id, NOW)).toEqual(session('one'))
    expect(second.find(randomBytes(32), NOW)).toBeNull()
  })

  it('gives none that has expired', () => {
    const zone = new TlsSessionZone(memory(), 0)
    const id = randomBytes(32)
    zone.store(id, session('one'), LATER)
    expect(zone.find(id, LATER - 1)).not.toBeNull()
    expect(zone.find(id, LATER)).toBeNull()
  })

  it('forgets what it is told to forget, and takes it again', () => {
    const zone = new TlsSessionZone(memory(), 0)
    const id = randomBytes(32)
    zone.store(id, session('one'), LATER)
    zone.remove(id)
    expect(zone.find(id, NOW)).toBeNull()
    zone.store(id, session('two'), LATER)
    expect(zone.find(id, NOW)).toEqual(session('two'))
  })

  it('keeps the last of several sessions with one id', () => {
    const zone = new TlsSessionZone(memory(), 0)
    const id = randomBytes(16)
    zone.store(id, session('one'), LATER)
    zone.store(id, session('two', 90), LATER)
    expect(zone.find(id, NOW)).toEqual(session('two', 90))
  })

  it.each([
    [0, 10],
    [33, 10],
    [32, 8193],
  ])('keeps nothing with an id of %i bytes and %i bytes of session', (idBytes, bytes) => {
    const zone = new TlsSessionZone(memory(), 0)
    expect(zone.store(Buffer.alloc(idBytes, 1), session('one', bytes), LATER)).toBe(false)
    expect(zone.find(Buffer.alloc(idBytes, 1), NOW)).toBeNull()
  })

  it('of a megabyte has room for as many sessions as nginx says', () => {
    const zone = new TlsSessionZone(memory(1 << 20), 0)
    const ids = Array.from({ length: 4000 }, () => randomBytes(32))
    for (const id of ids) zone.store(id, session('x', 160), LATER)
    expect(ids.filter((id) => zone.find(id, NOW) === null)).toEqual([])
  })

  it('that is full forgets the oldest, however long sessions are and whatever was removed', () => {
    const step = fc.record({ id: fc.nat(60), bytes: fc.integer({ min: 1, max: 3000 }), remove: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const zone = new TlsSessionZone(memory(32_768), 0)
        const ids = Array.from({ length: 61 }, (_, index) => Buffer.alloc(32, index))
        const stored = new Map<number, number>()
        for (const { id, bytes, remove } of steps) {
          if (remove) {
            zone.remove(ids[id]!)
            stored.delete(id)
          } else {
            zone.store(ids[id]!, session(`${id}`, bytes), LATER)
            stored.delete(id)
            stored.set(id, bytes)
          }
        }
        // The newest are there, the oldest may be gone, and none is there in between.
        const found = [...stored].reverse().map(([id, bytes]) => {
          const data = zone.find(ids[id]!, NOW)
          if (data !== null) expect(data).toEqual(session(`${id}`, bytes))
          return data !== null
        })
        expect(found.lastIndexOf(true)).toBe(found.filter(Boolean).length - 1)
        if (stored.size > 0) expect(found[0]).toBe(true)
        for (const [index, id] of ids.entries()) if (!stored.has(index)) expect(zone.find(id, NOW)).toBeNull()
      }),
      { numRuns: 200 },
    )
  })

  it('held by a worker that died begins anew, others stay', () => {
    const shared = memory()
    const master = new TlsSessionZone(shared, 63)
    const id = randomBytes(32)
    master.store(id, session('one'), LATER)
    master.reclaim(3)
    expect(master.find(id, NOW)).not.toBeNull()
    new SharedLock(new Int32Array(shared), 0, 4).lock()
    master.reclaim(2)
    expect(new Int32Array(shared)[0]).not.toBe(0)
    master.reclaim(3)
    expect(master.find(id, NOW)).toBeNull()
    expect(master.store(id, session('two'), LATER)).toBe(true)
    expect(master.find(id, NOW)).toEqual(session('two'))
  })

  it('is used by several threads at a time', async () => {
    const shared = memory(1 << 22)
    await Promise.all([0, 1, 2].map((worker) => runStores(shared, worker)))
    const zone = new TlsSessionZone(shared, 5)
    const missing = [0, 1, 2].filter((worker) => zone.find(Buffer.alloc(32, worker * 50 + 49), NOW) === null)
    expect(missing).toEqual([])
  })
})

const ZONE = new URL('../../src/shared/tls-session-zone.ts', import.meta.url).href
const STORES = `
  const { workerData: { memory, worker, later } } = require('node:worker_threads')
  import(${JSON.stringify(ZONE)}).then(({ TlsSessionZone }) => {
    const zone = new TlsSessionZone(memory, worker)
    for (let round = 0; round < 100; round++) {
      for (let index = 0; index < 50; index++) {
        zone.store(Buffer.alloc(32, worker * 50 + index), Buffer.alloc(100 + index), later)
      }
    }
  })`

function runStores(shared: SharedArrayBuffer, worker: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(STORES, { eval: true, workerData: { memory: shared, worker, later: LATER } })
    thread.once('error', reject)
    thread.once('exit', () => resolve())
  })
}
