// A request that brings a defect of weir to light ends all the same, and its server is free again.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PeerResponse } from '../../../src/worker/upstream/peer-response.ts'
import { RequestSender } from '../../../src/worker/upstream/request-sender.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx'

let engine: TestEngine
let backend: RawBackend

beforeEach(async () => {
  backend = await RawBackend.start()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await engine.stop()
  await backend.stop()
})

const thrown = () => {
  throw new Error('thrown by the test')
}

it.each([
  ['whose response throws', () => vi.spyOn(PeerResponse.prototype, 'read').mockImplementationOnce(thrown)],
  [
    'that throws while it is sent',
    () => vi.spyOn(RequestSender.prototype, 'start').mockImplementationOnce(thrown),
  ],
])('%s: 502, and the next request is answered', async (_, spoil) => {
  const upstream = `upstream u { server ${backend.address} max_conns=1; }`
  engine = await TestEngine.start(serverConf('location / { proxy_pass http://u; }', upstream))
  spoil()
  const statuses: string[] = []
  for (let count = 0; count < 2; count++) {
    const { bytes } = await rawRequest(engine.port, POST, { limit: 3000 })
    statuses.push(bytes.toString('latin1', 9, 12))
  }
  expect(statuses).toEqual(['502', '200'])
  expect(engine.errorLog).toContain('internal error: Error: thrown by the test')
})
