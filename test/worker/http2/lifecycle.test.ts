// How long a connection of HTTP/2 lasts: times, limits, reloads and ends, and what the counters say meanwhile.

import { afterEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { HoldingBackend } from '../../support/holding-backend.ts'
import { data, get, headers, PREFACE, ping, post, settings } from '../../support/http2-bytes.ts'
import { Http2Raw } from '../../support/http2-raw.ts'
import { eventually } from '../../support/wait.ts'

let engine: TestEngine
let hold: HoldingBackend | null = null
let client: Http2Raw | null = null

afterEach(async () => {
  client?.destroy()
  await engine.stop()
  await hold?.stop()
  hold = null
})

async function start(body: string): Promise<Http2Raw> {
  hold = await HoldingBackend.start()
  const conf = serverConf(`http2 on; ${body} location / { return 200 one; }
    location /hold { proxy_pass http://%HOLD%; }`)
  engine = await TestEngine.start(conf, { HOLD: hold.address })
  client = await Http2Raw.connect(engine.port)
  return client
}

const counters = (): number[] => {
  const { active, reading, writing, waiting } = engine.stats
  return [active, reading, writing, waiting]
}

describe('counters', () => {
  it('a connection waits while it has no stream, and each request is one that is written', async () => {
    const own = await start('')
    await own.pong()
    expect(counters()).toEqual([1, 0, 0, 1])
    own.send(get(1, '/hold'), get(3, '/hold'))
    await eventually('requests', () => hold!.current === 2)
    expect(counters()).toEqual([1, 0, 2, 0])
    expect(engine.stats.requests).toBe(2)
    hold!.release()
    await own.response(3)
    await own.response(1)
    await own.pong()
    expect(counters()).toEqual([1, 0, 0, 1])
    own.destroy()
    await eventually('the end', () => engine.stats.active === 0)
    expect(counters()).toEqual([0, 0, 0, 0])
  })

  it('are right again after a client that goes in the middle of everything', async () => {
    const own = await start('')
    await own.pong()
    own.send(get(1, '/hold'), post(3, '/hold'), data(3, 'part', 0), headers(5, Buffer.from([0x82]), 1))
    await eventually('request', () => hold!.current === 1)
    own.destroy(true)
    await eventually('the end', () => engine.stats.active === 0)
    expect(counters()).toEqual([0, 0, 0, 0])
    await eventually('the end at the backend', () => hold!.current === 0)
    expect((await engine.logged(2)).map((line) => line.slice(0, 3))).toEqual(['499', '499'])
  })
})

describe('a reload', () => {
  it('leaves connections open: new streams are of the new configuration, those at work of the old one', async () => {
    const own = await start('')
    own.send(get(1), get(3, '/hold'))
    expect((await own.response(1)).body).toBe('one')
    await eventually('request', () => hold!.current === 1)
    engine.load(serverConf('http2 on; location / { return 200 two; } location /hold { return 200 changed; }'))
    own.send(get(5), get(7, '/hold'))
    expect((await own.response(5)).body).toBe('two')
    expect((await own.response(7)).body).toBe('changed')
    hold!.release()
    expect((await own.response(3)).body).toBe('ok')
    expect(own.find('GOAWAY')).toBeUndefined()
  })
})

describe('limits', () => {
  it('keepalive_time: the request that comes after it is the last', async () => {
    const own = await start('keepalive_time 1ms;')
    await own.pong()
    const opened = Date.now()
    await eventually('a later time', () => Date.now() > opened + 2)
    own.send(get(1))
    expect((await own.response(1)).status).toBe(200)
    await eventually('GOAWAY', () => own.lastGoaway() !== null)
    await own.untilClosed()
  })

  it('keepalive_timeout 0: one request', async () => {
    const own = await start('keepalive_timeout 0;')
    own.send(get(1), get(3))
    expect((await own.response(1)).status).toBe(200)
    expect(await own.goaway()).toMatchObject({ code: 'NO_ERROR', last: 1 })
    await own.untilClosed()
    expect(own.responses.has(3)).toBe(false)
  })

  it('client_header_timeout: a frame, or a header block, has to be completed', async () => {
    const own = await start('client_header_timeout 50ms;')
    own.send(ping().subarray(0, 12))
    expect((await own.goaway()).code).toBe('NO_ERROR')
    await own.untilClosed()
    const line = 'client timed out (110: Connection timed out) while processing HTTP/2 connection'
    await eventually('log line', () => engine.errorLog.includes(line))
    const other = await Http2Raw.connect(engine.port)
    await other.pong()
    other.send(get(1, '/hold'), headers(3, Buffer.from([0x82]), 1))
    expect((await other.goaway()).code).toBe('NO_ERROR')
    await other.untilClosed()
  })

  it('client_header_timeout: the preface, too', async () => {
    await start('client_header_timeout 50ms;')
    const own = await Http2Raw.connect(engine.port, { first: PREFACE.subarray(0, 10) })
    await own.untilClosed()
  })

  it('keepalive_timeout counts from the last frame, requests or not', async () => {
    const own = await start('keepalive_timeout 100ms;')
    for (let count = 0; count < 3; count++) await own.pong()
    own.send(settings())
    expect((await own.goaway()).code).toBe('NO_ERROR')
    await own.untilClosed()
  })
})

it('idle connections make room for others, and busy ones do not', async () => {
  const own = await start('')
  own.send(get(1, '/hold'))
  await eventually('request', () => hold!.current === 1)
  const idle = await Http2Raw.connect(engine.port)
  await idle.pong()
  expect(engine.engine.shed(2)).toBe(1)
  expect((await idle.goaway()).code).toBe('NO_ERROR')
  await idle.untilClosed()
  await own.pong()
  hold!.release()
  expect((await own.response(1)).status).toBe(200)
})
