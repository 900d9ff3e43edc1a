// What preload.ts tells of the inside of weir, and how the soak reads it.

import { readFileSync } from 'node:fs'

/** Counters of WorkerStats: totals, then those that must come back to zero. */
export const TOTALS = ['accepted', 'handled', 'requests'] as const
export const OPEN = ['active', 'upstream', 'reading', 'writing', 'waiting'] as const
export const COUNTERS = [...TOTALS, ...OPEN] as const

export type Counter = (typeof COUNTERS)[number]

export interface Inside {
  /** Shared statistics: the rows of worker slots that hold anything. */
  rows: Record<Counter, number>[]
  /** Live heap after the last full collection, by worker slot, and `master`. */
  heaps: Record<string, number>
  /** Bytes that V8 has of the system for each heap, what is free in it included; it grows with the load, to a bound. */
  committed: Record<string, number>
  /** Requests at each peer of each upstream, as workers count them together. */
  peers: Record<string, number>
  /** Workers started so far. */
  workers: number
}

/** The line has this length always, so that it is overwritten in place. */
export const LINE_BYTES = 16_384

/** The latest state; null when there is none yet, or a half-written one. */
export function readInside(file: string): Inside | null {
  try {
    return JSON.parse(readFileSync(file, 'latin1')) as Inside
  } catch {
    return null
  }
}

/** The sum of a counter over all rows. */
export function total(inside: Inside, counter: Counter): number {
  return inside.rows.reduce((sum, row) => sum + row[counter], 0)
}
