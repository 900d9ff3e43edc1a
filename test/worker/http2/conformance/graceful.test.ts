// RFC 9113 section 6.8 and 9.1: how the server ends connections, on its own account.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { HoldingBackend } from '../../../support/holding-backend.ts'
import {
  continuation,
  data,
  END_HEADERS,
  fieldsOf,
  get,
  headers,
  post,
  priority,
  rstStream,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { block, indexed, indexing } from '../../../support/http2-hpack.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { eventually } from '../../../support/wait.ts'

const CONF = serverConf(`
  http2 on;
  keepalive_requests 4;
  location / { return 200 ok; }
  location /hold { proxy_pass http://%HOLD%; }
`)

let engine: TestEngine
let hold: HoldingBackend

beforeAll(async () => {
  hold = await HoldingBackend.start()
  engine = await TestEngine.start(CONF, { HOLD: hold.address })
})
afterAll(async () => {
  await engine.stop()
  await hold.stop()
})

it('6.8 keepalive_requests: GOAWAY NO_ERROR names the last stream, all of them are answered, then the end', async () => {
  const client = await Http2Raw.connect(engine.port)
  client.send(get(1, '/hold'), post(3, '/hold'), get(5), get(7))
  await client.response(7)
  const { code, last } = await client.goaway()
  expect([code, last]).toEqual(['NO_ERROR', 7])
  client.send(get(9), data(3, 'body'))
  await eventually('requests', () => hold.current === 2)
  await client.pong()
  hold.release()
  for (const stream of [1, 3]) expect((await client.response(stream)).body).toBe('ok')
  await client.untilClosed()
  expect(client.responses.has(9)).toBe(false)
  expect(client.wasReset).toBe(false)
  expect(client.lastGoaway()).toMatchObject({ code: 'NO_ERROR', last: 7 })
})

it('6.8 behind GOAWAY: frames of newer streams are ignored, but for the state of the connection', async () => {
  const client = await Http2Raw.connect(engine.port)
  client.send(post(1, '/hold'), get(3), get(5), get(7))
  expect((await client.goaway()).last).toBe(7)
  const request = block(...fieldsOf('POST', '/hold'))
  client.send(
    headers(9, Buffer.concat([request, indexing('x-later', 'known')]), END_HEADERS),
    data(9, 'x'.repeat(10_000), 0),
    windowUpdate(9, 10),
    priority(9),
    rstStream(9),
    headers(11, request.subarray(0, 5), 0),
    continuation(11, request.subarray(5)),
    data(11, 'x'),
  )
  await client.pong()
  // Trailers that refer to what came with a request nobody has read.
  client.send(data(1, 'body', 0), headers(1, indexed(62)))
  await eventually('request', () => hold.current === 1)
  hold.release()
  expect((await client.response(1)).status).toBe(200)
  await client.untilClosed()
  expect([9, 11].filter((stream) => client.responses.has(stream))).toEqual([])
  expect(client.lastGoaway()).toMatchObject({ code: 'NO_ERROR', last: 7 })
})

it('6.8 behind GOAWAY: a rule that is broken ends the connection at once', async () => {
  const client = await Http2Raw.connect(engine.port)
  client.send(post(1, '/hold'), get(3), get(5), get(7))
  await client.goaway()
  client.send(get(9), data(0, 'x'))
  expect(await client.outcome(1)).toBe('GOAWAY PROTOCOL_ERROR')
  await client.untilClosed()
  expect(client.lastGoaway()!.last).toBe(7)
  await eventually('end of the request', () => hold.current === 0)
})

it('6.8 GOAWAY of the client and its end: what is at work is answered first', async () => {
  const client = await Http2Raw.connect(engine.port)
  client.send(get(1))
  await client.response(1)
  client.socket.end()
  await client.untilClosed()
  expect(client.wasReset).toBe(false)
})

it('6.8 a worker that drains: GOAWAY NO_ERROR to idle connections, and to busy ones, which are answered', async () => {
  const own = await TestEngine.start(CONF, { HOLD: hold.address })
  const idle = await Http2Raw.connect(own.port)
  await idle.pong()
  const busy = await Http2Raw.connect(own.port)
  busy.send(get(1, '/hold'))
  await eventually('request', () => hold.current === 1)
  const stopped = own.stop()
  expect(await idle.goaway()).toMatchObject({ code: 'NO_ERROR' })
  await idle.untilClosed()
  expect((await busy.goaway()).code).toBe('NO_ERROR')
  hold.release()
  expect((await busy.response(1)).status).toBe(200)
  await busy.untilClosed()
  expect(busy.violation).toBe('')
  await stopped
})

it('9.1 keepalive_timeout: GOAWAY NO_ERROR, then the end', async () => {
  const own = await TestEngine.start(serverConf('http2 on; keepalive_timeout 50ms; return 200 ok;'))
  const client = await Http2Raw.connect(own.port)
  client.send(get(1))
  await client.response(1)
  expect(await client.goaway()).toMatchObject({ code: 'NO_ERROR', last: 1 })
  await client.untilClosed()
  await eventually('end', () => own.stats.active === 0)
  await own.stop()
})
