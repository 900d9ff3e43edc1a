// Backends of HTTP/2 that send what they may not send: 502 with the reason in the log, and nothing stays behind.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { Http2Backend } from '../../../support/http2-backend.ts'
import { BLOCK_LIES, BODY_LIES, HEAD_LIES, LIES, ODDITIES, STRICTER } from '../../../support/http2-lies.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { eventually } from '../../../support/wait.ts'

let backend: Http2Backend
let engine: TestEngine

beforeAll(async () => {
  backend = await Http2Backend.start({ ...LIES, ...ODDITIES })
  engine = await TestEngine.start(
    serverConf(
      `location / { proxy_pass http://127.0.0.1:${backend.port}; proxy_http_version 2; proxy_buffer_size 4k; }`,
    ),
  )
})
afterAll(async () => {
  await engine.stop()
  backend.stop()
})

/** The bytes of the answer, up to the end of the connection. */
async function ask(path: string): Promise<string> {
  const request = `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
  return bytes.toString('latin1')
}

/** The connections that were used are closed. */
const allClosed = () => eventually('the end of the connection', () => backend.closed === backend.connections)

describe('a lie in place of a head', () => {
  it.each(Object.keys(HEAD_LIES))('%s is 502', async (path) => {
    const logged = engine.errorLog.length
    expect(await ask(path)).toMatch(/^HTTP\/1\.1 502 /)
    expect(engine.errorLog.slice(logged)).toMatch(
      path === '/rst-no-error' ? /upstream rejected request with error 0/ : /upstream (?:sent|rejected) /,
    )
    await allClosed()
  })

  it.each(Object.entries({ ...BLOCK_LIES, ...STRICTER }))(
    '%s is 502 with a reason',
    async (path, [, words]) => {
      const logged = engine.errorLog.length
      expect(await ask(path)).toMatch(/^HTTP\/1\.1 502 /)
      expect(engine.errorLog.slice(logged)).toContain(words)
      await allClosed()
    },
  )
})

describe('a lie behind the head', () => {
  it.each(Object.keys(BODY_LIES))('%s breaks the response off', async (path) => {
    const logged = engine.errorLog.length
    const answer = await ask(path)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(engine.errorLog.slice(logged)).toMatch(/\[error\] .*upstream /)
    await allClosed()
  })
})

it('afterwards no connection is counted', async () => {
  await allClosed()
  expect(engine.stats.upstream).toBe(0)
})
