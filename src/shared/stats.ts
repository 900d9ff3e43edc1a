// The statistics table: one row per worker slot in shared memory. Layout, writers and meaning stand here only.
//
// A row is 128 bytes (two cache lines, so workers do not disturb each other):
//   bytes  0..31  four float64: accepted, handled, requests, (free). One writer each: no atomics needed.
//   bytes 32..63  eight int32: active, upstream, reading, writing, waiting, (free) x 3.
// `active` has two writers (the master adds when it hands a socket over, the worker subtracts when it closes), so it
// is only changed with Atomics.add. The others are written by the row's worker alone; the master resets a row when
// its worker has died. The last row is the master's own: `accepted` there counts connections that no worker had room for.

/** Slots for workers in every shared table; the last is the master's own. */
export const WORKER_SLOTS = 512

const ROW_BYTES = 128
const FLOATS = ROW_BYTES / 8
const INTS = ROW_BYTES / 4
const ACTIVE = 8
const UPSTREAM = 9
const READING = 10
const WRITING = 11
const WAITING = 12

/** Shared memory for `slots` workers. */
export function allocateStats(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * ROW_BYTES)
}

/** One worker's row. */
export class WorkerStats {
  readonly #floats: Float64Array
  readonly #ints: Int32Array

  constructor(memory: SharedArrayBuffer, slot: number) {
    this.#floats = new Float64Array(memory, slot * ROW_BYTES, FLOATS)
    this.#ints = new Int32Array(memory, slot * ROW_BYTES, INTS)
  }

  /** Client connections accepted for this worker since start. */
  get accepted(): number {
    return this.#floats[0]!
  }
  /** Of those, the ones not dropped for lack of `worker_connections`. */
  get handled(): number {
    return this.#floats[1]!
  }
  /** Client requests begun. */
  get requests(): number {
    return this.#floats[2]!
  }
  /** Open client connections, counted from the moment one is handed over. */
  get active(): number {
    return Atomics.load(this.#ints, ACTIVE)
  }
  /** Open connections to upstreams, idle ones included. */
  get upstream(): number {
    return this.#ints[UPSTREAM]!
  }
  /** Connections whose request head is being read. */
  get reading(): number {
    return this.#ints[READING]!
  }
  /** Connections waiting for, or being sent, a response. */
  get writing(): number {
    return this.#ints[WRITING]!
  }
  /** Idle keepalive client connections. */
  get waiting(): number {
    return this.#ints[WAITING]!
  }
  /** What `worker_connections` bounds: client and upstream connections together. */
  get connections(): number {
    return this.active + this.upstream
  }

  countAccepted(): void {
    this.#floats[0]!++
  }
  countHandled(): void {
    this.#floats[1]!++
  }
  countRequest(): void {
    this.#floats[2]!++
  }
  addActive(delta: number): void {
    Atomics.add(this.#ints, ACTIVE, delta)
  }
  addUpstream(delta: number): void {
    this.#ints[UPSTREAM]! += delta
  }
  addReading(delta: number): void {
    this.#ints[READING]! += delta
  }
  addWriting(delta: number): void {
    this.#ints[WRITING]! += delta
  }
  addWaiting(delta: number): void {
    this.#ints[WAITING]! += delta
  }

  /** Clears what is open (not the totals): the master calls it once the row's worker has died. */
  reset(): void {
    for (let index = ACTIVE; index < INTS; index++) Atomics.store(this.#ints, index, 0)
  }
}
