// Coarse timers for connections: thousands that are restarted at every operation and hardly ever fire. Timers of one
// duration stand in one list in order of expiry; restarting a timer only stores its new deadline, and the sweep
// moves it when it meets it. A timer fires between its duration and two sweeps after it, never early.

const SWEEP = 100

/** Milliseconds of the coarse clock; monotonic, at most one sweep behind. */
let now = performance.now()

interface Node {
  previous: Node
  next: Node
}

/** The timers of one duration; a ring through this sentinel. */
class Ring implements Node {
  previous: Node = this
  next: Node = this
}

const rings = new Map<number, Ring>()

export class Timer implements Node {
  previous: Node = this
  next: Node = this
  readonly #expired: () => void
  #duration = 0
  #deadline = Infinity
  /** When the sweep will look at this timer: its place in the ring. */
  #due = 0
  #linked = false

  constructor(expired: () => void) {
    this.#expired = expired
  }

  /** Expires `duration` milliseconds from now; replaces an earlier start. */
  start(duration: number): void {
    this.#deadline = now + duration + SWEEP
    if (this.#linked && this.#duration === duration) return
    this.#unlink()
    this.#duration = duration
    this.#link()
  }

  /** Does not expire until started again. Cheap: the timer stays in its list. */
  stop(): void {
    this.#deadline = Infinity
  }

  /** Stops for good, so that nothing holds on to the owner. */
  dispose(): void {
    this.#deadline = Infinity
    this.#unlink()
  }

  /** Called by the sweep for the first timer of a ring; false: not due, nor is any behind it. */
  check(): boolean {
    if (this.#due > now) return false
    this.#unlink()
    if (this.#deadline <= now) {
      this.#deadline = Infinity
      this.#expired()
    } else if (this.#deadline !== Infinity) {
      this.#link()
    }
    return true
  }

  #link(): void {
    let ring = rings.get(this.#duration)
    if (ring === undefined) rings.set(this.#duration, (ring = new Ring()))
    this.#due = this.#deadline
    this.previous = ring.previous
    this.next = ring
    ring.previous.next = this
    ring.previous = this
    this.#linked = true
  }

  #unlink(): void {
    if (!this.#linked) return
    this.previous.next = this.next
    this.next.previous = this.previous
    this.#linked = false
  }
}

function sweep(): void {
  now = performance.now()
  for (const [duration, ring] of rings) {
    while (ring.next instanceof Timer && ring.next.check());
    if (ring.next === ring) rings.delete(duration)
  }
}

setInterval(sweep, SWEEP).unref()
