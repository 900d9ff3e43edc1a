// `limit_rate` and `limit_rate_after`: how fast a response goes to its client. The rate of a request may also be set by
// `set $limit_rate` and by a backend's X-Accel-Limit-Rate. Content beyond it waits in the last sink of the chain, by
// nginx's arithmetic: what may have been sent grows by the rate with every second since the one the request began in.

import { HTTP_ANY, IF_IN_LOCATION } from '../../../shared/conf/command.ts'
import { parseInteger, parseSize } from '../../../shared/conf/values.ts'
import type { BodySink, HoldingFilter } from '../../http/body.ts'
import { type ComplexSize, complexSize, evaluateSize } from '../../http/complex-size.ts'
import type { Fields } from '../../http/fields.ts'
import { finalize } from '../../http/finalize.ts'
import { defineModule, OK } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { now } from '../../tick.ts'
import { Timer } from '../../timer.ts'
import { isSteady } from '../../transport/read-buffer.ts'

interface LimitRateConf {
  limitRate: ComplexSize
  limitRateAfter: ComplexSize
}

const ANYWHERE = HTTP_ANY | IF_IN_LOCATION

export const limitRate = defineModule<LimitRateConf>({
  name: 'limit_rate',
  commands: [
    { name: 'limit_rate', in: ANYWHERE, args: 1, set: complexSize, default: 0 },
    { name: 'limit_rate_after', in: ANYWHERE, args: 1, set: complexSize, default: 0 },
  ],
  headerFilter: {
    when: (conf) => conf.limitRate !== 0,
    run: (r) => {
      if (r.limitRate < 0) r.limitRate = evaluateSize(r, r.conf(limitRate).limitRate)
    },
  },
})

/** `$limit_rate` gets a value. */
export function assignRate(r: Request, text: string): void {
  const rate = parseSize(text)
  if (rate === null) r.log('error', `invalid $limit_rate "${text}"`)
  else r.limitRate = rate
}

/** X-Accel-Limit-Rate: whole bytes; anything else means nothing, as in nginx. */
export function acceptRate(r: Request, text: string): void {
  const rate = parseInteger(text)
  if (rate !== null) r.limitRate = rate
}

/** Puts the limit behind all filters, next to the client; called once the head of a limited response is known. */
export function limitContent(r: Request): void {
  const after = evaluateSize(r, r.conf(limitRate).limitRateAfter)
  const { holding } = r
  if (holding === null) r.holding = r.out = new RateSink(r, after, r.out, null)
  else r.holding = holding.out = new RateSink(r, after, holding.out, holding)
}

interface Piece {
  bytes: Buffer
  start: number
  end: number
}

class RateSink implements BodySink, HoldingFilter {
  out: BodySink
  previous: HoldingFilter | null
  readonly #r: Request
  readonly #after: number
  readonly #startSecond: number
  readonly #timer = new Timer(() => this.#goOn())
  readonly #held: Piece[] = []
  /** The time for more has not come; or (blocked) `out` has no room. */
  #delayed = false
  #blocked = false
  /** The producer waits to be told. */
  #told = false
  #ended = false
  #trailers: Fields | null = null
  #done = false
  /** The request waits for the end of the content. */
  #awaited = false

  constructor(r: Request, after: number, out: BodySink, previous: HoldingFilter | null) {
    this.#r = r
    this.#after = after
    this.#startSecond = Math.floor(r.started / 1000)
    this.out = out
    this.previous = previous
  }

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#ended || this.#done) return true
    if (last) this.#ended = true
    const at = this.#held.length === 0 ? this.#send(bytes, start, end) : start
    if (at < end) this.#hold(bytes, at, end)
    else if (last) this.#finish()
    const room = this.#held.length === 0 && !this.#delayed && !this.#blocked
    if (!room) this.#told = true
    return room
  }

  /** Sends as much as may be sent now; the position of the first byte that has to wait. */
  #send(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && !this.#delayed && !this.#blocked) {
      // The head counts, too.
      this.out.flush()
      const { stream, limitRate: rate } = this.#r
      const before = stream.bytesSent - this.#after
      const seconds = Math.floor(now() / 1000) - this.#startSecond + 1
      // 0: nobody is there any more who could be sent too much.
      const limit = rate === 0 ? Number.POSITIVE_INFINITY : rate * seconds - before
      if (limit <= 0) {
        this.#delay(Math.floor((-limit * 1000) / rate) + 1)
        break
      }
      const stop = Math.min(end, at + limit)
      const last = stop === end && this.#ended && this.#trailers === null && this.#held.length <= 1
      if (last) this.#done = true
      if (!this.out.write(bytes, at, stop, last)) this.#blocked = true
      at = stop
      const sent = Math.max(0, stream.bytesSent - this.#after) - Math.max(0, before)
      const delay = rate === 0 ? 0 : Math.floor((sent * 1000) / rate)
      if (delay > 0) this.#delay(delay)
    }
    return at
  }

  #delay(milliseconds: number): void {
    if (this.#done) return
    this.#delayed = true
    this.#timer.start(milliseconds)
  }

  #hold(bytes: Buffer, start: number, end: number): void {
    if (isSteady(bytes)) this.#held.push({ bytes, start, end })
    else this.#held.push({ bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start })
  }

  flush(): void {
    if (this.#held.length === 0 && !this.#done) this.out.flush()
  }

  end(trailers: Fields | null): void {
    if (this.#ended || this.#done) return
    this.#ended = true
    this.#trailers = trailers
    if (this.#held.length === 0) this.#finish()
  }

  #finish(): void {
    if (!this.#done) this.out.end(this.#trailers)
    this.#done = true
    this.#timer.dispose()
  }

  abort(): void {
    this.stop()
    this.out.abort()
  }

  /** The time has come. */
  #goOn(): void {
    this.#delayed = false
    this.#work()
  }

  /** The client has room again, or is gone. */
  resume(): void {
    this.#blocked = false
    if (this.#r.limitRate === 0) this.#delayed = false
    this.#work()
  }

  #work(): void {
    if (this.#done) return
    for (let piece = this.#held[0]; piece !== undefined; piece = this.#held[0]) {
      piece.start = this.#send(piece.bytes, piece.start, piece.end)
      if (piece.start < piece.end) return
      this.#held.shift()
    }
    if (this.#ended) {
      this.#finish()
      if (this.#awaited) finalize(this.#r, OK)
      return
    }
    if (!this.#told || this.#delayed || this.#blocked) return
    this.#told = false
    const producer = this.previous ?? this.#r.source
    producer?.resume()
  }

  finishes(): boolean {
    if (this.previous?.finishes() === true) return true
    return (this.#awaited = this.#ended && !this.#done)
  }

  stop(): void {
    this.previous?.stop()
    this.#done = true
    this.#held.length = 0
    this.#timer.dispose()
  }
}
