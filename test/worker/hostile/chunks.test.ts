// Bodies in many small chunks: what costs the sender six bytes must not cost a write each, and nothing may be lost,
// doubled or reordered when chunks are put together.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BodyDecoder, type BodyEvents } from '../../../src/worker/http1/body-decoder.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

/** Keeps what it is told. */
class Record implements BodyEvents {
  content_ = ''
  pieces = 0
  completed = 0

  content(bytes: Buffer, start: number, end: number): void {
    this.content_ += bytes.toString('latin1', start, end)
    this.pieces++
    // Whoever takes content may put a chunk-size line in front of it, over what has been read.
    const prefix = `${(end - start).toString(16)}\r\n`
    if (end - start > 12_288) bytes.write(prefix, start - prefix.length, 'latin1')
  }

  complete(): void {
    this.completed++
  }
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const HEADROOM = 100

function decode(decoder: BodyDecoder, text: string, events: BodyEvents): number {
  const bytes = Buffer.from('.'.repeat(HEADROOM) + text, 'latin1')
  return decoder.decode(bytes, HEADROOM, bytes.length, events) - HEADROOM
}

describe('chunks that arrive together', () => {
  it('are one piece when they are small', () => {
    const decoder = new BodyDecoder()
    const record = new Record()
    decoder.startChunked()
    const text = `${'1\r\na\r\n'.repeat(1000)}0\r\n\r\n`
    expect(decode(decoder, text, record)).toBe(text.length)
    expect(record).toMatchObject({ content_: 'a'.repeat(1000), pieces: 1, completed: 1 })
  })

  it('keep their bytes in order, of whatever sizes and cut wherever', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20_000 }))
    const sizes = fc.array(size, { maxLength: 12 })
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 })
    fc.assert(
      fc.property(sizes, cuts, (lengths, where) => {
        const parts = lengths.map((length, index) => String.fromCharCode(97 + index).repeat(length))
        const text = `${parts.map(chunk).join('')}0\r\na: b\r\n\r\n`
        const ends = [...where.map((part) => Math.floor(part * text.length)), text.length].sort(
          (a, b) => a - b,
        )
        const decoder = new BodyDecoder()
        const record = new Record()
        decoder.startChunked()
        let from = 0
        for (const end of ends) {
          expect(decode(decoder, text.slice(from, end), record)).toBe(end - from)
          from = end
        }
        expect(record.content_).toBe(parts.join(''))
        expect(record.completed).toBe(1)
        expect(decoder.received).toBe(record.content_.length)
      }),
      { numRuns: 300 },
    )
  })

  it('pass on what came before a broken one', () => {
    const decoder = new BodyDecoder()
    const record = new Record()
    decoder.startChunked()
    expect(decode(decoder, '1\r\na\r\n1\r\nb\r\nzz', record)).toBe(-1 - HEADROOM)
    expect(record).toMatchObject({ content_: 'ab', completed: 0 })
  })
})

describe('a message in tiny chunks', () => {
  let backend: PeerServer
  let engine: TestEngine

  beforeAll(async () => {
    backend = await PeerServer.start()
    engine = await TestEngine.start(
      serverConf('location / { proxy_pass http://%BACKEND%; proxy_request_buffering off; }'),
      {
        BACKEND: backend.address,
      },
    )
  })
  afterAll(async () => {
    await engine.stop()
    await backend.stop()
  })

  it('goes on in few', async () => {
    const client = engine.connect()
    client.transport.receive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    const peer = await backend.next()
    client.transport.receive(`${'1\r\na\r\n'.repeat(500)}0\r\n\r\n`)
    expect(await peer.take('0\r\n\r\n')).toContain(`\r\n\r\n1f4\r\n${'a'.repeat(500)}\r\n0\r\n\r\n`)
    await peer.send(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(500)}0\r\n\r\n`,
    )
    await eventually('whole answer', () => client.transport.sent.endsWith('\r\n0\r\n\r\n'))
    expect(client.transport.sends.length).toBeLessThan(5)
    client.transport.break()
    await eventually('end of the connection', () => client.gone)
  })
})
