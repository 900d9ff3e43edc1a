// OCSP responses on their way from the master, which fetches them, to the workers, which staple them to handshakes.

export interface Staple {
  /** The response as DER. */
  readonly response: Uint8Array
  /** Milliseconds since the epoch until which it is stapled; Infinity: it does not expire. */
  readonly until: number
}

/** By key of the certificate and what is asked about it. */
export type Staples = Record<string, Staple>
