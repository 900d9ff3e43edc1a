// How much a response buffer takes before it asks its backend to wait, to the byte, and that all of it comes out again in
// order however it is put in and taken.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BodySink } from '../../../../src/worker/http/body.ts'
import type { Request } from '../../../../src/worker/http/request.ts'
import { type BufferingSettings, TypeList } from '../../../../src/worker/upstream/buffering/conf.ts'
import { ResponseBuffer } from '../../../../src/worker/upstream/buffering/response-buffer.ts'
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts'
import { eventually } from '../../../support/wait.ts'

let folder: string
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => removeFolder(folder))

/** A client that takes `room` bytes more before it has to be waited for. */
class Client implements BodySink {
  room = 0
  readonly pieces: Buffer[] = []
  ended = 0

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    this.pieces.push(Buffer.from(bytes.subarray(start, end)))
    this.room -= end - start
    if (last) this.end()
    return this.room > 0
  }

  flush(): void {}

  end(): void {
    this.ended++
  }

  abort(): void {
    throw new Error('broken off')
  }

  get content(): Buffer {
    return Buffer.concat(this.pieces)
  }
}

interface Buffered {
  client: Client
  buffer: ResponseBuffer
  /** How often the backend was told that there is room. */
  resumed: number
  log: string[]
}

function buffered(settings: Partial<BufferingSettings>): Buffered {
  const client = new Client()
  const made: Buffered = { client, buffer: null!, resumed: 0, log: [] }
  const r = {
    out: client,
    holding: null,
    keepalive: true,
    doing: '',
    source: { resume: () => made.resumed++ },
    log: (level: string, message: string) => made.log.push(`[${level}] ${message}`),
  }
  made.buffer = ResponseBuffer.install(r as unknown as Request, {
    on: true,
    memory: 8192,
    busy: 4096,
    file: 0,
    writeSize: 4096,
    path: { folder, levels: [] },
    unbuffered: new TypeList([]),
    ...settings,
  })
  return made
}

/** Every byte says where it is. */
const bytesFrom = (at: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => ((at + index) * 31 + ((at + index) >> 8)) & 0xff))

/** Puts in `count` bytes, `piece` at a time: whether the last write asked to wait, and how many did. */
function fill({ buffer }: Buffered, count: number, piece: number): { waits: boolean; times: number } {
  let waits = false
  let times = 0
  for (let at = 0; at < count; at += piece) {
    const bytes = bytesFrom(at, Math.min(piece, count - at))
    waits = !buffer.write(bytes, 0, bytes.length, false)
    if (waits) times++
  }
  return { waits, times }
}

describe('a client that takes nothing', () => {
  it.each([
    [8192, 0, 1],
    [8192, 0, 512],
    [32_768, 0, 1024],
    [65_537, 0, 1],
    [8192, 8192, 1],
    [8192, 20_000, 1000],
    [12_288, 4096, 16_384],
  ])(
    'leaves room for %d bytes in memory and %d in a file, and not for another (%d at a time)',
    async (memory, file, piece) => {
      const below = buffered({ memory, file })
      expect(fill(below, memory + file - 1, piece)).toEqual({ waits: false, times: 0 })
      below.buffer.stop()
      const equal = buffered({ memory, file })
      expect(fill(equal, memory + file, piece)).toEqual({ waits: true, times: 1 })
      equal.buffer.stop()
      const above = buffered({ memory, file })
      // What one read of the backend brings is taken all the same.
      expect(fill(above, memory + file + 1, piece).waits).toBe(true)
      above.buffer.end(null)
      above.client.room = Number.POSITIVE_INFINITY
      above.buffer.resume()
      await eventually('all of it', () => above.client.ended === 1)
      expect(above.client.content.equals(bytesFrom(0, memory + file + 1))).toBe(true)
      expect(above.log.filter((line) => line.includes('temporary file'))).toHaveLength(file === 0 ? 0 : 1)
    },
  )

  it('gets no file for what memory holds to the last byte', () => {
    const one = buffered({ file: 100_000 })
    fill(one, 8192, 100)
    one.buffer.end(null)
    one.client.room = 100_000
    one.buffer.resume()
    expect(one.client.content.length).toBe(8192)
    expect(one.client.ended).toBe(1)
    expect(one.log).toEqual([])
  })

  it('gets a file for a byte more', async () => {
    const one = buffered({ file: 100_000 })
    fill(one, 8193, 100)
    one.buffer.end(null)
    one.client.room = 100_000
    one.buffer.resume()
    await eventually('all of it', () => one.client.ended === 1)
    expect(one.client.content.equals(bytesFrom(0, 8193))).toBe(true)
    expect(one.log.join()).toMatch(/^\[warn\] an upstream response is buffered to a temporary file .*\d{10}$/)
  })

  it('that has taken something makes room for the backend, once', () => {
    const one = buffered({ memory: 8192, busy: 4096 })
    expect(fill(one, 8192, 1024).waits).toBe(true)
    one.client.room = 1
    one.buffer.resume()
    expect(one.client.content.length).toBe(4096)
    expect(one.resumed).toBe(1)
    one.buffer.resume()
    expect(one.resumed).toBe(1)
    one.buffer.stop()
  })
})

describe.each([4095, 4096, 4097])('proxy_busy_buffers_size %d', (busy) => {
  it('is the most that is given to a client at a time', () => {
    const one = buffered({ busy, memory: 40_000 })
    fill(one, 40_000, 5000)
    one.client.room = Number.POSITIVE_INFINITY
    one.buffer.resume()
    // A block ends where it ends.
    const sizes = one.client.pieces.map(({ length }) => length)
    expect(Math.max(...sizes)).toBe(busy)
    expect(one.client.content.equals(bytesFrom(0, 40_000))).toBe(true)
    one.buffer.stop()
  })
})

describe('whatever is put in', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ write: fc.integer({ min: 1, max: 30_000 }) }) },
    { weight: 2, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 40_000 }) }) },
    { weight: 1, arbitrary: fc.constant({ wait: true }) },
  )
  const sizes = fc.record({
    memory: fc.constantFrom(8192, 10_000, 65_536),
    busy: fc.constantFrom(4096, 8192),
    file: fc.constantFrom(0, 4096, 50_000, 1_000_000),
    writeSize: fc.constantFrom(4096, 8192, 65_536),
  })

  it('comes out in order, to the last byte, and once', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.array(step, { maxLength: 60 }),
        fc.boolean(),
        async (settings, steps, last) => {
          const one = buffered(settings)
          let at = 0
          for (const action of steps) {
            if ('write' in action) {
              const bytes = bytesFrom(at, action.write)
              one.buffer.write(bytes, 0, bytes.length, false)
              bytes.fill(0)
              at += action.write
            } else if ('take' in action) {
              const blocked = one.client.room <= 0
              one.client.room = Math.max(0, one.client.room) + action.take
              if (blocked) one.buffer.resume()
            } else await new Promise((done) => setImmediate(done))
          }
          if (last) {
            const bytes = bytesFrom(at, 10)
            one.buffer.write(bytes, 0, 10, true)
            at += 10
          } else one.buffer.end(null)
          one.client.room = Number.POSITIVE_INFINITY
          one.buffer.resume()
          await eventually('the end', () => one.client.ended > 0)
          expect(one.client.content.equals(bytesFrom(0, at))).toBe(true)
          expect(one.client.ended).toBe(1)
        },
      ),
      { numRuns: 60 },
    )
  })
})
