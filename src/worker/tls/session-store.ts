// Sessions that clients resume by their ids: in this worker's own memory, in memory that all workers share, or both, as
// `ssl_session_cache` says.

import { TlsSessionZone } from '../../shared/tls-session-zone.ts'
import { sharedNow } from '../shared-clock.ts'

/** What `ssl_session_cache` and `ssl_session_timeout` say. */
export interface SessionStoreSettings {
  /** Sessions kept by each worker itself; 0: any number; null: none. */
  readonly builtin: number | null
  readonly shared: SharedArrayBuffer | null
  /** Milliseconds a session may be resumed for. */
  readonly timeout: number
}

interface OwnSession {
  readonly data: Buffer
  readonly expires: number
}

/** That of one server in one worker. */
export class SessionStore {
  readonly #settings: SessionStoreSettings
  /** By id, oldest first. */
  readonly #own = new Map<string, OwnSession>()
  readonly #zone: TlsSessionZone | null

  /** `worker`: slot of the worker this thread is. */
  constructor(settings: SessionStoreSettings, worker: number) {
    this.#settings = settings
    this.#zone = settings.shared === null ? null : new TlsSessionZone(settings.shared, worker)
  }

  /** The session of this id; null: there is none (any more). */
  find(id: Buffer): Buffer | null {
    const now = sharedNow()
    if (this.#settings.builtin !== null) {
      const own = this.#own.get(id.toString('latin1'))
      if (own !== undefined && own.expires > now) return own.data
    }
    return this.#zone?.find(id, now) ?? null
  }

  store(id: Buffer, data: Buffer): void {
    const { builtin, timeout } = this.#settings
    const expires = sharedNow() + timeout
    if (builtin !== null) this.#storeOwn(id.toString('latin1'), { data: Buffer.from(data), expires }, builtin)
    this.#zone?.store(id, data, expires)
  }

  remove(id: Buffer): void {
    this.#own.delete(id.toString('latin1'))
    this.#zone?.remove(id)
  }

  #storeOwn(id: string, session: OwnSession, most: number): void {
    this.#own.delete(id)
    this.#own.set(id, session)
    for (const [key, { expires }] of this.#own) {
      const tooMany = most > 0 && this.#own.size > most
      if (!tooMany && expires > session.expires - this.#settings.timeout) break
      this.#own.delete(key)
    }
  }
}
