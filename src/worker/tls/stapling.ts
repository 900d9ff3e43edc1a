// The OCSP responses that a worker staples to its handshakes: those that the master has fetched so far, and the choice
// among those of a server.

import type { Staples } from '../../shared/staples.ts'
import { type ChoiceRules, chosenCertificate } from './certificate-choice.ts'
import type { ClientHello } from './client-hello.ts'

/** Where the response for a certificate is: at hand, or by its key among those that the master has fetched. */
export type StapleSource = { readonly response: Buffer } | { readonly key: string }

/** What the master has fetched, as it told this worker. */
export class StapleStore {
  readonly #known = new Map<string, { readonly response: Buffer; readonly until: number }>()

  /** There are new ones; those of before stay until they expire. */
  use(staples: Staples): void {
    const now = Date.now()
    for (const [key, { until }] of this.#known) if (until < now) this.#known.delete(key)
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

/** The responses for a server's certificates. */
export class ServerStaples {
  readonly #sources: readonly (StapleSource | null)[]
  readonly #rules: ChoiceRules

  /** `sources`: for each of the certificates in `rules`. */
  constructor(sources: readonly (StapleSource | null)[], rules: ChoiceRules) {
    this.#sources = sources
    this.#rules = rules
  }

  /** The response for a client that said `hello`, from `store`; null: there is none. */
  find(hello: ClientHello, store: StapleStore): Buffer | null {
    const source = this.#sources[chosenCertificate(hello, this.#rules)] ?? null
    return source === null ? null : store.find(source, Date.now())
  }
}
