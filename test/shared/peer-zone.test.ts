import { describe, expect, it } from 'vitest'
import { PeerZone, zoneBytes, zoneSlots } from '../../src/shared/peer-zone.ts'

const SLOTS = 4
const memory = () => new SharedArrayBuffer(zoneBytes(SLOTS, 8))
const zoneOf = (shared: SharedArrayBuffer, worker = 0) => new PeerZone(shared, SLOTS, worker)

describe('a peer zone', () => {
  it('gives every worker the same state of a peer', () => {
    const shared = memory()
    const [first, second] = [0, 1].map((worker) => zoneOf(shared, worker).claim('192.0.2.1:80', 3)!)
    first!.take(0)
    first!.fails = 2
    first!.checked = 1e12 + 0.5
    expect(second).toMatchObject({ conns: 1, fails: 2, checked: 1e12 + 0.5, effectiveWeight: 3 })
  })

  it('keeps peers apart, by keys of up to 128 bytes', () => {
    const zone = zoneOf(memory())
    const path = `unix:/${'x'.repeat(106)}`
    const states = [path, `${path}#2`, 'a:80', 'b:80'].map((key) => zone.claim(key, 1)!)
    states[1]!.take(0)
    expect(states.map(({ conns }) => conns)).toEqual([0, 1, 0, 0])
    expect(zone.claim('y'.repeat(129), 1)).toBeNull()
  })

  it('that is full gives null, but finds the peers it has', () => {
    const zone = zoneOf(memory())
    for (const key of ['a', 'b', 'c', 'd']) expect(zone.claim(key, 1)).not.toBeNull()
    expect(zone.claim('e', 1)).toBeNull()
    expect(zone.claim('b', 1)).not.toBeNull()
  })

  it('gives slots that are free again to others, and finds peers behind them', () => {
    const shared = memory()
    const zone = zoneOf(shared)
    for (const key of ['a:10', 'a:20', 'a:30']) zone.claim(key, 1)!.fails = 1
    zone.keepOnly(new Set(['a:20', 'a:30']))
    const other = zoneOf(shared, 1)
    expect([other.has('a:10'), other.has('a:30'), other.has('')]).toEqual([false, true, false])
    expect(other.claim('b:10', 1)!.fails).toBe(0)
    expect(other.claim('a:30', 1)!.fails).toBe(1)
    expect(other.claim('a:31', 1)!.fails).toBe(0)
    expect([...zone.states().keys()]).toEqual(['b:10', 'a:20', 'a:30', 'a:31'])
    expect(other.claim('a:32', 1)).toBeNull()
  })

  it('begins anew with a peer whose weight has changed, and only then', () => {
    const zone = zoneOf(memory())
    const state = zone.claim('a', 5)!
    state.effectiveWeight = 2
    state.currentWeight = -3
    expect(zone.claim('a', 5)).toMatchObject({ effectiveWeight: 2, currentWeight: -3 })
    expect(zone.claim('a', 4)).toMatchObject({ effectiveWeight: 4, currentWeight: 0 })
  })

  it('lets the master say to all workers how a peer is', () => {
    const shared = new SharedArrayBuffer(zoneBytes(SLOTS))
    const master = PeerZone.in(shared, 7).claim('a', 1)!
    const worker = zoneOf(shared).claim('a', 1)!
    expect([worker.health, worker.out, worker.checks.lastPassed]).toEqual(['up', false, null])
    for (const health of ['checking', 'unhealthy', 'unhealthy'] as const) {
      master.health = health
      master.countCheck(false)
      expect([worker.health, worker.out]).toEqual([health, true])
    }
    master.health = 'up'
    master.countCheck(true)
    expect([worker.health, worker.out]).toEqual(['up', false])
    expect(worker.checks).toEqual({ checks: 4, fails: 3, unhealthy: 1, lastPassed: true })
  })

  it('counts up to max_conns over all workers', () => {
    const shared = memory()
    const states = [0, 1, 2].map((worker) => zoneOf(shared, worker).claim('a', 1)!)
    const taken = Array.from({ length: 12 }, (_, index) => states[index % 3]!.take(10))
    expect(taken.filter(Boolean)).toHaveLength(10)
    expect(taken.slice(10)).toEqual([false, false])
    states[2]!.give()
    expect([states[0]!.take(10), states[1]!.take(10)]).toEqual([true, false])
  })

  it('gets back what a worker held when it died, and its lock', () => {
    const shared = memory()
    const [one, two] = [zoneOf(shared, 1), zoneOf(shared, 2)]
    for (const key of ['a', 'b']) {
      one.claim(key, 1)!.take(0)
      two.claim(key, 1)!.take(0)
    }
    one.claim('a', 1)!.take(0)
    one.lock()
    PeerZone.existing(shared, 7)!.reclaim(1)
    expect([two.claim('a', 1)!.conns, two.claim('b', 1)!.conns]).toEqual([1, 1])
    PeerZone.existing(shared, 7)!.reclaim(1)
    expect(two.claim('a', 1)!.conns).toBe(1)
  })

  it('lets go of peers that are not named, but of none with requests', () => {
    const shared = memory()
    const zone = zoneOf(shared)
    for (const key of ['a', 'b', 'c']) zone.claim(key, 1)
    zone.claim('b', 1)!.take(0)
    zone.claim('c', 1)!.fails = 4
    zone.keepOnly(new Set(['a']))
    expect(zone.claim('c', 1)!.fails).toBe(0)
    expect(zone.claim('b', 1)!.conns).toBe(1)
  })

  it('that nobody has laid out yet is none', () => {
    expect(PeerZone.existing(memory(), 0)).toBeNull()
  })
})

describe('zoneSlots', () => {
  it('leaves room, and stays the same for a few peers more', () => {
    expect([0, 1, 2, 13, 14, 29, 100].map(zoneSlots)).toEqual([16, 16, 16, 16, 32, 32, 128])
  })
})
