// The OCSP responses that a worker staples to its handshakes: those that the master has fetched so far, and the choice
// among those of a server.

import type { X509Certificate } from 'node:crypto'
import type { Staples } from '../../shared/staples.ts'
import type { StapleSource } from '../modules/ssl/staples.ts'

/** What the master has fetched, as it told this worker. */
export class StapleStore {
  readonly #known = new Map<string, { readonly response: Buffer; readonly until: number }>()

  /** There are new ones; those of before stay. */
  use(staples: Staples): void {
    for (const [key, { response, until }] of Object.entries(staples)) {
      this.#known.set(key, { response: Buffer.from(response), until })
    }
  }

  /** The response from `source`; null: there is none (yet), or it has expired. `now`: milliseconds since the epoch. */
  find(source: StapleSource, now: number): Buffer | null {
    if ('response' in source) return source.response
    const staple = this.#known.get(source.key)
    return staple !== undefined && staple.until >= now ? staple.response : null
  }
}

/** One of a server's certificates with the source of its response, or null. */
export interface StapledCertificate {
  readonly certificate: X509Certificate
  readonly source: StapleSource | null
}
