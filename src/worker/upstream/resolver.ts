// Names that requests bring up, and what is known of them: an answer is used for as long as it says, a failure for a
// second. Requests that ask at the same time share one look-up. Where look-ups begin to fail, the last addresses of a
// name are used until they work again. One per worker and `resolver`.

import { type Found, type LookUp, type ResolverSettings, TIMED_OUT } from '../../shared/names/found.ts'
import { lookUpBy } from '../../shared/names/look-up.ts'
import { type LookUpLimits, LookUpTurns } from './look-up-turns.ts'

/** Addresses of a name, or why there are none in nginx's words: `3: Host not found`. */
export type Answer = { readonly addresses: readonly string[] } | { readonly failure: string }

type Ask = (answer: Answer) => void

/** How long an answer is used that does not say it, milliseconds. */
const KEPT = 10_000
/** How long a failure is, so that a name that appears is soon found and one that is missing does not flood anyone. */
const FAILURE_KEPT = 1_000
/** How long addresses are used that could not be looked up again. */
const STALE_KEPT = 5_000
/** Longest wait for a look-up where there are such addresses. */
const STALE_WAIT = 2_000
/** Addresses of a name that are used: those who name it may own it, and give it thousands. */
const MOST_ADDRESSES = 32
/** Names remembered; clients may be the ones who name them. */
const MOST_NAMES = 1_000

/** Each look-up by the system holds one of the few threads that all workers share. */
const SYSTEM_LIMITS: LookUpLimits = { running: 16, each: 4, waiting: 64, allWaiting: 1_024 }
const SERVER_LIMITS: LookUpLimits = { running: 256, each: 16, waiting: 64, allWaiting: 1_024 }

export interface ResolverOptions {
  readonly lookUp: LookUp
  readonly limits: LookUpLimits
  /** Longest wait for a turn, milliseconds. */
  readonly timeout: number
  /** Milliseconds of a clock that does not go back. */
  now(): number
  /** Look-ups of a name have begun to fail, or work again. */
  log(level: 'warn' | 'notice', message: string): void
}

interface Entry {
  readonly answer: Answer
  /** When it has to be looked up again. */
  readonly until: number
  /** The addresses are old ones, which could not be looked up again. */
  readonly trouble: boolean
}

/** One look-up and those who wait for it. */
interface Pending {
  readonly asks: Set<Ask>
  /** Ends the wait where there are old addresses. */
  stale: NodeJS.Timeout | null
}

/** What a resolver by `settings` is made of. */
export function resolverOptions(settings: ResolverSettings, log: ResolverOptions['log']): ResolverOptions {
  const limits = settings.servers === null ? SYSTEM_LIMITS : SERVER_LIMITS
  const { timeout } = settings
  return { lookUp: lookUpBy(settings), limits, timeout, now: () => performance.now(), log }
}

export class Resolver {
  readonly #options: ResolverOptions
  readonly #turns: LookUpTurns
  /** Oldest first. */
  readonly #known = new Map<string, Entry>()
  readonly #pending = new Map<string, Pending>()

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#turns = new LookUpTurns(options.limits)
  }

  /** An answer that is known, or null: `resolve` has to be asked. */
  known(name: string): Answer | null {
    const entry = this.#known.get(name)
    if (entry === undefined) return null
    if (entry.until > this.#options.now()) return entry.answer
    if (!entry.trouble) return null
    // Look-ups fail: nobody has to wait for the next one.
    if (!this.#pending.has(name)) this.#begin(name, '')
    return entry.answer
  }

  /**
   * Calls `ask` once, not before this call has returned, for the client `asker`. What it gives is called by those who
   * give up.
   */
  resolve(name: string, asker: string, ask: Ask): () => void {
    const pending = this.#pending.get(name) ?? this.#begin(name, asker)
    if (pending === null) {
      queueMicrotask(() => ask({ failure: '5: Operation refused' }))
      return () => {}
    }
    pending.asks.add(ask)
    const old = this.#known.get(name)
    if (pending.stale === null && old !== undefined && 'addresses' in old.answer) {
      pending.stale = setTimeout(() => this.#useOld(name, pending), STALE_WAIT)
      pending.stale.unref()
    }
    return () => pending.asks.delete(ask)
  }

  #begin(name: string, asker: string): Pending | null {
    const pending: Pending = { asks: new Set(), stale: null }
    let state: 'waiting' | 'begun' | 'over' = 'waiting'
    let limit: NodeJS.Timeout | null = null
    const taken = this.#turns.take(asker, (ended) => {
      if (state === 'over') return ended()
      state = 'begun'
      if (limit !== null) clearTimeout(limit)
      this.#options.lookUp(name, (found) => {
        ended()
        this.#found(name, pending, found)
      })
    })
    if (!taken) return null
    this.#pending.set(name, pending)
    if (state === 'waiting') {
      limit = setTimeout(() => {
        state = 'over'
        this.#found(name, pending, TIMED_OUT)
      }, this.#options.timeout)
      limit.unref()
    }
    return pending
  }

  #found(name: string, pending: Pending, found: Found): void {
    this.#pending.delete(name)
    if (pending.stale !== null) clearTimeout(pending.stale)
    const old = this.#known.get(name)
    if ('failure' in found) {
      const { failure, gone } = found
      if (!gone && old !== undefined && 'addresses' in old.answer) {
        return this.#fallBack(name, pending, old, failure)
      }
      this.#keep(name, { answer: { failure }, until: this.#until(FAILURE_KEPT), trouble: false })
      return tell(pending, { failure })
    }
    const { ttl } = found
    const addresses = found.addresses.slice(0, MOST_ADDRESSES)
    if (old?.trouble === true) this.#options.log('notice', `${name} can be resolved again`)
    this.#keep(name, { answer: { addresses }, until: this.#until(ttl ?? KEPT), trouble: false })
    tell(pending, { addresses })
  }

  /** The look-up goes on, but those who wait for it do not. */
  #useOld(name: string, pending: Pending): void {
    const old = this.#known.get(name)
    if (old !== undefined) this.#fallBack(name, pending, old, '110: Operation timed out')
  }

  #fallBack(name: string, pending: Pending, { answer, trouble }: Entry, failure: string): void {
    if (!trouble) {
      const message = `${name} could not be resolved (${failure}): its last addresses are used until it can`
      this.#options.log('warn', message)
    }
    this.#keep(name, { answer, until: this.#until(STALE_KEPT), trouble: true })
    tell(pending, answer)
  }

  #until(time: number): number {
    return this.#options.now() + time
  }

  #keep(name: string, entry: Entry): void {
    this.#known.delete(name)
    this.#known.set(name, entry)
    if (this.#known.size > MOST_NAMES) this.#known.delete(this.#known.keys().next().value!)
  }
}

function tell({ asks }: Pending, answer: Answer): void {
  for (const ask of asks) ask(answer)
  // A look-up that is over for them may hold the set for longer.
  asks.clear()
}
