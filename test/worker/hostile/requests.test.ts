// What a hostile client can do with a request: every connection gets its own answer, one for each request, and the
// counters come back to where they were.

import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { freePort } from '../../support/temporary.ts'
import { eventually } from '../../support/wait.ts'

const CONF = serverConf(`
  location /dead { proxy_pass http://127.0.0.1:%DEAD%; }
  location /back { proxy_pass http://127.0.0.1:%BACK%; }
  location /text { return 200 "text of $uri"; }
`)

const CHUNKED = 'HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'

describe('a hostile client', () => {
  let backend: RawBackend
  let engine: TestEngine

  beforeAll(async () => {
    backend = await RawBackend.start()
    engine = await TestEngine.start(CONF, { DEAD: await freePort(), BACK: backend.port })
  })
  afterAll(async () => {
    await engine.stop()
    await backend.stop()
  })

  const ask = async (...parts: string[]): Promise<string> =>
    (await rawRequest(engine.port, parts, { until: 'close' })).bytes.toString('latin1')

  const open = async (bytes: string): Promise<Socket> => {
    const before = engine.stats.reading
    const socket = connect(engine.port, '127.0.0.1')
    socket.write(bytes)
    await eventually('head begun', () => engine.stats.reading > before)
    return socket
  }

  const rest = (socket: Socket, bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1')
      })
      socket.on('close', () => resolve(text))
      socket.write(bytes)
    })

  it('gets one answer for a broken chunked body that nobody can take', async () => {
    const answer = await ask(`POST /dead ${CHUNKED}zz\r\n`)
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    expect(await engine.logged(1)).toHaveLength(1)
    expect(engine.stats.writing).toBe(0)
  })

  it('does not make connections share a request head', async () => {
    await ask(`POST /dead ${CHUNKED}zz\r\n`)
    const one = await open('GET /text/one HTTP/1.1\r\n')
    const two = await open('GET /text/two HTTP/1.1\r\n')
    const tail = 'Host: a\r\nConnection: close\r\n\r\n'
    expect(await rest(two, tail)).toMatch(/text of \/text\/two$/)
    expect(await rest(one, tail)).toMatch(/text of \/text\/one$/)
  })
})
