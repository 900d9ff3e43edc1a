// One health check of one peer: when it is made, and what its results come to. A check begins an interval after the one
// before began, but never before that has ended.

import type { Health } from '../../shared/peer-zone.ts'
import type { HealthCheck } from '../../worker/upstream/health/health-check.ts'
import { delay, type Prober, type Verdict } from './probe.ts'

/** What is known of the peer so far. */
export interface Findings {
  readonly health: Health
  /** Checks in a row that failed, or passed. */
  readonly failed: number
  readonly passed: number
  /** When the next check is to begin, milliseconds of `performance.now`; 0: now. */
  readonly due: number
}

export interface MonitorOwner {
  /** A check has ended; `changed`: and the peer's health is not what it was. */
  checked(monitor: Monitor, verdict: Verdict, changed: boolean): void
}

export class Monitor {
  readonly check: HealthCheck
  readonly #prober: Prober
  readonly #owner: MonitorOwner
  #timer: NodeJS.Timeout | null = null
  #health: Health
  #failed: number
  #passed: number
  #due: number

  constructor(check: HealthCheck, prober: Prober, before: Findings | null, owner: MonitorOwner) {
    this.check = check
    this.#prober = prober
    this.#owner = owner
    this.#failed = before?.failed ?? 0
    this.#passed = before?.passed ?? 0
    this.#due = before?.due ?? 0
    this.#health = before?.health ?? 'up'
    // `mandatory` begins anew with each configuration, `persistent` does not for a peer that is well.
    if (check.mandatory && !(before?.health === 'up' && check.persistent)) this.#health = 'checking'
    if (this.#health === 'checking') this.#due = 0
  }

  get health(): Health {
    return this.#health
  }

  /** For the monitor that takes its place. */
  get findings(): Findings {
    return { health: this.#health, failed: this.#failed, passed: this.#passed, due: this.#due }
  }

  start(): void {
    const { interval, jitter } = this.check
    const wait = Math.min(Math.max(0, this.#due - performance.now()), interval)
    this.#timer = setTimeout(() => this.#ask(), delay(Math.round(wait + Math.random() * jitter)))
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#prober.stop()
  }

  #ask(): void {
    this.#due = performance.now() + this.check.interval
    this.#prober.start((verdict) => {
      const before = this.#health
      this.#count(verdict)
      this.start()
      this.#owner.checked(this, verdict, this.#health !== before)
    })
  }

  #count({ passed }: Verdict): void {
    const { fails, passes } = this.check
    this.#passed = passed ? this.#passed + 1 : 0
    this.#failed = passed ? 0 : this.#failed + 1
    // The first that passes is enough for a peer that nothing is known of.
    if (this.#health === 'checking' ? passed : this.#passed >= passes) this.#health = 'up'
    else if (this.#failed >= fails) this.#health = 'unhealthy'
  }
}
