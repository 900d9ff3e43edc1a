// The HTTP/2 wire against bytes that nobody has thought of: whatever comes, an exchange ends once at most, and nothing is
// told of it afterwards.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Transport } from '../../../../src/worker/transport/transport.ts'
import { Http2Wire } from '../../../../src/worker/upstream/http2/http2-wire.ts'
import type { WireEvents } from '../../../../src/worker/upstream/wire.ts'
import { CODES, frame, settings, TYPES } from '../../../support/http2-bytes.ts'
import { block, indexed } from '../../../support/http2-hpack.ts'

class Told implements WireEvents {
  readonly headLimit = 4096
  readonly trailerLimit = 4096
  readonly events: string[] = []
  ends = 0
  bytes = 0
  readonly #wire: Http2Wire

  constructor(wire: Http2Wire) {
    this.#wire = wire
  }
  interimHead(): boolean {
    return this.#more('interim')
  }
  mayUpgrade(): boolean {
    return true
  }
  switches(): void {
    throw new Error('there is nothing to switch to')
  }
  finalHead(): boolean {
    if (this.#wire.done) this.ends++
    return this.#more('head')
  }
  content(_bytes: Buffer, start: number, end: number, last: boolean): void {
    this.bytes += end - start
    if (last) this.ends++
    this.#more('content')
  }
  complete(): void {
    this.ends++
    this.#more('complete')
  }
  failed(): void {
    this.ends++
    this.#more('failed')
  }
  #more(event: string): boolean {
    expect(this.ends).toBeLessThan(2)
    this.events.push(event)
    return true
  }
}

/** Takes everything and remembers how much. */
class Sink {
  sent = 0
  backlogged = false
  send(prefix: string, _bytes: Buffer | null, start: number, end: number, suffix: string): boolean {
    this.sent += prefix.length + end - start + suffix.length
    return true
  }
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    block([':status', '200']),
    indexed(8),
    block([':status', '103']),
    block(['a', 'b']),
    Buffer.alloc(4),
    Buffer.alloc(8),
    Buffer.from([0, 0, 0, 1]),
  ),
)
const frames = fc.array(
  fc
    .record({
      type: fc.integer({ min: 0, max: TYPES.length }),
      flags: fc.oneof(fc.constantFrom(0, 1, 4, 5), fc.integer({ min: 0, max: 255 })),
      stream: fc.oneof(fc.constantFrom(1, 0), fc.integer({ min: 0, max: CODES.length })),
      payload,
    })
    .map(({ type, flags, stream, payload: bytes }) => frame(type, flags, stream, bytes)),
  { maxLength: 12 },
)
const stream = fc.oneof(
  frames.map((list) => Buffer.concat([settings(), ...list])),
  frames.map((list) => Buffer.concat(list)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)

it('any bytes, cut anywhere, end an exchange once at most', () => {
  fc.assert(
    fc.property(stream, fc.integer({ min: 1, max: 30 }), fc.boolean(), (bytes, cut, idle) => {
      const sink = new Sink()
      const wire = new Http2Wire(sink as unknown as Transport, { sentOn: () => {} })
      const told = new Told(wire)
      if (!idle) {
        wire.begin(told, false)
        wire.send(block([':method', 'GET']).toString('latin1'), null, 0, 0, true)
      }
      for (let at = 0; at < bytes.length; at += cut) {
        const end = Math.min(bytes.length, at + cut)
        if (idle) wire.readIdle(bytes, at, end)
        else wire.read(bytes, at, end)
        if (told.ends > 0) wire.release()
      }
      expect(told.bytes).toBeLessThanOrEqual(bytes.length)
      expect(sink.sent).toBeLessThan(1000 + bytes.length * 4)
      if (idle) expect(told.events).toEqual([])
    }),
    { numRuns: 3000 },
  )
})
