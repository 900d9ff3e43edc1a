// What look-ups of names are told and what they give.

/** What `resolver` and `resolver_timeout` say. */
export interface ResolverSettings {
  /** Name servers with their ports: `192.0.2.1:53`, `[2001:db8::1]:53`; null: the system looks names up. */
  readonly servers: readonly string[] | null
  /** Milliseconds an answer is used for, whatever it says itself; 0: as it says. */
  readonly valid: number
  readonly ipv4: boolean
  readonly ipv6: boolean
  /** Milliseconds to wait for an answer. */
  readonly timeout: number
}

/** Without `resolver` and `resolver_timeout`. */
export const DEFAULT_RESOLVER: ResolverSettings = {
  servers: null,
  valid: 0,
  ipv4: true,
  ipv6: true,
  timeout: 30_000,
}

/**
 * Addresses, IPv4 first, with the milliseconds they may be used for (null: nobody says), or a failure in nginx's words:
 * `2: Server failure`. `gone`: the name is known to have no address.
 */
export type Found =
  | { readonly addresses: readonly string[]; readonly ttl: number | null }
  | { readonly failure: string; readonly gone: boolean }

/** Calls `done` once, not before it has returned, and not later than the settings' timeout. */
export type LookUp = (name: string, done: (found: Found) => void) => void

export const NOT_FOUND: Found = { failure: '3: Host not found', gone: true }
export const TIMED_OUT: Found = { failure: '110: Operation timed out', gone: false }
