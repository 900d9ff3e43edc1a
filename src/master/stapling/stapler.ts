// Fetches the OCSP responses that `ssl_stapling` wants, once for all workers, and again before they run out. Unlike
// nginx it does not wait for a client to ask for one.

import { lookUpBy } from '../../shared/names/look-up.ts'
import type { Staples } from '../../shared/staples.ts'
import { type FetchedStaple, fetchedStaples } from '../../worker/modules/ssl/staples.ts'
import type { LoadedCycle } from '../cycle.ts'
import type { MasterLog } from '../master-log.ts'
import { checkResponse, ocspRequest } from './ocsp.ts'
import { askResponder } from './responder.ts'

/** nginx's: a response is fetched again so long before it expires, */
const BEFORE_END = 300_000
/** after this time at the latest, */
const LONGEST = 3_600_000
/** and never sooner than this, which is also when it is tried again after a failure. */
const SHORTEST = 300_000

type Log = Pick<MasterLog, 'report'>

/** One response and its clock. */
class Follower {
  readonly #staple: FetchedStaple
  readonly #log: Log
  readonly #fetched: (staples: Staples) => void
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(staple: FetchedStaple, log: Log, fetched: (staples: Staples) => void) {
    this.#staple = staple
    this.#log = log
    this.#fetched = fetched
    void this.#fetch()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #fetch(): Promise<void> {
    const { key, responder, resolver } = this.#staple
    let peer = ''
    let wait = SHORTEST
    try {
      const request = await ocspRequest(this.#staple)
      const response = await askResponder(responder, request, lookUpBy(resolver), (asked) => {
        peer = asked
      })
      const now = Date.now()
      const { until } = await checkResponse(response, this.#staple, now)
      if (this.#closed) return
      this.#fetched({ [key]: { response, until } })
      wait = Math.max(Math.min(until - BEFORE_END - now, LONGEST), SHORTEST)
    } catch (error) {
      if (this.#closed) return
      this.#fail((error as Error).message, peer)
    }
    this.#timer = setTimeout(() => void this.#fetch(), wait)
    this.#timer.unref()
  }

  #fail(message: string, peer: string): void {
    const { name, responder } = this.#staple
    const where = `, responder: ${responder.host}${peer === '' ? '' : `, peer: ${peer}`}, certificate: "${name}"`
    this.#log.report('error', `${message} while requesting certificate status${where}`)
  }
}

export class Stapler {
  readonly #log: Log
  readonly #changed: (staples: Staples) => void
  readonly #followers = new Map<string, Follower>()
  /** The same object for as long as weir runs. */
  readonly #staples: Staples = {}
  #closed = false

  /** `changed` is told of new responses. */
  constructor(log: Log, changed: (staples: Staples) => void) {
    this.#log = log
    this.#changed = changed
  }

  /** Gives `loaded` what is known already. */
  add({ options }: LoadedCycle): void {
    options.staples = this.#staples
  }

  /** Workers run `loaded` from now on: what it wants is fetched, and nothing else any more. */
  use({ cycle }: LoadedCycle): void {
    if (this.#closed) return
    const wanted = new Map(fetchedStaples(cycle.context).map((staple) => [staple.key, staple]))
    for (const [key, follower] of this.#followers) {
      if (wanted.has(key)) continue
      follower.close()
      this.#followers.delete(key)
      delete this.#staples[key]
    }
    for (const [key, staple] of wanted) {
      if (this.#followers.has(key)) continue
      const fetched = (staples: Staples): void => {
        Object.assign(this.#staples, staples)
        this.#changed(staples)
      }
      this.#followers.set(key, new Follower(staple, this.#log, fetched))
    }
  }

  close(): void {
    this.#closed = true
    for (const follower of this.#followers.values()) follower.close()
    this.#followers.clear()
  }
}
