// Tells workers of new addresses of live names, and frees what is kept of peers that are gone once no worker can send
// a request to them any more.

import type { LiveAnswers } from '../shared/names/live.ts'
import type { LoadedCycle } from './cycle.ts'
import { LiveNames } from './live-names.ts'
import type { MasterLog } from './master-log.ts'
import { forgetGone, fullGroups, type SlotKeys, slotKeys } from './peer-zones.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** When peers that found no room are tried again, milliseconds. */
const FULL_PAUSE = 5_000

export class LivePeers {
  readonly #names: LiveNames
  readonly #log: Pick<MasterLog, 'report'>
  readonly #workers: () => readonly WorkerHandle[]
  readonly #changed: () => void
  #current: LoadedCycle
  /** Slots of the configuration before, by upstream, when it was replaced: its last requests may be under way. */
  #before: SlotKeys = new Map()
  /** Not all peers have room, which has been said. */
  #full = false
  /** Counts what workers are told. */
  #serial = 0

  /** `workers`: all that have not ended; `changed`: called when addresses are not what they were, before they know. */
  constructor(
    log: Pick<MasterLog, 'report'>,
    loaded: LoadedCycle,
    workers: () => readonly WorkerHandle[],
    changed: () => void,
  ) {
    this.#log = log
    this.#workers = workers
    this.#changed = changed
    this.#current = loaded
    this.#names = new LiveNames(log, (answers) => void this.#tell(answers, true))
  }

  /** Follows the names of `loaded` too, and gives it their addresses. */
  async add(loaded: LoadedCycle): Promise<void> {
    loaded.options.live = this.#names.answers
    await this.#names.add(loaded.cycle.context.live.values())
  }

  /** Workers run `loaded` from now on. */
  use(loaded: LoadedCycle): void {
    this.#before = slotKeys(this.#current)
    this.#current = loaded
    this.stay()
  }

  /** Forgets names that only a refused configuration has. */
  stay(): void {
    this.#names.keepOnly(this.#current.cycle.context.live)
  }

  close(): void {
    this.#names.close()
  }

  /** Requests at peers that are gone may still hold the room: there may be some a little later. */
  #tellLater(): void {
    if (!this.#full) {
      for (const name of fullGroups(this.#current)) {
        this.#log.report('error', `cannot add new server to upstream "${name}", memory exhausted`)
      }
    }
    this.#full = true
    const serial = this.#serial
    setTimeout(() => {
      if (serial === this.#serial) void this.#tell(this.#names.answers, true)
    }, FULL_PAUSE).unref()
  }

  /** `again`: peers that found no room are tried once more when some has been freed. */
  async #tell(answers: LiveAnswers, again: boolean): Promise<void> {
    this.#changed()
    const key = String(++this.#serial)
    const told = this.#workers().map((worker) =>
      worker.ask({ type: 'addresses', key, answers }, ['addresses_used']),
    )
    const leftOut = (await Promise.all(told)).some((answer) => answer !== null && answer.leftOut > 0)
    // What has been told since has not been heard by all.
    if (key !== String(this.#serial)) return
    forgetGone(this.#current, this.#before)
    if (leftOut && again) return this.#tell(answers, false)
    if (leftOut) this.#tellLater()
    else this.#full = false
  }
}
