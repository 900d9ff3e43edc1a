// A response that leads to another location with the same upstream: the server is free by then.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'

let engine: TestEngine
let backend: RawBackend

beforeEach(async () => {
  backend = await RawBackend.start()
  backend.answer = (request) => answer(request.toString('latin1', 4, request.indexOf(' HTTP')))
})
afterEach(async () => {
  await engine.stop()
  await backend.stop()
})

function answer(target: string): string {
  if (target === '/error') return 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'
  const field = target === '/lead' ? 'X-Accel-Redirect: /there\r\n' : ''
  return `HTTP/1.1 200 OK\r\n${field}Content-Length: ${target.length}\r\n\r\n${target}`
}

it.each([
  ['X-Accel-Redirect', '/lead'],
  ['proxy_intercept_errors', '/error'],
])('%s: of an only server with max_conns=1', async (_, target) => {
  const body = `
    location / { proxy_pass http://u; proxy_intercept_errors on; error_page 503 = /there; }`
  engine = await TestEngine.start(serverConf(body, `upstream u { server ${backend.address} max_conns=1; }`))
  const { bytes } = await rawRequest(engine.port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
  expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n\/there$/)
  expect(backend.requests).toHaveLength(2)
})
