// Host names that requests bring up are looked up by the system's resolver, which says nothing of how long an answer
// holds: it is kept for some seconds, per worker. Requests that ask at the same time share one look-up.

import { lookup } from 'node:dns'

/** Addresses of a name, or why there are none in nginx's words: `3: Host not found`. */
export type Answer = { addresses: readonly string[] } | { failure: string }

type Ask = (answer: Answer) => void

/** How long an answer is used, milliseconds. */
const KEPT = 10_000
/** How long a failure is, so that a name that appears is soon found and one that is missing does not flood anyone. */
const FAILURE_KEPT = 1_000
/** Names remembered; clients may be the ones who name them. */
const MOST_NAMES = 1_000
/** Look-ups at the same time; they share a few threads with everything else that blocks. */
const MOST_PENDING = 100
/** nginx's default `resolver_timeout`, milliseconds. */
const TIMEOUT = 30_000

const NAME = /^[\w.-]{1,255}$/
/** `127.1`, `2130706433`: no domain is a number, as which the system would take them for addresses, unlike nginx. */
const NUMBER = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i

export interface ResolverOptions {
  /** Calls back with the addresses, or with an error whose code is that of `dns.lookup`. */
  lookup(name: string, done: (error: NodeJS.ErrnoException | null, addresses: string[]) => void): void
  /** Milliseconds of a clock that does not go back. */
  now(): number
}

const SYSTEM: ResolverOptions = {
  lookup(name, done) {
    lookup(name, { all: true, order: 'ipv4first' }, (error, found) =>
      done(error, error === null ? found.map(({ address }) => address) : []),
    )
  },
  now: () => performance.now(),
}

export class Resolver {
  readonly #options: ResolverOptions
  /** Oldest first. */
  readonly #known = new Map<string, { answer: Answer; until: number }>()
  readonly #pending = new Map<string, Set<Ask>>()

  constructor(options: ResolverOptions = SYSTEM) {
    this.#options = options
  }

  /** An answer that is known, or null: `resolve` has to be asked. */
  known(name: string): Answer | null {
    const entry = this.#known.get(name)
    return entry === undefined || entry.until <= this.#options.now() ? null : entry.answer
  }

  /** Calls `ask` once, not before this call has returned. What it gives is called by those who give up. */
  resolve(name: string, ask: Ask): () => void {
    let asks = this.#pending.get(name)
    if (asks === undefined) this.#ask(name, (asks = new Set()))
    asks.add(ask)
    return () => asks.delete(ask)
  }

  #ask(name: string, asks: Set<Ask>): void {
    const failure =
      !NAME.test(name) || NUMBER.test(name)
        ? '3: Host not found'
        : this.#pending.size >= MOST_PENDING
          ? '5: Operation refused'
          : null
    if (failure !== null) return queueMicrotask(() => tell(asks, { failure }))
    this.#pending.set(name, asks)
    const timer = setTimeout(() => this.#answer(name, asks, { failure: '110: Operation timed out' }), TIMEOUT)
    timer.unref()
    this.#options.lookup(name, (error, addresses) => {
      clearTimeout(timer)
      const found = error === null && addresses.length > 0
      this.#answer(name, asks, found ? { addresses } : { failure: failureText(error) })
    })
  }

  #answer(name: string, asks: Set<Ask>, answer: Answer): void {
    // It may have timed out before.
    if (this.#pending.get(name) !== asks) return
    this.#pending.delete(name)
    this.#known.delete(name)
    const kept = 'failure' in answer ? FAILURE_KEPT : KEPT
    this.#known.set(name, { answer, until: this.#options.now() + kept })
    if (this.#known.size > MOST_NAMES) this.#known.delete(this.#known.keys().next().value!)
    tell(asks, answer)
  }
}

function tell(asks: Set<Ask>, answer: Answer): void {
  for (const ask of asks) ask(answer)
  // A look-up that is over for them may hold the set for longer.
  asks.clear()
}

function failureText(error: NodeJS.ErrnoException | null): string {
  if (error === null || error.code === 'ENOTFOUND' || error.code === 'ENODATA') return '3: Host not found'
  return '2: Server failure'
}
