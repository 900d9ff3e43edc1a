// What is known of each request of the chaos while it is under way: what it was, and what the backends that saw it did
// about it. Written by clients and backends, read by judge.ts.

export type Method = 'GET' | 'POST' | 'PUT'

/** How a backend failed a request. */
export interface Failing {
  /** For the report. */
  name: string
  /** `head`: nothing of an answer that is one; `body`: the answer breaks off. */
  stage: 'head' | 'body'
  /** What a client may get that has no second chance: statuses. */
  statuses: readonly number[]
}

/** A request at a backend. */
export interface Visit {
  backend: string
  /** The head of a right answer has gone out. */
  answering: boolean
  /** null: it was answered as it must be, or is being so. */
  failing: Failing | null
  /** The client has left meanwhile, and weir may have given the request up. */
  left: boolean
}

export interface Trial {
  id: number
  method: Method
  /** Bytes of the request's content. */
  content: number
  /** Bytes that the answer must have. */
  length: number
  started: number
  visits: Visit[]
}

export class Trials {
  readonly #open = new Map<number, Trial>()
  /** When each backend closed a kept connection, which a request may have been on its way to. */
  readonly #closed = new Map<string, number>()
  /** What no request explains: broken rules that backends saw. */
  readonly offences: string[] = []

  begin(id: number, method: Method, content: number, length: number): Trial {
    const trial = { id, method, content, length, started: Date.now(), visits: [] }
    this.#open.set(id, trial)
    return trial
  }

  end({ id }: Trial): void {
    this.#open.delete(id)
  }

  /** Its client has left. */
  leave({ visits }: Trial): void {
    for (const visit of visits) visit.left = true
  }

  /** A backend has read the head of request `id`. null: its client has left. */
  visit(id: number, backend: string): Visit | null {
    const trial = this.#open.get(id)
    if (trial === undefined) return null
    const visit = { backend, answering: false, failing: null, left: false }
    trial.visits.push(visit)
    return visit
  }

  closedIdle(backend: string): void {
    this.#closed.set(backend, Date.now())
  }

  /** Whether a backend has closed kept connections since `time`. */
  anyClosedSince(time: number): boolean {
    return [...this.#closed.values()].some((closed) => closed >= time)
  }

  offence(what: string): void {
    if (this.offences.length < 20) this.offences.push(what)
  }
}
