// What became of every request of the soak: answered as it must be, lost with a worker that was made to crash, or an
// error. Holds the access log to it at the end.

/** Milliseconds before a crash in which a line may still be in a buffer. */
const BUFFERED = 2500
/** Milliseconds after a crash in which a lost connection is its victim. */
const CRASH_REACH = 2500
const KEPT_ERRORS = 20

/** What the access log says of the answered requests. */
export interface LogFindings {
  lines: number
  /** Answered completely, with an identifier. */
  answered: number
  /** Answered completely, and no line, though no crash was near. */
  missing: number
  /** As `missing`, but within reach of a crash: the worker died with the line. */
  lostInCrash: number
  /** Identifiers with more than one line. */
  twice: number
  /** The line has another status than the client has seen. */
  otherStatus: number
}

export class Ledger {
  /** Complete right answers, by kind of client. */
  readonly done = new Map<string, number>()
  /** The first errors, in words. */
  readonly errors: string[] = []
  errorCount = 0
  victims = 0
  crashes: number[] = []
  /** Answered requests that have a line in the buffered log too. */
  readonly buffered = new Set<number>()
  #status = new Uint16Array(1 << 16)
  #when = new Float64Array(1 << 16)
  #last = 0

  /** A number for the next request: sent as `?n=`, logged by weir. */
  next(): number {
    this.#last++
    if (this.#last >= this.#status.length) {
      const longer = new Uint16Array(this.#status.length * 2)
      longer.set(this.#status)
      this.#status = longer
      const later = new Float64Array(longer.length)
      later.set(this.#when)
      this.#when = later
    }
    return this.#last
  }

  get issued(): number {
    return this.#last
  }

  get doneCount(): number {
    let sum = 0
    for (const count of this.done.values()) sum += count
    return sum
  }

  /** A client got what it must get. */
  succeeded(kind: string): void {
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1)
  }

  /** The answer to request `id` came completely. */
  answered(id: number, status: number): void {
    this.#status[id] = status
    this.#when[id] = Date.now()
  }

  /** weir is about to lose a worker. */
  crash(): void {
    this.crashes.push(Date.now())
  }

  /** A wrong answer is an error always; a broken connection only where no crash explains it. */
  failed(kind: string, error: Error, broken: boolean): void {
    if (broken && this.#nearCrash(Date.now(), 0)) {
      this.victims++
      return
    }
    this.errorCount++
    if (this.errors.length < KEPT_ERRORS) this.errors.push(`${kind}: ${error.message}`)
  }

  #nearCrash(time: number, before: number): boolean {
    return this.crashes.some((crash) => time >= crash - before && time <= crash + CRASH_REACH)
  }

  /** Compares the access log, as the `soak` format writes it, with what the clients have seen. */
  compareLog(text: string): LogFindings {
    const seen = new Uint8Array(this.#last + 1)
    const findings: LogFindings = {
      lines: 0,
      answered: 0,
      missing: 0,
      lostInCrash: 0,
      twice: 0,
      otherStatus: 0,
    }
    for (const line of text.split('\n')) {
      if (line === '') continue
      findings.lines++
      const [id, status] = line.split(' ').map(Number) as [number, number]
      if (!(id > 0 && id <= this.#last)) continue
      if (++seen[id]! === 2) findings.twice++
      const answer = this.#status[id]!
      if (answer !== 0 && answer !== status) findings.otherStatus++
    }
    for (let id = 1; id <= this.#last; id++) {
      if (this.#status[id] === 0) continue
      findings.answered++
      if (seen[id]! > 0) continue
      if (this.#nearCrash(this.#when[id]!, 500)) findings.lostInCrash++
      else findings.missing++
    }
    return findings
  }

  /** How many of the requests in the buffered log have no line there, or several. */
  compareBuffered(text: string): number {
    const seen = new Map<number, number>()
    for (const line of text.split('\n')) {
      const id = Number(line.slice(0, line.indexOf(' ')))
      if (this.buffered.has(id)) seen.set(id, (seen.get(id) ?? 0) + 1)
    }
    let wrong = 0
    for (const id of this.buffered) {
      const lines = seen.get(id) ?? 0
      if (lines !== 1 && !(lines === 0 && this.#nearCrash(this.#when[id]!, BUFFERED))) wrong++
    }
    return wrong
  }
}
