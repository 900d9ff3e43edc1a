// One question to name servers by Node's resolver (c-ares), which repeats it, checks answers, follows aliases and turns
// to TCP for long ones; asked again where no server can be reached, as long as there is time.

import { Resolver } from 'node:dns'
import { TIMED_OUT } from './found.ts'

/** Servers are asked again after this time, milliseconds: sooner than nginx's 5 seconds. */
const RESEND = 2_000
/** Pause before servers that refuse connections are asked again: they may be starting. */
const PAUSE = 1_000

/** What servers know; none: the name exists or not, but has nothing of the kind. */
export type Part<T> = { readonly records: readonly T[] } | { readonly failure: string }

/** Asks one of Node's resolvers. */
export type Ask<T> = (resolver: Resolver, done: (error: Error | null, records: T[]) => void) => void

/** nginx's words for what c-ares says servers answer; anything else is no answer at all. */
const FAILURES: Readonly<Record<string, string>> = {
  EFORMERR: '1: Format error',
  EBADRESP: '1: Format error',
  ESERVFAIL: '2: Server failure',
  ENOTIMP: '4: Unimplemented',
  EREFUSED: '5: Operation refused',
}
const EMPTY = /^E(?:NODATA|NOTFOUND|BADNAME|BADSTR)$/

export class NameServers {
  readonly #timeout: number
  /** Each begins at another server and goes on to the next ones. */
  readonly #resolvers: readonly Resolver[]
  #turn = 0

  /** `timeout`: milliseconds for an answer. */
  constructor(servers: readonly string[], timeout: number) {
    const each = Math.max(1, Math.min(RESEND, Math.floor(timeout / servers.length)))
    const tries = Math.max(1, Math.ceil(timeout / each / servers.length))
    this.#timeout = timeout
    this.#resolvers = servers.map((_, first) => {
      const resolver = new Resolver({ timeout: each, maxTimeout: each, tries })
      resolver.setServers([...servers.slice(first), ...servers.slice(0, first)])
      return resolver
    })
  }

  /** Calls `done` once, after the timeout at the latest. */
  query<T>(ask: Ask<T>, done: (part: Part<T>) => void): void {
    let over = false
    let pause: NodeJS.Timeout | null = null
    const end = (part: Part<T>) => {
      if (over) return
      over = true
      clearTimeout(limit)
      if (pause !== null) clearTimeout(pause)
      done(part)
    }
    const limit = setTimeout(() => end(TIMED_OUT as Part<T>), this.#timeout)
    limit.unref()
    const attempt = () =>
      ask(this.#next(), (error, records) => {
        if (error === null) return end({ records })
        const { code = '' } = error as NodeJS.ErrnoException
        if (EMPTY.test(code)) return end({ records: [] })
        if (Object.hasOwn(FAILURES, code)) return end({ failure: FAILURES[code]! })
        if (!over) pause = setTimeout(attempt, PAUSE)
      })
    attempt()
  }

  #next(): Resolver {
    const resolver = this.#resolvers[this.#turn]!
    this.#turn = (this.#turn + 1) % this.#resolvers.length
    return resolver
  }
}
