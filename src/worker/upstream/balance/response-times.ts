// How long peers take, kept for methods that choose by it: averages in which the last response counts for a twentieth,
// and what they make of a request that would be sent now.

import type { PeerState } from '../../../shared/peer-zone.ts'
import type { Outcome, Peer } from '../peers.ts'
import type { Timing } from './balancer.ts'

/** Words of `least_time`: time to the head of a response, or to its last byte. */
export type Measured = 'header' | 'last_byte'

/** From here on peers are equally slow. */
const LONGEST = 5000
/** Averages closer than this are the same, so that peers take turns. */
const STEP = 20

export class ResponseTimes implements Timing {
  readonly #measured: Measured
  readonly #withInflight: boolean

  /** `withInflight`: requests under way count as far as they have come. */
  constructor(measured: Measured, withInflight: boolean) {
    this.#measured = measured
    this.#withInflight = withInflight
  }

  /** Milliseconds after which `peer` may be done with what it has and one request more. */
  estimate({ state, failTimeout }: Peer, now: number): number {
    let time = this.#measured === 'header' ? state.headerTime : state.responseTime
    const since = now - state.checked
    // Slow peers get another chance: half the time for every fail_timeout in which they were not asked.
    if (since > failTimeout) time = Math.floor(time / 2 ** Math.floor(since / (failTimeout + 1000)))
    if (state.inflight > 0) time = Math.max(time, state.inflightTime)
    return (time > LONGEST ? LONGEST : time + STEP - (time % STEP)) * (1 + state.conns)
  }

  /** Before estimates: what requests under way have taken so far. */
  review(state: PeerState, now: number): void {
    if (state.inflight <= 0) return
    const time = Math.floor(state.inflightTotal / state.inflight) + sinceChange(state, now)
    state.inflightTime = average(state.inflightTime, time)
  }

  /** A request goes to the peer. */
  start(state: PeerState, now: number): void {
    if (!this.#withInflight) return
    if (state.inflight > 0) state.inflightTotal += sinceChange(state, now) * state.inflight
    else state.inflightTotal = 0
    state.inflightChanged = now
    state.inflight++
  }

  head(state: PeerState, time: number, now: number): void {
    if (!this.#withInflight || this.#measured !== 'header') return
    state.headerTime = average(state.headerTime, time)
    this.#landed(state, time, now)
  }

  end(state: PeerState, outcome: Outcome, headerTime: number, time: number, now: number): void {
    const headMeasured = this.#withInflight && this.#measured === 'header'
    if (this.#withInflight && !(headMeasured && headerTime >= 0)) this.#landed(state, time, now)
    // A peer that fails fast is none to be preferred.
    if (outcome !== 'ok' || headerTime < 0) return
    state.responseTime = average(state.responseTime, time)
    if (!headMeasured) state.headerTime = average(state.headerTime, headerTime)
  }

  /** A request is in flight no more: what it took is forgotten. */
  #landed(state: PeerState, time: number, now: number): void {
    // The count began anew when a worker died with requests under way.
    if (state.inflight === 0) return
    if (state.inflight === 1) state.inflightTotal = 0
    else {
      const total = state.inflightTotal + sinceChange(state, now) * state.inflight - time
      state.inflightTotal = Math.max(0, total)
      state.inflightChanged = now
    }
    state.inflight--
  }
}

function sinceChange(state: PeerState, now: number): number {
  return Math.max(0, Math.trunc(now - state.inflightChanged))
}

/** Whole milliseconds; the first time is the average. */
function average(before: number, time: number): number {
  return before === 0 ? Math.trunc(time) : Math.floor(0.5 + 0.05 * time + 0.95 * before)
}
