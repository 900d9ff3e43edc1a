// The HTTP/1 parsers under generated input: nothing makes them throw, cutting the input changes nothing, what they
// accept is sound, and what is sound they accept.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fields } from '../../../src/worker/http/fields.ts'
import { escapeUri, normalizeTarget } from '../../../src/worker/http/uri.ts'
import { BodyDecoder, type BodyEvents } from '../../../src/worker/http1/body-decoder.ts'
import { RequestHead } from '../../../src/worker/http1/request-head.ts'
import { ResponseHead } from '../../../src/worker/http1/response-head.ts'
import { malformedRequests } from '../../corpus/malformed-requests.ts'
import { malformedResponses } from '../../corpus/malformed-responses.ts'
import { validRequests } from '../../corpus/valid-requests.ts'
import { validResponses } from '../../corpus/valid-responses.ts'

const RUNS = { numRuns: 1500 }

/** Pieces that mean something to a parser, among any latin1 characters. */
const fragment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...'\r\n|\r|\n|\0| |\t|:|;|,|/|?|%|0|1|F|chunked|Host: a\r\n|Content-Length: 3\r\n|Transfer-Encoding: chunked\r\n|Connection: close\r\n|GET |HTTP/1.1|HTTP/1.1 200 OK\r\n|\r\n\r\n'.split(
        '|',
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 8,
    }),
  },
)
const noise = fc.array(fragment, { maxLength: 20 }).map((parts) => parts.join(''))

/** A message of `corpus` with one stretch replaced by noise. */
function mutated(corpus: readonly string[]): fc.Arbitrary<string> {
  const messages = corpus.filter((text) => text.length < 1000)
  return fc
    .tuple(fc.constantFrom(...messages), fc.nat(), fc.nat(8), noise)
    .map(([text, position, removed, added]) => {
      const at = position % (text.length + 1)
      return text.slice(0, at) + added + text.slice(at + removed)
    })
}

const cuts = fc.array(fc.nat(200), { maxLength: 6 })

/** Growing prefixes of `text`, ending with all of it. */
function prefixes(text: string, lengths: readonly number[]): string[] {
  const ends = [...new Set(lengths.filter((length) => length > 0 && length < text.length))].sort(
    (a, b) => a - b,
  )
  return [...ends.map((end) => text.slice(0, end)), text]
}

describe('request head', () => {
  const messages = [...validRequests, ...malformedRequests].map(({ bytes }) => bytes)

  function read(texts: readonly string[]): { end: number; head: RequestHead } {
    const head = new RequestHead()
    for (const text of texts) {
      const end = head.read(text)
      if (end !== 0) return { end, head }
    }
    return { end: 0, head }
  }

  it('is read the same in one piece and in many, and sound when accepted', () => {
    fc.assert(
      fc.property(fc.oneof(noise, mutated(messages)), cuts, (text, lengths) => {
        const whole = read([text])
        const pieces = read(prefixes(text, lengths))
        expect(pieces.end).toBe(whole.end)
        expect(pieces.head.refusal).toEqual(whole.head.refusal)
        expect(whole.end < 0).toBe(whole.head.refusal !== null)
        if (whole.end <= 0) return
        expect(whole.end).toBeLessThanOrEqual(text.length)
        expectSound(text.slice(0, whole.end), whole.head.fields)
        expect(whole.head.method).toMatch(/^[A-Z_-]+$/)
        expect(whole.head.target).toMatch(/^[/?][^\0- \x7f]*$/)
        expect(whole.head.chunked && whole.head.contentLength >= 0).toBe(false)
        if (whole.head.minor >= 1) expect(countOf(whole.head.fields, 'host')).toBe(1)
      }),
      RUNS,
    )
  })

  it('gives back the fields that were put in', () => {
    fc.assert(
      fc.property(fieldList, cuts, (list, lengths) => {
        const text = `GET /x HTTP/1.1\r\nHost: a\r\n${list.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
        const { end, head } = read(prefixes(text, lengths))
        expect(end).toBe(text.length)
        expect(fieldsOf(head.fields)).toEqual([['Host', 'a'], ...list])
      }),
      RUNS,
    )
  })

  it('keeps nothing of the request before it', () => {
    fc.assert(
      fc.property(mutated(messages), mutated(messages), (first, second) => {
        const head = new RequestHead()
        head.read(first)
        head.reset()
        const fresh = read([second])
        expect(head.read(second)).toBe(fresh.end)
        // `broken` is only meant to be read after a refusal, which sets it.
        expect({ ...head, broken: fresh.head.broken, fields: fieldsOf(head.fields) }).toEqual({
          ...fresh.head,
          fields: fieldsOf(fresh.head.fields),
        })
      }),
      RUNS,
    )
  })
})

describe('response head', () => {
  const messages = [
    ...validResponses.map(({ bytes }) => bytes),
    ...malformedResponses.map(({ parts }) => parts.join('')),
  ]

  function read(texts: readonly string[]): { end: number; head: ResponseHead } {
    const head = new ResponseHead()
    for (const text of texts) {
      const end = head.read(text)
      if (end !== 0) return { end, head }
    }
    return { end: 0, head }
  }

  it('is read the same in one piece and in many, and sound when accepted', () => {
    fc.assert(
      fc.property(fc.oneof(noise, mutated(messages)), cuts, (text, lengths) => {
        const whole = read([text])
        const pieces = read(prefixes(text, lengths))
        expect(pieces.end).toBe(whole.end)
        expect(pieces.head.refusal).toBe(whole.head.refusal)
        if (whole.end <= 0) return
        expectSound(text.slice(0, whole.end), whole.head.fields)
        expect(whole.head.status).toBeGreaterThanOrEqual(100)
        expect(whole.head.chunked && whole.head.contentLength >= 0).toBe(false)
      }),
      RUNS,
    )
  })
})

describe('chunked body', () => {
  const chunk = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.constantFrom('', ';a=b', ';a="x y";c', ' ;d'),
    fc.nat(3),
    fc.boolean(),
  )

  it('gives back the content, wherever it is cut, and leaves what follows', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), cuts, fc.boolean(), (chunks, lengths, trailers) => {
        const encoded = Buffer.concat([
          ...chunks.flatMap(([data, extension, zeros, upper]) => {
            const digits = '0'.repeat(zeros) + data.length.toString(16)
            return [
              Buffer.from(`${upper ? digits.toUpperCase() : digits}${extension}\r\n`),
              data,
              Buffer.from('\r\n'),
            ]
          }),
          Buffer.from(`0\r\n${trailers ? 'X: 1\r\nY: 2\r\n' : ''}\r\n`),
        ])
        const result = decode(Buffer.concat([encoded, Buffer.from('GET /next')]), lengths)
        expect(result.broken).toBe(false)
        expect(result.used).toBe(encoded.length)
        expect(result.content).toEqual(Buffer.concat(chunks.map(([data]) => data)))
        expect(result.trailers).toEqual(
          trailers
            ? [
                ['X', '1'],
                ['Y', '2'],
              ]
            : null,
        )
      }),
      RUNS,
    )
  })

  it('is decoded the same in one piece and in many', () => {
    const bodies = [...malformedRequests, ...validRequests]
      .filter(({ bytes }) => /chunked/i.test(bytes) && bytes.length < 1000)
      .map(({ bytes }) => bytes.slice(bytes.indexOf('\r\n\r\n') + 4))
    fc.assert(
      fc.property(fc.oneof(noise, mutated(bodies)), cuts, (text, lengths) => {
        const bytes = Buffer.from(text, 'latin1')
        const whole = decode(bytes, [])
        const pieces = decode(bytes, lengths)
        expect(pieces.broken).toBe(whole.broken)
        if (whole.broken) return
        expect(pieces).toEqual(whole)
      }),
      RUNS,
    )
  })
})

describe('body of known length', () => {
  it('is passed on up to its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), cuts, (data, length, lengths) => {
        const result = decode(Buffer.from(data), lengths, length)
        expect(result.used).toBe(Math.min(length, data.length))
        expect(result.content).toEqual(Buffer.from(data.subarray(0, length)))
        expect(result.done).toBe(data.length >= length)
      }),
      RUNS,
    )
  })
})

describe('request target', () => {
  it('is normalised into a path without dot segments, empty segments and NUL, and stays so when escaped', () => {
    const part = fc.constantFrom(
      '/',
      '.',
      '..',
      '//',
      'a',
      'B',
      '%2f',
      '%2E',
      '%41',
      '%25',
      '%00',
      '%',
      '?',
      '#',
      '+',
      '\xe9',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const result = normalizeTarget(`/${parts.join('')}`)
        if (result === null) return
        expect(result.uri).toMatch(/^\//)
        expect(result.uri).not.toMatch(/\/\/|\/\.\.?(\/|$)|\0/)
        expect(normalizeTarget(escapeUri(result.uri))?.uri).toBe(result.uri)
      }),
      RUNS,
    )
  })
})

const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-'), minLength: 1, maxLength: 12 })
const value = fc
  .string({ unit: fc.constantFrom(...'abc 019\t"\\;,=:\xe9\xff'), maxLength: 20 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''))
const fieldList = fc.array(
  fc.tuple(
    token.map((name) => `X-${name}`),
    value,
  ),
  { maxLength: 12 },
)

function fieldsOf(fields: Fields): [string, string][] {
  return Array.from({ length: fields.count }, (_, index) => [fields.name(index), fields.value(index)])
}

function countOf(fields: Fields, name: string): number {
  return fieldsOf(fields).filter(([field]) => field.toLowerCase() === name).length
}

/** Lines end in CRLF and nothing else, and no field can be read in two ways. */
function expectSound(head: string, fields: Fields): void {
  expect(head).toMatch(/\r\n\r\n$/)
  expect(head.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  for (const [name, text] of fieldsOf(fields)) {
    expect(name).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
    expect(text).not.toMatch(/^ | $|[\0-\x08\x0a-\x1f\x7f]/)
  }
  expect(countOf(fields, 'content-length')).toBeLessThanOrEqual(1)
  expect(countOf(fields, 'transfer-encoding')).toBeLessThanOrEqual(1)
}

interface Decoded {
  broken: boolean
  done: boolean
  /** Bytes that belonged to the body. */
  used: number
  content: Buffer
  trailers: [string, string][] | null
}

/** Feeds `bytes` in pieces to a decoder of chunks, or of `length` bytes. */
function decode(given: Buffer, lengths: readonly number[], length: number | null = null): Decoded {
  const decoder = new BodyDecoder()
  // The decoder may move content within the buffer it reads.
  const bytes = Buffer.from(given)
  if (length === null) decoder.startChunked()
  else decoder.startLength(length)
  const pieces: Buffer[] = []
  let trailers: [string, string][] | null = null
  const events: BodyEvents = {
    content: (source, start, end) => void pieces.push(Buffer.from(source.subarray(start, end))),
    complete: (fields) => {
      trailers = fields === null ? null : fieldsOf(fields)
    },
  }
  let used = 0
  let broken = false
  for (const prefix of prefixes(bytes.toString('latin1'), lengths)) {
    if (decoder.done || broken) break
    const stop = decoder.decode(bytes, used, prefix.length, events)
    if (stop < 0) broken = true
    else used = stop
  }
  return { broken, done: decoder.done, used, content: Buffer.concat(pieces), trailers }
}
