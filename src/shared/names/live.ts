// Names of the configuration that are followed while weir runs: `server NAME resolve`, and names that had no address
// when the configuration was loaded. The master looks them up for all workers; both sides know them by their keys.

import type { ResolverSettings } from './found.ts'

export interface LiveName {
  readonly name: string
  /** `service=`; null: the name itself is looked up. */
  readonly service: string | null
  readonly resolver: ResolverSettings
  /** Only until it has an address: it is not followed any further. */
  readonly once: boolean
}

/** One address of a live name. */
export interface LiveAddress {
  readonly ip: string
  /** What the service says; null: it is the server's own. */
  readonly service: LiveService | null
}

/** An SRV record. */
export interface LiveService {
  readonly host: string
  readonly port: number
  readonly weight: number
  /** Its priority is not the highest. */
  readonly backup: boolean
}

/** Addresses of live names by key; a name without is not known yet. */
export type LiveAnswers = Record<string, readonly LiveAddress[]>

/** Names that are looked up in the same way have the same key. */
export function liveKey({ name, service, resolver, once }: LiveName): string {
  return JSON.stringify([name, service, once, resolver])
}
