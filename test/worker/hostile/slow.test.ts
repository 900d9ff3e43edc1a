// Clients that keep a connection busy with a byte now and then: on vitest's clock.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { MemoryClient, TestEngine as TestEngineType } from '../../support/engine.ts'

const CONF =
  'client_header_timeout 2s; client_body_timeout 2s; keepalive_timeout 2s; send_timeout 2s; return 200 text;'
const UPLOAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n'

let engine: TestEngineType
let client: MemoryClient

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.resetModules()
  const { serverConf, TestEngine } = await import('../../support/engine.ts')
  engine = await TestEngine.start(serverConf(CONF))
  client = engine.connect()
})
afterEach(async () => {
  vi.useRealTimers()
  client.transport.break()
  await turn()
  await engine.stop()
})

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Sends one byte a second; resolves with the number of seconds after which the connection is gone. */
async function secondsWith(byte: string, limit: number): Promise<number> {
  for (let second = 1; second <= limit; second++) {
    vi.advanceTimersByTime(1000)
    await turn()
    await turn()
    if (client.gone) return second
    if (client.transport.reading) client.transport.receive(byte)
    await turn()
  }
  return limit
}

it('a request head that comes byte by byte has client_header_timeout for all of it', async () => {
  client.transport.receive('GET / HTTP/1.1\r\nX: ')
  expect(await secondsWith('a', 60)).toBeLessThan(5)
})

it('empty lines before a request do not prolong the wait for it', async () => {
  expect(await secondsWith('\r', 60)).toBeLessThan(5)
})

it('the rest of a body behind an answer is read for half a minute and no longer', async () => {
  client.transport.receive(UPLOAD)
  expect(client.transport.sent).toContain('Connection: keep-alive')
  const seconds = await secondsWith('a', 60)
  expect(seconds).toBeGreaterThan(25)
  expect(seconds).toBeLessThan(35)
})

it('what comes behind the last answer of a connection is read for half a minute and no longer', async () => {
  client.transport.receive(UPLOAD.replace('Host: a', 'Host: a\r\nConnection: close'))
  expect(client.transport.sent).toContain('Connection: close')
  const seconds = await secondsWith('a', 60)
  expect(seconds).toBeGreaterThan(25)
  expect(seconds).toBeLessThan(35)
})

it.each(['', 'Connection: close\r\n'])(
  'an answer that is never read is given up after send_timeout %#',
  async (line) => {
    client.transport.room = false
    client.transport.receive(`GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n`)
    expect(await secondsWith('a', 100)).toBeLessThan(6)
  },
)
