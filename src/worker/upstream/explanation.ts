// The line of the error log that explains a 502 or 504 of weir's own: which reason, who was asked, how long it took,
// and where to look. It follows nginx's own line, which says what happened last.

import type { Request } from '../http/request.ts'
import { now } from '../tick.ts'
import { type Reason, reasons } from './reasons.ts'
import type { UpstreamState } from './states.ts'

/** Logs why the request ends here for `reason`, where an error page or weir's own page takes the response's place. */
export function explain(r: Request, reason: Reason): void {
  const { meaning, directive } = reasons[reason]
  const list = r.upstream!.list
  const here = list.slice(list.findLastIndex(({ peer }) => peer === null) + 1)
  const see = directive === null ? '' : `; see ${directive}`
  r.log('error', `weir: ${reason}: ${meaning}${attemptsOf(here)}${see}`)
}

function attemptsOf(states: readonly UpstreamState[]): string {
  const tried = states.filter(({ reason }) => reason !== 'no_live_upstreams')
  if (tried.length === 0) return ''
  const names = tried.map(({ peer, reason }) => (reason === null ? peer : `${peer} (${reason})`))
  return `; tried ${names.join(', ')} in ${((now() - tried[0]!.started) / 1000).toFixed(3)}s`
}
