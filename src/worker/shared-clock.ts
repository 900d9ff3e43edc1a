// A clock that all threads read alike: `performance.now` begins anew in each of them, and the time of day may jump.

import { monotonicNow } from './tick.ts'

const [seconds, nanoseconds] = process.hrtime()
const offset = seconds * 1000 + nanoseconds / 1e6 - performance.now()

/** Milliseconds of the system's monotonic clock, the same all through a turn of the event loop. */
export function sharedNow(): number {
  return monotonicNow() + offset
}
