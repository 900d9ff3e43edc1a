// What happened at the peers a request was sent to, attempt by attempt: for `$upstream_*` and the error log.

import { now } from '../tick.ts'

/** One attempt. Times are milliseconds since its start; -1: it did not come to that. */
export interface UpstreamState {
  peer: string
  /** Status of the response, or the one its failure stands for; 0 so far. */
  status: number
  started: number
  connectTime: number
  headerTime: number
  responseTime: number
  bytesSent: number
  bytesReceived: number
  /** Content bytes of the response. */
  responseLength: number
}

export class UpstreamStates {
  readonly list: UpstreamState[] = []
  /** Knows the URL the request goes to now, as the error log shows it. */
  source: { url(): string } | null = null

  /** A new attempt; the ones before stay for the lists. */
  begin(peer: string): UpstreamState {
    const state = {
      peer,
      status: 0,
      started: now(),
      connectTime: -1,
      headerTime: -1,
      responseTime: -1,
      bytesSent: 0,
      bytesReceived: 0,
      responseLength: 0,
    }
    this.list.push(state)
    return state
  }

  /** One value of every attempt, as nginx joins them; `-` where `value` gives null. */
  join(value: (state: UpstreamState) => string | null): string {
    return this.list.map((state) => value(state) ?? '-').join(', ')
  }
}
