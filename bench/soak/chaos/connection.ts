// One connection at a backend of the chaos: a request after the other, and what becomes of it in between.

import type { Socket } from 'node:net'
import type { ChaosBackend } from './backend.ts'
import { Exchange } from './exchange.ts'
import { answers, type Behaviour } from './faults.ts'
import { type RequestHead, RequestReader } from './request-reader.ts'
import type { Failing, Visit } from './trials.ts'

/** Closed from here: no request on it is answered any more, whatever comes. */
const AT_ONCE: Failing = { name: 'closed the kept connection as it came', stage: 'head', statuses: [502] }
const BEFORE: Failing = { name: 'closed the kept connection before it came', stage: 'head', statuses: [502] }
const BABBLED: Failing = { name: 'sent surplus on the kept connection', stage: 'head', statuses: [502] }
/** Milliseconds in which an idle connection may be closed: the next request comes about then. */
const IDLE = 25

export class Connection {
  readonly #backend: ChaosBackend
  readonly #socket: Socket
  readonly #reader: RequestReader
  #exchange: Exchange | null = null
  /** Waits for the request to be complete. */
  #waiting: Behaviour | null = null
  /** Why nothing is answered; null: it is. */
  #refuses: Failing | null = null
  #closesAtNext = false

  constructor(backend: ChaosBackend, socket: Socket) {
    this.#backend = backend
    this.#socket = socket
    this.#reader = new RequestReader({
      head: (head) => this.#head(head),
      complete: (right) => this.#complete(right),
    })
    socket.on('data', (chunk: Buffer) => this.#reader.read(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => {
      this.#exchange?.abandoned()
      socket.destroy()
    })
    socket.on('close', () => this.#exchange?.abandoned())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The backend dies. */
  die(way: 'end' | 'reset'): void {
    this.#exchange?.die('stopped')
    this.#waiting = null
    this.#refuses = { name: 'stopped', stage: 'head', statuses: [502] }
    if (way === 'reset') this.#socket.resetAndDestroy()
    else this.#socket.end()
  }

  #head({ id, length }: RequestHead): void {
    const { random, trials, mood } = this.#backend
    const visit = trials.visit(id, this.#backend.name)
    if (this.#refuses !== null) return refuse(visit, this.#refuses)
    if (this.#closesAtNext) {
      refuse(visit, AT_ONCE)
      this.#refuses = AT_ONCE
      if (random.chance(0.5)) this.#socket.resetAndDestroy()
      else this.#socket.end()
      return
    }
    const exchange = new Exchange(this.#socket, random, length, visit, (ended) => this.#backend.ended(ended))
    this.#exchange = exchange
    this.#backend.begun(exchange)
    const behaviour = mood.answer?.(random) ?? answers
    // Right answers are to what was asked; a failure may come before that is known.
    if (behaviour !== answers && random.chance(0.3)) void this.#play(exchange, behaviour)
    else this.#waiting = behaviour
  }

  #complete(right: boolean): void {
    const { name, trials } = this.#backend
    if (!right) trials.offence(`${name} got other content than the client has sent`)
    const behaviour = this.#waiting
    this.#waiting = null
    if (behaviour !== null && this.#exchange !== null) void this.#play(this.#exchange, behaviour)
  }

  async #play(exchange: Exchange, behaviour: Behaviour): Promise<void> {
    if ((await behaviour(exchange)) && !this.#socket.destroyed) this.#rest()
  }

  /** The answer is out, and the connection could be kept. */
  #rest(): void {
    const { mood, random } = this.#backend
    const keeping = mood.keeping(random)
    if (keeping === 'kept') return
    if (keeping === 'closes at the next request') {
      this.#closesAtNext = true
      return
    }
    const time = random.chance(0.3) ? 0 : random.between(0, IDLE)
    if (time === 0) this.#endIdle(keeping)
    else setTimeout(() => this.#endIdle(keeping), time)
  }

  #endIdle(way: 'ends' | 'half ends' | 'resets' | 'babbles'): void {
    if (way === 'babbles') return this.#babble()
    if (this.#exchange?.open || this.#socket.destroyed) return
    this.#backend.trials.closedIdle(this.#backend.name)
    this.#refuses = BEFORE
    if (way === 'resets') {
      this.#exchange?.die('reset behind the answer')
      this.#socket.resetAndDestroy()
    }
    if (way === 'ends') this.#socket.destroySoon()
    if (way === 'half ends') this.#socket.end()
  }

  /** Bytes that belong to no answer; a request that is here by now, and not being answered yet, is lost by them. */
  #babble(): void {
    if (this.#exchange?.open && this.#exchange.answering) return
    this.#refuses = BABBLED
    this.#exchange?.fail(BABBLED)
    if (this.#socket.writable) this.#socket.write('surplus')
  }
}

function refuse(visit: Visit | null, failing: Failing): void {
  if (visit !== null) visit.failing = failing
}
