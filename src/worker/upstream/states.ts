// What happened at the peers a request was sent to, attempt by attempt: for `$upstream_*` and the error log.

import type { Fields } from '../http/fields.ts'
import type { Request } from '../http/request.ts'
import { now } from '../tick.ts'
import type { Reason } from './reasons.ts'

/** One attempt. Times are milliseconds since its start; -1: it did not come to that. */
export interface UpstreamState {
  /** null: no attempt, but the place where the request went on to another location with an upstream of its own. */
  peer: string | null
  /** Status of the response, or the one its failure stands for; 0 so far. */
  status: number
  /** Why it failed; null: it has not. */
  reason: Reason | null
  started: number
  connectTime: number
  headerTime: number
  responseTime: number
  bytesSent: number
  bytesReceived: number
  /** Content bytes of the response. */
  responseLength: number
}

/** What of a response is kept for variables; false where no configuration reads it. */
export interface Kept {
  fields: boolean
  trailers: boolean
}

/** The upstream a request is on its way to, as variables name it. */
export interface UpstreamName {
  /** `$proxy_host`. */
  readonly host: string
  /** `$proxy_port`. */
  readonly port: string
}

export class UpstreamStates {
  list: UpstreamState[] = []
  name: UpstreamName
  /** Knows the URL the request goes to, or went to last, as the error log shows it. */
  source: { url(): string } | null = null
  /** Fields of the last response head; null without one, or where no variable reads them. */
  fields: Fields | null = null
  /** Likewise its trailers. */
  trailers: Fields | null = null
  /** Whether a backend wants its response to be buffered (X-Accel-Buffering); null: it does not say. */
  buffering: boolean | null = null
  /** Where a backend wants the response to be made instead (X-Accel-Redirect); null: it makes it. */
  redirect: string | null = null
  /** Why something failed last; null: nothing has. */
  reason: Reason | null = null

  constructor(name: UpstreamName) {
    this.name = name
  }

  /** The request goes elsewhere: the URL stays the one it went to until now. */
  settle(): void {
    const url = this.source?.url()
    if (url !== undefined) this.source = { url: () => url }
  }

  /** A new attempt; the ones before stay for the lists. */
  begin(peer: string | null): UpstreamState {
    const state = {
      peer,
      status: 0,
      reason: null,
      started: now(),
      connectTime: -1,
      headerTime: -1,
      responseTime: -1,
      bytesSent: 0,
      bytesReceived: 0,
      responseLength: 0,
    }
    // Nearly always the only one: an array that is pushed to makes room for many.
    if (this.list.length === 0) this.list = [state]
    else this.list.push(state)
    return state
  }

  /**
   * One value of every attempt, as nginx joins them: a comma between attempts, a colon where another location took
   * over; `-` where `value` gives null.
   */
  join(value: (state: UpstreamState) => string | null): string {
    let text = ''
    let separator = ''
    for (const state of this.list) {
      if (state.peer === null) {
        text += ' : '
        separator = ''
      } else {
        text += separator + (value(state) ?? '-')
        separator = ', '
      }
    }
    return text
  }
}

/** The request goes to `name` now, for the first time or from another location. */
export function enterUpstream(r: Request, name: UpstreamName): UpstreamStates {
  const before = r.upstream
  if (before === null) return (r.upstream = new UpstreamStates(name))
  before.name = name
  before.source = null
  before.fields = null
  before.buffering = null
  before.trailers = null
  // Where the body of the request could not be read there was no attempt.
  if (before.list.length > 0) before.begin(null)
  return before
}
