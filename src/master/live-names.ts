// Names of the configuration that are followed while weir runs, looked up here once for all workers: what changes is
// told to the owner, who tells the workers. The last addresses of a name are kept while look-ups fail.

import { type LiveAddress, type LiveAnswers, type LiveName, liveKey } from '../shared/names/live.ts'
import { type LiveFound, type LiveLookUp, liveLookUp } from '../shared/names/live-look-up.ts'
import type { MasterLog } from './master-log.ts'

/** How long an answer is used that does not say it, milliseconds. */
const KEPT = 10_000
/** No answer is used for less. */
const LEAST = 1_000
/** Nor for more: name servers may say years, which is longer than timers run. */
const MOST = 86_400_000
/** After failures a name is looked up again after a second, then twice that time, up to this. */
const LONGEST_PAUSE = 10_000
/** How long a start or a reload waits for the first addresses of names. */
const FIRST_WAIT = 3_000

/** A name, and what is known of it. */
class Follower {
  readonly first: Promise<void>
  readonly #live: LiveName
  readonly #lookUp: LiveLookUp
  readonly #log: Pick<MasterLog, 'report'>
  readonly #changed: (addresses: readonly LiveAddress[]) => void
  #firstDone: () => void = () => {}
  #addresses: readonly LiveAddress[] | null = null
  #failures = 0
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(
    live: LiveName,
    lookUp: LiveLookUp,
    log: Pick<MasterLog, 'report'>,
    changed: (addresses: readonly LiveAddress[]) => void,
  ) {
    this.#live = live
    this.#lookUp = lookUp
    this.#log = log
    this.#changed = changed
    this.first = new Promise((done) => {
      this.#firstDone = done
    })
    this.#ask()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#firstDone()
  }

  #ask(): void {
    this.#lookUp((found) => {
      if (this.#closed) return
      const pause = 'failure' in found ? this.#failed(found) : this.#found(found.addresses, found.ttl)
      if (pause > 0) this.#timer = setTimeout(() => this.#ask(), pause)
      this.#firstDone()
    })
  }

  /** Returns when to look it up again; 0: never. */
  #found(addresses: readonly LiveAddress[], ttl: number | null): number {
    const { once } = this.#live
    if (this.#failures > 0 || (once && this.#addresses === null)) {
      this.#log.report('notice', `${this.#words} can be resolved${this.#addresses === null ? '' : ' again'}`)
    }
    this.#failures = 0
    this.#use(addresses)
    return once ? 0 : Math.min(MOST, Math.max(LEAST, ttl ?? KEPT))
  }

  /** As in nginx, a name that is known to be gone has no addresses any more; any other failure leaves those it had. */
  #failed({ failure, gone }: Extract<LiveFound, { failure: string }>): number {
    const { once } = this.#live
    const known = this.#addresses !== null && this.#addresses.length > 0
    // What has no address yet when it is loaded has been warned of.
    if (this.#failures === 0 && !once) {
      const then =
        known && !gone ? 'its last addresses are used until it can' : 'it counts as down until it can'
      this.#log.report('warn', `${this.#words} could not be resolved (${failure}): ${then}`)
    }
    if (gone && !once) this.#use([])
    return Math.min(LONGEST_PAUSE, LEAST * 2 ** this.#failures++)
  }

  #use(addresses: readonly LiveAddress[]): void {
    const merged = merge(this.#addresses ?? [], addresses)
    const same = this.#addresses !== null && JSON.stringify(merged) === JSON.stringify(this.#addresses)
    this.#addresses = merged
    if (!same) this.#changed(merged)
  }

  get #words(): string {
    const { name, service } = this.#live
    return service === null ? name : `service ${service} of ${name}`
  }
}

/** Those that stay keep their place: name servers like to turn the order round. */
function merge(old: readonly LiveAddress[], found: readonly LiveAddress[]): readonly LiveAddress[] {
  const fresh = new Map(found.map((address) => [JSON.stringify(address), address]))
  const stay = old.filter((address) => fresh.delete(JSON.stringify(address)))
  return [...stay, ...fresh.values()]
}

export class LiveNames {
  /** The addresses as they are now: the same object for as long as weir runs. */
  readonly answers: LiveAnswers = {}
  readonly #followers = new Map<string, Follower>()
  readonly #log: Pick<MasterLog, 'report'>
  readonly #changed: (answers: LiveAnswers) => void
  readonly #lookUp: (live: LiveName) => LiveLookUp

  /** `changed` is told of new addresses. */
  constructor(
    log: Pick<MasterLog, 'report'>,
    changed: (answers: LiveAnswers) => void,
    lookUp: (live: LiveName) => LiveLookUp = liveLookUp,
  ) {
    this.#log = log
    this.#changed = changed
    this.#lookUp = lookUp
  }

  /** Follows these names too. Resolves when their first addresses are there, or do not come soon. */
  async add(names: Iterable<LiveName>): Promise<void> {
    const firsts: Promise<void>[] = []
    for (const live of names) {
      const key = liveKey(live)
      if (this.#followers.has(key)) continue
      const follower = new Follower(live, this.#lookUp(live), this.#log, (addresses) => {
        this.answers[key] = addresses
        this.#changed({ [key]: addresses })
      })
      this.#followers.set(key, follower)
      // One that had no address a moment ago is not waited for.
      if (!live.once) firsts.push(follower.first)
    }
    if (firsts.length === 0) return
    let limit: NodeJS.Timeout | null = null
    const late = new Promise<void>((done) => {
      limit = setTimeout(done, FIRST_WAIT)
    })
    await Promise.race([Promise.all(firsts), late])
    if (limit !== null) clearTimeout(limit)
  }

  /** Forgets all others. */
  keepOnly(names: ReadonlyMap<string, LiveName>): void {
    for (const [key, follower] of this.#followers) {
      if (names.has(key)) continue
      follower.close()
      this.#followers.delete(key)
      delete this.answers[key]
    }
  }

  close(): void {
    this.keepOnly(new Map())
  }
}
