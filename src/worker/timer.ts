// Coarse timers for connections: thousands that are restarted at every operation and hardly ever fire. Timers stand in
// slots of one sweep's length, by the time they are to be looked at; restarting a timer for a later time only stores
// its new deadline, and the sweep moves it when it meets it. A timer fires between its duration and two sweeps after
// it, never early.

import { monotonicNow } from './tick.ts'
import { reportCrash } from './transport/crash.ts'

const SWEEP = 100

/** When the sweep at work began. */
let now = performance.now()

interface Node {
  previous: Node
  next: Node
}

/** The timers of one slot; a ring through this sentinel. */
class Ring implements Node {
  previous: Node = this
  next: Node = this

  /** Takes the first timer out; null when there is none. */
  shift(): Timer | null {
    const first = this.next
    if (!(first instanceof Timer)) return null
    first.unlink()
    return first
  }
}

/** Slots that hold timers, by number: the time divided by SWEEP. */
const slots = new Map<number, Ring>()
let lastSlot = slotOf(now)

function slotOf(time: number): number {
  return Math.floor(time / SWEEP)
}

export class Timer implements Node {
  previous: Node = this
  next: Node = this
  readonly #expired: () => void
  #deadline = Infinity
  /** Start of the slot the timer is in; Infinity: in none. */
  #due = Infinity

  constructor(expired: () => void) {
    this.#expired = expired
  }

  /** Expires `duration` milliseconds from now; replaces an earlier start. */
  start(duration: number): void {
    this.#deadline = monotonicNow() + duration
    if (this.#due <= this.#deadline) return
    this.unlink()
    this.#link()
  }

  /** Does not expire until started again. Cheap: the timer stays in its slot. */
  stop(): void {
    this.#deadline = Infinity
  }

  /** Stops for good, so that nothing holds on to the owner. */
  dispose(): void {
    this.#deadline = Infinity
    this.unlink()
  }

  /** Called by the sweep, with the timer out of its slot. */
  check(): void {
    if (this.#deadline <= now) {
      this.#deadline = Infinity
      this.#expired()
    } else if (this.#deadline !== Infinity) {
      this.#link()
    }
  }

  /** Takes the timer out of its slot, if it is in one. */
  unlink(): void {
    this.previous.next = this.next
    this.next.previous = this.previous
    this.previous = this
    this.next = this
    this.#due = Infinity
  }

  #link(): void {
    // The time of a turn may be older than the last sweep: no sweep comes back to the slots before it.
    const slot = Math.max(slotOf(this.#deadline), lastSlot)
    let ring = slots.get(slot)
    if (ring === undefined) slots.set(slot, (ring = new Ring()))
    this.#due = slot * SWEEP
    this.previous = ring.previous
    this.next = ring
    ring.previous.next = this
    ring.previous = this
  }
}

function sweep(): void {
  now = performance.now()
  const first = lastSlot
  const current = slotOf(now)
  lastSlot = current
  for (let slot = first; slot <= current; slot++) {
    const ring = slots.get(slot)
    if (ring === undefined) continue
    // Timers of the current slot that are not due yet come back into it, in a new ring.
    slots.delete(slot)
    for (let timer = ring.shift(); timer !== null; timer = ring.shift()) {
      try {
        timer.check()
      } catch (error) {
        // A bug in what one timer does must not keep the others from firing.
        reportCrash(error)
      }
    }
  }
}

setInterval(sweep, SWEEP).unref()
