// `ssl_certificate_cache`, `proxy_ssl_certificate_cache`...: certificates and keys whose names requests or handshakes
// give, kept for a while instead of being read for every connection.

import { statSync } from 'node:fs'
import { utf8 } from '../../shared/latin1.ts'
import { monotonicNow } from '../tick.ts'
import { type Credentials, type ReadFile, readNow } from './credentials.ts'
import type { CacheSettings } from './setters.ts'

interface Kept {
  readonly credentials: Credentials
  /** Times of change and lengths of both files, when they were read. */
  readonly state: string
  /** Milliseconds of `monotonicNow`: when it was last looked whether they are the same, and last asked for. */
  checked: number
  used: number
}

export class CredentialsCache {
  readonly #settings: CacheSettings
  /** By both names, least recently used first. */
  readonly #kept = new Map<string, Kept>()

  constructor(settings: CacheSettings) {
    this.#settings = settings
  }

  /** What `load` makes of both files, now or a while ago. Its errors are not kept. */
  get(cert: string, key: string, load: (read: ReadFile) => Credentials): Credentials {
    const { max, inactive, valid } = this.#settings
    const now = monotonicNow()
    this.#dropUnused(now - inactive)
    const id = `${cert}\n${key}`
    const known = this.#kept.get(id)
    this.#kept.delete(id)
    if (known !== undefined && (now - known.checked < valid || known.state === stateOf(cert, key))) {
      if (now - known.checked >= valid) known.checked = now
      known.used = now
      this.#kept.set(id, known)
      return known.credentials
    }
    const state = stateOf(cert, key)
    const credentials = load(readNow)
    this.#kept.set(id, { credentials, state, checked: now, used: now })
    if (this.#kept.size > max) this.#kept.delete(this.#kept.keys().next().value!)
    return credentials
  }

  #dropUnused(before: number): void {
    for (const [id, { used }] of this.#kept) {
      if (used >= before) return
      this.#kept.delete(id)
    }
  }
}

/** '' for what cannot be looked at; nothing of `data:` can change. */
function stateOf(...names: string[]): string {
  return names
    .map((name) => {
      if (name.startsWith('data:')) return ''
      const stat = statSync(utf8(name), { throwIfNoEntry: false })
      return stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`
    })
    .join(' ')
}
