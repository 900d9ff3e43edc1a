// What all workers know together of the peers of one upstream. Layout, writers and meaning stand here only.
//
// Zone `upstream NAME`: a header, then a slot for each peer, then a row of connection counts for each worker.
//   header, 64 bytes: int32 0: lock; 1: slots; 2: those that have ever been in use, which are the first ones; 3: how
//     often the lock has been taken. The rest is free.
//   slot, 256 bytes:
//     float64 0 checked, 1 accessed (see below), 2 slow start began, 3 average header time, 4 average response time,
//       5 current weight, 6 and 7 in-flight requests' time and when it was counted up. Moments are milliseconds of
//       `sharedNow`; 0: never. Averages are milliseconds; 0: none yet.
//     int32 16 conns, 17 fails, 18 in-flight requests, 19 effective weight, 20 configured weight, 21 health (0 up,
//       1 checking, 2 unhealthy), 22 length of the key (0: the slot is free), 23 average in-flight time, 24 health
//       checks made, 25 of them failed, 26 times unhealthy, 27 result of the last check (0 none, 1 passed, 2 failed),
//       28-31 free.
//     bytes 128-255: the key, which the slot is found by: the peer's name, numbered where an upstream has it twice.
//   row, 4 bytes a slot: connections of that worker to the peer of the slot: its share of `conns`, taken back when it
//     dies. Written by the worker alone.
// `conns` is changed with Atomics by every worker. All else of a slot is written under the lock, but for what health
// checks come to (21, 24-27): that is the master's, who writes it without, and with it 2 and 17 of a peer that is back.

import { latin1 } from './latin1.ts'
import { SharedLock } from './shared-lock.ts'
import { WORKER_SLOTS } from './stats.ts'

const HEADER_BYTES = 64
const SLOT_BYTES = 256
const SLOTS_AT = 1
const USED_AT = 2
const TURN_AT = 3
const KEY_AT = 128
/** Longest key: a unix socket's path, its scheme and a number fit. */
const LONGEST_KEY = SLOT_BYTES - KEY_AT

const CHECKED = 0
const ACCESSED = 1
const SLOW_SINCE = 2
const HEADER_TIME = 3
const RESPONSE_TIME = 4
const CURRENT_WEIGHT = 5
const INFLIGHT_TOTAL = 6
const INFLIGHT_CHANGED = 7
const CONNS = 16
const FAILS = 17
const INFLIGHT = 18
const EFFECTIVE_WEIGHT = 19
const WEIGHT = 20
const KEY_LENGTH = 22
const HEALTH = 21
const INFLIGHT_TIME = 23
const CHECKS = 24
const FAILED_CHECKS = 25
const TIMES_UNHEALTHY = 26
const LAST_CHECK = 27

/** What health checks say of a peer; `checking`: nothing yet, and no request may go to it before. */
export const HEALTH_WORDS = ['up', 'checking', 'unhealthy'] as const
export type Health = (typeof HEALTH_WORDS)[number]

/** The state of one peer, as all workers see it. */
export class PeerState {
  readonly #ints: Int32Array
  readonly #floats: Float64Array
  /** One element: what this thread holds of `conns`. */
  readonly #share: Int32Array

  constructor(slot: Int32Array, share: Int32Array) {
    this.#ints = slot
    this.#floats = new Float64Array(slot.buffer, slot.byteOffset, KEY_AT / 8)
    this.#share = share
  }

  /** Requests at this peer now: read plainly, for balancers read it of many; who counts holds the lock, or compares. */
  get conns(): number {
    return this.#ints[CONNS]!
  }

  /** Counts one more request, where there are fewer than `most` (0: any number). */
  take(most: number): boolean {
    if (most > 0) {
      let conns = this.conns
      for (;;) {
        if (conns >= most) return false
        const before = Atomics.compareExchange(this.#ints, CONNS, conns, conns + 1)
        if (before === conns) break
        conns = before
      }
    } else Atomics.add(this.#ints, CONNS, 1)
    this.#share[0]!++
    return true
  }

  /** A request that `take` counted is over. */
  give(): void {
    this.#share[0]!--
    Atomics.sub(this.#ints, CONNS, 1)
  }

  /** Failures since the peer was last seen to work. */
  get fails(): number {
    return this.#ints[FAILS]!
  }
  set fails(count: number) {
    this.#ints[FAILS] = count
  }

  /** When the peer last failed, or was last chosen so long after it that it counts as tried again. */
  get checked(): number {
    return this.#floats[CHECKED]!
  }
  set checked(time: number) {
    this.#floats[CHECKED] = time
  }

  /** When it last failed. */
  get accessed(): number {
    return this.#floats[ACCESSED]!
  }
  set accessed(time: number) {
    this.#floats[ACCESSED] = time
  }

  /** Of the smooth weighted round robin; with a fraction where a slow start was under way. */
  get currentWeight(): number {
    return this.#floats[CURRENT_WEIGHT]!
  }
  set currentWeight(weight: number) {
    this.#floats[CURRENT_WEIGHT] = weight
  }

  /** The weight less what failures took of it. */
  get effectiveWeight(): number {
    return this.#ints[EFFECTIVE_WEIGHT]!
  }
  set effectiveWeight(weight: number) {
    this.#ints[EFFECTIVE_WEIGHT] = weight
  }

  /** When the peer came back to its work and began to get its weight again; 0: it has it. */
  get slowSince(): number {
    return this.#floats[SLOW_SINCE]!
  }
  set slowSince(time: number) {
    this.#floats[SLOW_SINCE] = time
  }

  /** No request may go to the peer, as health checks have it. */
  get out(): boolean {
    return this.#ints[HEALTH] !== 0
  }

  /** `up` where there are no health checks. */
  get health(): Health {
    return HEALTH_WORDS[this.#ints[HEALTH]!]!
  }
  set health(health: Health) {
    if (health === 'unhealthy' && this.health !== 'unhealthy') this.#ints[TIMES_UNHEALTHY]!++
    // Behind all that the master has written before.
    Atomics.store(this.#ints, HEALTH, HEALTH_WORDS.indexOf(health))
  }

  /** A health check has ended. */
  countCheck(passed: boolean): void {
    this.#ints[CHECKS]!++
    if (!passed) this.#ints[FAILED_CHECKS]!++
    this.#ints[LAST_CHECK] = passed ? 1 : 2
  }

  /** Of all health checks since the peer has been there; `lastPassed`: null before the first. */
  get checks(): { checks: number; fails: number; unhealthy: number; lastPassed: boolean | null } {
    const ints = this.#ints
    return {
      checks: ints[CHECKS]!,
      fails: ints[FAILED_CHECKS]!,
      unhealthy: ints[TIMES_UNHEALTHY]!,
      lastPassed: ints[LAST_CHECK] === 0 ? null : ints[LAST_CHECK] === 1,
    }
  }

  /** Average time to the head of a response, whole milliseconds; 0: not known. Kept by `least_time`. */
  get headerTime(): number {
    return this.#floats[HEADER_TIME]!
  }
  set headerTime(time: number) {
    this.#floats[HEADER_TIME] = time
  }

  /** Likewise to the end of a response. */
  get responseTime(): number {
    return this.#floats[RESPONSE_TIME]!
  }
  set responseTime(time: number) {
    this.#floats[RESPONSE_TIME] = time
  }

  /** Requests of `least_time ... inflight` that what is measured has not come of yet. */
  get inflight(): number {
    return this.#ints[INFLIGHT]!
  }
  set inflight(count: number) {
    this.#ints[INFLIGHT] = count
  }

  /** Milliseconds they had taken together when their number last changed. */
  get inflightTotal(): number {
    return this.#floats[INFLIGHT_TOTAL]!
  }
  set inflightTotal(time: number) {
    this.#floats[INFLIGHT_TOTAL] = time
  }

  /** When their number last changed. */
  get inflightChanged(): number {
    return this.#floats[INFLIGHT_CHANGED]!
  }
  set inflightChanged(time: number) {
    this.#floats[INFLIGHT_CHANGED] = time
  }

  /** What one of them has taken so far, on average, whole milliseconds. */
  get inflightTime(): number {
    return this.#ints[INFLIGHT_TIME]!
  }
  set inflightTime(time: number) {
    this.#ints[INFLIGHT_TIME] = time
  }
}

export class PeerZone {
  readonly #ints: Int32Array
  readonly #bytes: Buffer
  readonly #slots: number
  readonly #worker: number
  readonly #lock: SharedLock

  /** `memory`: of the size `zoneBytes` gave; `worker`: slot of the worker this thread is. */
  constructor(memory: SharedArrayBuffer, slots: number, worker: number) {
    this.#ints = new Int32Array(memory)
    this.#bytes = Buffer.from(memory)
    this.#slots = slots
    this.#worker = worker
    this.#lock = new SharedLock(this.#ints, 0, worker + 1, TURN_AT)
    this.#ints[SLOTS_AT] = slots
  }

  /** The zone in `memory` of the size `zoneBytes` gives for all workers, whether or not it has been laid out. */
  static in(memory: SharedArrayBuffer, worker: number): PeerZone {
    const slots = Math.floor((memory.byteLength - HEADER_BYTES) / (SLOT_BYTES + 4 * WORKER_SLOTS))
    return new PeerZone(memory, slots, worker)
  }

  /** The zone in `memory` that another thread has laid out, or null where none has yet. */
  static existing(memory: SharedArrayBuffer, worker: number): PeerZone | null {
    const slots = new Int32Array(memory, 0, SLOTS_AT + 1)[SLOTS_AT]!
    return slots === 0 ? null : new PeerZone(memory, slots, worker)
  }

  lock(): void {
    this.#lock.lock()
  }

  unlock(): void {
    this.#lock.unlock()
  }

  /**
   * The state of the peer called `key`: what is there of it, or a free slot; null where the zone is full. A `weight`
   * that is not the one it had begins anew.
   */
  claim(key: string, weight: number): PeerState | null {
    this.lock()
    try {
      const slot = this.#find(key)
      if (slot < 0) return null
      const ints = this.#slot(slot)
      const changed = ints[WEIGHT] !== weight
      if (changed) {
        ints[WEIGHT] = weight
        ints[EFFECTIVE_WEIGHT] = weight
      }
      const state = new PeerState(ints, this.#row(this.#worker).subarray(slot, slot + 1))
      if (changed) state.currentWeight = 0
      return state
    } finally {
      this.unlock()
    }
  }

  /** Whether a peer is called `key`. */
  has(key: string): boolean {
    for (let slot = 0; slot < this.#used; slot++) if (this.#isKey(slot, key)) return true
    return false
  }

  /** The state of every peer there is by its key, for who only looks. */
  states(): Map<string, PeerState> {
    const states = new Map<string, PeerState>()
    for (let slot = 0; slot < this.#used; slot++) {
      const ints = this.#slot(slot)
      if (ints[KEY_LENGTH] === 0) continue
      states.set(this.#key(slot), new PeerState(ints, this.#row(this.#worker).subarray(slot, slot + 1)))
    }
    return states
  }

  /** Frees the slots of all peers but those called `keys`, once no request is at them. Called by the master. */
  keepOnly(keys: ReadonlySet<string>): void {
    this.lock()
    for (let slot = 0; slot < this.#used; slot++) {
      const ints = this.#slot(slot)
      if (ints[KEY_LENGTH] === 0 || keys.has(this.#key(slot)) || Atomics.load(ints, CONNS) > 0) continue
      ints.fill(0)
    }
    this.unlock()
  }

  /** The worker in this slot has died: what it held is given back. Called by the master. */
  reclaim(worker: number): void {
    this.#lock.releaseOf(worker + 1)
    const row = this.#row(worker)
    for (let slot = 0; slot < this.#used; slot++) {
      const ints = this.#slot(slot)
      // Which of them were in flight only the worker knew: the count begins anew.
      if (row[slot] !== 0) ints[INFLIGHT] = 0
      if (row[slot] !== 0) Atomics.sub(ints, CONNS, row[slot]!)
      row[slot] = 0
    }
  }

  #find(key: string): number {
    if (key.length > LONGEST_KEY) return -1
    const used = this.#used
    let free = -1
    for (let slot = 0; slot < used; slot++) {
      if (this.#isKey(slot, key)) return slot
      if (free < 0 && this.#keyLength(slot) === 0) free = slot
    }
    if (free < 0) {
      if (used === this.#slots) return -1
      free = used
      this.#ints[USED_AT] = used + 1
    }
    this.#bytes.write(key, HEADER_BYTES + free * SLOT_BYTES + KEY_AT, 'latin1')
    this.#slot(free)[KEY_LENGTH] = key.length
    return free
  }

  get #used(): number {
    return this.#ints[USED_AT]!
  }

  #keyLength(slot: number): number {
    return this.#ints[(HEADER_BYTES + slot * SLOT_BYTES) / 4 + KEY_LENGTH]!
  }

  /** Without making a text of what is there: a thousand servers look for theirs among a thousand. */
  #isKey(slot: number, key: string): boolean {
    if (this.#keyLength(slot) !== key.length) return false
    const begin = HEADER_BYTES + slot * SLOT_BYTES + KEY_AT
    // From the end, where addresses differ.
    for (let index = key.length - 1; index >= 0; index--) {
      if (this.#bytes[begin + index] !== key.charCodeAt(index)) return false
    }
    return key.length > 0
  }

  #slot(slot: number): Int32Array {
    const begin = (HEADER_BYTES + slot * SLOT_BYTES) / 4
    return this.#ints.subarray(begin, begin + SLOT_BYTES / 4)
  }

  #key(slot: number): string {
    const begin = HEADER_BYTES + slot * SLOT_BYTES + KEY_AT
    return latin1(this.#bytes, begin, begin + this.#slot(slot)[KEY_LENGTH]!)
  }

  /** Shares of one worker, by slot. */
  #row(worker: number): Int32Array {
    const begin = (HEADER_BYTES + this.#slots * SLOT_BYTES) / 4 + worker * this.#slots
    return this.#ints.subarray(begin, begin + this.#slots)
  }
}

/** Bytes of a zone with `slots` peers, shared by the workers of slots below `workers`. */
export function zoneBytes(slots: number, workers = WORKER_SLOTS): number {
  return HEADER_BYTES + slots * (SLOT_BYTES + 4 * workers)
}

/** Slots in a small zone: what is known of an only server stays when others join it. */
const FEWEST_SLOTS = 16

/** Slots for an upstream that has `peers` now: a reload that brings some more keeps the zone. */
export function zoneSlots(peers: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(peers + 3, FEWEST_SLOTS)))
}
