// A request whose backend has to be found by the resolver first.

import type { ContentSource } from '../http/body.ts'
import { CLIENT_CLOSED_REQUEST, finalize } from '../http/finalize.ts'
import type { Request } from '../http/request.ts'
import { explain } from './explanation.ts'
import type { PeerGroup } from './peers.ts'
import type { RuntimeGroups } from './runtime-groups.ts'
import type { UpstreamUrl } from './url.ts'

export class Resolving implements ContentSource {
  readonly #r: Request
  readonly #url: UpstreamUrl
  readonly #found: (group: PeerGroup) => void
  #over = false
  /** A look-up may take long: it is not to hold on to a request that has ended. */
  #giveUp: () => void = () => {}

  /** `found` goes on with the group; where there is none the request ends with 502. */
  constructor(r: Request, url: UpstreamUrl, found: (group: PeerGroup) => void) {
    this.#r = r
    this.#url = url
    this.#found = found
  }

  start(groups: RuntimeGroups): void {
    this.#r.source = this
    this.#giveUp = groups.resolve(this.#url, this.#r.remoteAddress, (group, failure) => {
      if (this.#over) return
      this.#over = true
      if (group !== null) return this.#found(group)
      this.#r.log('error', `${this.#url.host} could not be resolved (${failure})`)
      const reason = failure.startsWith('110:') ? 'resolve_timeout' : 'resolve_failed'
      this.#r.upstream!.reason = reason
      explain(this.#r, reason)
      finalize(this.#r, 502)
    })
  }

  /** There is no content yet to go on with. */
  resume(): void {}

  clientGone(): void {
    if (this.#over) return
    this.#r.log('info', 'client prematurely closed connection')
    this.stop()
    finalize(this.#r, CLIENT_CLOSED_REQUEST)
  }

  stop(): void {
    this.#over = true
    this.#giveUp()
  }
}
