// Every request of the corpora, whatever its length, cut in two at every byte: a connection in memory answers the same
// as when it comes whole. And the heads of every response: the parser finds the same in them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ResponseHead } from '../../../src/worker/http1/response-head.ts'
import { run as endTurn } from '../../../src/worker/tick.ts'
import { malformedRequests } from '../../corpus/malformed-requests.ts'
import { malformedResponses } from '../../corpus/malformed-responses.ts'
import { validRequests } from '../../corpus/valid-requests.ts'
import { validResponses } from '../../corpus/valid-responses.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { eventually } from '../../support/wait.ts'

/** Behind so many bytes a head has been refused, wherever it is cut. */
const REFUSED_LONG_AGO = 50_000

/** For the longest messages, tens of thousands of cuts each. */
const LIMIT = { timeout: 240_000 }

/** Where to cut `text`: at every byte. */
function* places(text: string): Generator<number> {
  const last = Math.min(text.length, REFUSED_LONG_AGO)
  for (let at = 1; at < last; at++) yield at
}

describe('a request in two parts', () => {
  let engine: TestEngine

  beforeAll(async () => {
    engine = await TestEngine.start(
      serverConf(
        'access_log off; error_log logs/error.log crit; return 200 "$request_method $request_uri $http_x";',
      ),
    )
  })
  afterAll(() => engine.stop())

  /** What the connection sends and does when these parts arrive one after the other. */
  function answer(parts: string[]): { sent: string; ended: boolean } {
    const client = engine.connect()
    const { transport } = client
    for (const part of parts) {
      if (part !== '' && transport.reading) transport.receive(part)
      endTurn()
    }
    const ended = transport.calls.length > 0
    const sent = transport.sent.replace(/Date: [^\r]*/g, 'Date: -')
    transport.destroy()
    endTurn()
    return { sent, ended }
  }

  it.each([...validRequests, ...malformedRequests])('$name', LIMIT, async ({ bytes }) => {
    const whole = answer([bytes])
    // As in nginx, a broken body that nobody asked for is refused where that shows before there is an answer.
    const behindHead = bytes.indexOf('\r\n\r\n') + 4
    const late = answer([bytes.slice(0, behindHead), bytes.slice(behindHead)])
    for (const cut of places(bytes)) {
      const { sent, ended } = answer([bytes.slice(0, cut), bytes.slice(cut)])
      if (cut >= behindHead && sent === late.sent && ended === late.ended) continue
      if (sent !== whole.sent || ended !== whole.ended) {
        expect({ cut, sent, ended }).toEqual({ cut, ...whole })
      }
    }
    await eventually('no connection left', () => engine.stats.active === 0)
  })
})

describe('a response head in two parts', () => {
  const responses = [
    ...validResponses.map(({ name, bytes }) => ({ name, bytes })),
    ...malformedResponses.map(({ name, parts }) => ({ name, bytes: parts.join('') })),
  ]

  function read(texts: string[]): unknown {
    const head = new ResponseHead()
    let end = 0
    for (const text of texts) if (end === 0) end = head.read(text)
    const { status, refusal, contentLength, chunked, keepAlive } = head
    return end > 0 ? { end, status, contentLength, chunked, keepAlive } : { end, refusal }
  }

  it.each(responses)('$name', LIMIT, ({ bytes }) => {
    const whole = JSON.stringify(read([bytes]))
    for (const cut of places(bytes)) {
      const parts = JSON.stringify(read([bytes.slice(0, cut), bytes]))
      if (parts !== whole) expect({ cut, parts }).toEqual({ cut, parts: whole })
    }
  })
})
