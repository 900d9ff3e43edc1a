// Bodies of messages, given in one piece, in two cut anywhere, and in single bytes.

import { describe, expect, it } from 'vitest'
import type { Fields } from '../../../src/worker/http/fields.ts'
import { BodyDecoder, type BodyEvents } from '../../../src/worker/http1/body-decoder.ts'

class Events implements BodyEvents {
  text = ''
  completes = 0
  lasts = 0
  trailers: Fields | null = null
  content(bytes: Buffer, start: number, end: number, last: boolean): void {
    expect(end).toBeGreaterThan(start)
    this.text += bytes.toString('latin1', start, end)
    if (last) this.lasts++
  }
  complete(trailers: Fields | null): void {
    this.completes++
    this.trailers = trailers
  }
}

interface Outcome {
  text: string
  /** Bytes used; -1: refused. */
  used: number
  done: boolean
  ends: number
  trailers: string[]
}

/** Decodes `input` given in `pieces`. */
function decode(begin: (decoder: BodyDecoder) => void, pieces: string[]): Outcome {
  const decoder = new BodyDecoder()
  begin(decoder)
  const events = new Events()
  let used = 0
  for (const piece of pieces) {
    if (decoder.done) break
    // Something before and behind, which is none of its business.
    const bytes = Buffer.from(`##${piece}##`, 'latin1')
    const stop = decoder.decode(bytes, 2, 2 + piece.length, events)
    if (stop < 0) {
      used = -1
      break
    }
    used += stop - 2
  }
  const { trailers } = events
  return {
    text: events.text,
    used,
    done: decoder.done,
    ends: events.completes + events.lasts,
    trailers:
      trailers === null
        ? []
        : Array.from({ length: trailers.count }, (_, at) => `${trailers.name(at)}=${trailers.value(at)}`),
  }
}

/** The same outcome however the input is cut. */
function decodeAnyhow(begin: (decoder: BodyDecoder) => void, input: string): Outcome {
  const whole = decode(begin, [input])
  for (let cut = 1; cut < input.length; cut++) {
    expect(decode(begin, [input.slice(0, cut), input.slice(cut)]), `cut at ${cut}`).toEqual(whole)
  }
  expect(decode(begin, [...input]), 'single bytes').toEqual(whole)
  return whole
}

const chunked = (decoder: BodyDecoder) => decoder.startChunked()

describe('a chunked body', () => {
  it.each([
    ['0\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['1\r\na\r\n2\r\nbc\r\n0\r\n\r\n', 'abc'],
    ['A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['a\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['0005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['5;a\r\nhello\r\n0;b=c\r\n\r\n', 'hello'],
    ['5;a="b;c"\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5 ;a\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
    ['5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'],
  ])('%j is %j', (input, text) => {
    const outcome = decodeAnyhow(chunked, `${input}next`)
    expect(outcome).toEqual({ text, used: input.length, done: true, ends: 1, trailers: [] })
  })

  it('may have trailers', () => {
    const input = '3\r\nabc\r\n0\r\nX-A: 1\r\nB:2\r\n\r\n'
    expect(decodeAnyhow(chunked, `${input}next`)).toEqual({
      text: 'abc',
      used: input.length,
      done: true,
      ends: 1,
      trailers: ['X-A=1', 'B=2'],
    })
  })

  it.each([
    '',
    '5',
    '5\r',
    '5\r\n',
    '5\r\nhell',
    '5\r\nhello',
    '5\r\nhello\r\n',
    '0',
    '0\r\n',
    '0\r\n\r',
    '0\r\nA: b\r\n',
  ])('%j is not complete', (input) => {
    const outcome = decodeAnyhow(chunked, input)
    expect(outcome).toMatchObject({ used: input.length, done: false, ends: 0 })
  })

  it.each([
    ['no size', '\r\n'],
    ['not hexadecimal', 'g\r\n'],
    ['a sign', '+5\r\nhello\r\n'],
    ['0x', '0x5\r\nhello\r\n'],
    ['a space before the size', ' 5\r\nhello\r\n'],
    ['a size that is no number any more', '123456789abcdef0\r\n'],
    ['LF behind the size', '5\nhello\r\n'],
    ['CR and something else behind the size', '5\r5\r\nhello'],
    ['LF in an extension', '5;a\nhello\r\n'],
    ['NUL in an extension', '5;\0\r\nhello\r\n'],
    ['more than the size', '5\r\nhello!\r\n'],
    ['LF behind the content', '5\r\nhello\n0\r\n\r\n'],
    ['CR alone behind the content', '5\r\nhello\r0\r\n\r\n'],
    ['LF behind the last chunk', '0\n\r\n'],
    ['LF behind a trailer', '0\r\nA: b\n\r\n'],
    ['CR in a trailer', '0\r\nA: b\rc\r\n\r\n'],
    ['a trailer without a colon', '0\r\nA\r\n\r\n'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['an endless extension', `5;${'a'.repeat(5000)}`],
    ['endless trailers', `0\r\n${'A: b\r\n'.repeat(6000)}`],
  ])('with %s is refused', (_what, input) => {
    // Long ones need not be cut everywhere.
    const outcome = input.length < 1000 ? decodeAnyhow(chunked, input) : decode(chunked, [input])
    expect(outcome).toMatchObject({ used: -1, ends: 0 })
  })
})

describe('a body of known length', () => {
  it('ends there, with its last content', () => {
    const outcome = decodeAnyhow((decoder) => decoder.startLength(5), 'hellonext')
    expect(outcome).toEqual({ text: 'hello', used: 5, done: true, ends: 1, trailers: [] })
  })

  it('of length 0 is complete before it begins', () => {
    const decoder = new BodyDecoder()
    decoder.startLength(0)
    expect(decoder.done).toBe(true)
  })

  it('that stops short is not complete', () => {
    const outcome = decodeAnyhow((decoder) => decoder.startLength(6), 'hello')
    expect(outcome).toMatchObject({ text: 'hello', used: 5, done: false, ends: 0 })
  })
})

describe('a body until the end of the connection', () => {
  it('takes everything and is never complete', () => {
    const outcome = decodeAnyhow((decoder) => decoder.startUntilClose(), '0\r\n\r\nhello')
    expect(outcome).toMatchObject({ text: '0\r\n\r\nhello', used: 10, done: false, ends: 0 })
  })
})

describe('a decoder', () => {
  it('used again has forgotten the message before, even one that broke off', () => {
    const decoder = new BodyDecoder()
    const events = new Events()
    const give = (text: string) => decoder.decode(Buffer.from(text, 'latin1'), 0, text.length, events)
    decoder.startChunked()
    give('5\r\nhel')
    decoder.startChunked()
    expect(decoder.received).toBe(0)
    expect(give('2\r\nab\r\n0\r\nA: b')).toBe(14)
    decoder.startChunked()
    expect(give('1\r\nc\r\n0\r\n\r\n')).toBe(11)
    expect(events.text).toBe('helabc')
    expect(events.trailers).toBeNull()
    expect(decoder.done).toBe(true)
  })
})
