// Sessions of connections to backends that later ones may resume: `proxy_ssl_session_reuse`. As in nginx the last one of
// each peer is kept, here by every worker for itself.

/** Peers remembered at a time. */
const MOST = 512

export class SessionCache {
  /** By peer, least recently used first. */
  readonly #sessions = new Map<string, Buffer>()

  /** The session for the next connection to `peer`, or null. */
  get(peer: string): Buffer | null {
    return this.#sessions.get(peer) ?? null
  }

  keep(peer: string, session: Buffer): void {
    this.#sessions.delete(peer)
    this.#sessions.set(peer, session)
    if (this.#sessions.size > MOST) this.#sessions.delete(this.#sessions.keys().next().value!)
  }

  /** It is of no use any more. */
  forget(peer: string): void {
    this.#sessions.delete(peer)
  }
}
