// A configuration that is replaced while HTTP/2 connections are open: they stay, streams that are at work finish on what
// they began with, and the next ones follow what is new.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { HoldingBackend } from '../../support/holding-backend.ts'
import { data, get, post } from '../../support/http2-bytes.ts'
import { Http2Raw } from '../../support/http2-raw.ts'
import { eventually } from '../../support/wait.ts'

let engine: TestEngine
let hold: HoldingBackend

const conf = (text: string, more = 'http2 on;') =>
  serverConf(`${more}
    add_header X-Conf ${text};
    location / { return 200 ${text}; }
    location /hold { proxy_pass http://%HOLD%; }`)

beforeAll(async () => {
  hold = await HoldingBackend.start()
  engine = await TestEngine.start(conf('old'), { HOLD: hold.address })
})
afterAll(async () => {
  await engine.stop()
  await hold.stop()
})

it('streams at work keep their configuration, the next have the new one, on the same connection', async () => {
  const client = await Http2Raw.connect(engine.port)
  client.send(get(1), get(3, '/hold'), post(5, '/hold'))
  expect((await client.response(1)).body).toBe('old')
  await eventually('request', () => hold.current === 1)
  engine.load(conf('new'))
  client.send(get(7), data(5, 'body'))
  expect((await client.response(7)).body).toBe('new')
  await eventually('requests', () => hold.current === 2)
  hold.release()
  for (const stream of [3, 5])
    expect((await client.response(stream)).fields).toContainEqual(['x-conf', 'old'])
  expect(client.find('GOAWAY')).toBeUndefined()
  client.destroy()
})

it('a server that no longer wants HTTP/2 ends the connections that have it in good order, or refuses their requests', async () => {
  engine.load(conf('old'))
  const client = await Http2Raw.connect(engine.port)
  client.send(get(1))
  await client.response(1)
  engine.load(conf('plain', ''))
  client.send(get(3))
  await client.when(
    'an answer',
    () => client.responses.get(3)?.ended || client.lastGoaway() !== null || client.ended,
  )
  const response = client.responses.get(3)
  if (response !== undefined && response.status > 0) expect([200, 421]).toContain(response.status)
  else expect(client.lastGoaway()?.code).toBe('NO_ERROR')
  client.destroy()
  engine.load(conf('old'))
})

it('http2_max_concurrent_streams and others of a new configuration do no harm to open connections', async () => {
  engine.load(conf('old', 'http2 on; http2_max_concurrent_streams 100; large_client_header_buffers 4 16k;'))
  const client = await Http2Raw.connect(engine.port)
  client.send(...Array.from({ length: 50 }, (_, index) => get(2 * index + 1, '/hold')))
  await eventually('requests', () => hold.current === 50)
  engine.load(conf('new', 'http2 on; http2_max_concurrent_streams 2; large_client_header_buffers 2 1k;'))
  await client.pong()
  hold.release()
  for (let stream = 1; stream < 101; stream += 2) expect((await client.response(stream)).status).toBe(200)
  client.send(get(1001))
  expect((await client.response(1001)).body).toBe('new')
  client.destroy()
})
