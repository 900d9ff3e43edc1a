// Directives about the time a client connection may take, on vitest's clock; and tcp_nodelay.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MemoryClient, TestEngine as TestEngineType } from '../../support/engine.ts'

const CONF = `
  client_header_timeout 10s;
  keepalive_timeout 20s;
  send_timeout 8s;
  location / { return 200 "text"; }
  location /time { keepalive_time 60s; return 200 "time"; }
  location /min { keepalive_min_timeout 5s; return 200 "min"; }
  location /longer { keepalive_timeout 3s; keepalive_min_timeout 5s; return 200 "longer"; }
  location /reset { reset_timedout_connection on; return 200 "reset"; }
  location /silent { reset_timedout_connection on; return 444; }
  location /delay { tcp_nodelay off; return 200 "delay"; }
`
const get = (target = '/', lines = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`

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

async function pass(seconds: number): Promise<void> {
  for (let part = 0; part < seconds * 4; part++) {
    vi.advanceTimersByTime(250)
    await turn()
    await turn()
  }
}

/** Sends a request and lets the turn of it end. */
async function ask(target: string, lines = ''): Promise<void> {
  client.transport.receive(get(target, lines))
  await turn()
}

describe('client_header_timeout', () => {
  it('of the first request begins with the connection', async () => {
    await pass(6)
    client.transport.receive('GET / HTTP/1.1\r\n')
    await pass(6)
    expect(client.gone).toBe(true)
    expect(client.transport.calls).toEqual(['close'])
  })

  it('of a later one begins with its first byte', async () => {
    await ask('/')
    await pass(18)
    client.transport.receive('GET / HTTP/1.1\r\n')
    await pass(9)
    expect(client.gone).toBe(false)
    await pass(3)
    expect(client.gone).toBe(true)
  })
})

describe('keepalive_time', () => {
  it('over: the next response is the last', async () => {
    for (let at = 0; at < 60; at += 15) {
      await ask('/time')
      await pass(15)
    }
    expect(client.transport.sent).not.toContain('Connection: close')
    await pass(1)
    await ask('/time')
    expect(client.transport.sent.match(/Connection: close/g)).toHaveLength(1)
    expect(client.gone || client.transport.calls.includes('close')).toBe(true)
  })
})

describe('keepalive_min_timeout', () => {
  it('not over: the connection is not closed to make room', async () => {
    await ask('/min')
    await pass(4)
    expect(engine.engine.shed(1)).toBe(0)
    expect(client.connection.idleSince).toBe(0)
    client.connection.retire()
    await turn()
    expect(client.transport.calls).toEqual([])
  })

  it('over: it may be closed, and is kept for the rest of keepalive_timeout', async () => {
    await ask('/min')
    await pass(6)
    expect(client.connection.idleSince).toBeGreaterThan(0)
    await pass(13)
    expect(client.gone).toBe(false)
    await pass(2)
    expect(client.gone).toBe(true)
  })

  it('over while the worker drains: the connection is closed', async () => {
    await ask('/min')
    let drained = false
    engine.engine.drain(() => (drained = true))
    client.connection.retire()
    expect(drained).toBe(true)
    await pass(4)
    expect(client.gone).toBe(false)
    await pass(2)
    expect(client.gone).toBe(true)
  })

  it('longer than keepalive_timeout does not prolong it', async () => {
    await ask('/longer')
    await pass(4)
    expect(client.gone).toBe(true)
  })
})

describe('send_timeout', () => {
  it('begins anew whenever the client takes something', async () => {
    client.transport.room = false
    await ask('/')
    for (let second = 0; second < 30; second += 5) {
      await pass(5)
      client.transport.take(1)
    }
    expect(client.gone).toBe(false)
    await pass(12)
    expect(client.gone).toBe(true)
    expect(client.transport.calls).toEqual(['destroy'])
  })

  it('over with reset_timedout_connection is a reset', async () => {
    client.transport.room = false
    await ask('/reset')
    await pass(12)
    expect(client.transport.calls).toEqual(['reset'])
  })
})

describe('reset_timedout_connection', () => {
  it('resets after 444', async () => {
    await ask('/silent')
    expect(client.transport.calls).toEqual(['reset'])
  })

  it('resets where the rest of a body does not come', async () => {
    client.transport.receive('POST /reset HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhel')
    await pass(7)
    expect(client.transport.calls).toEqual(['reset'])
  })

  it('lets idle connections end', async () => {
    await ask('/reset')
    await pass(22)
    expect(client.transport.calls).toEqual(['close'])
  })
})

describe('tcp_nodelay', () => {
  it('on costs nothing', async () => {
    await ask('/')
    await ask('/')
    expect(client.transport.noDelay).toEqual([])
  })

  it('off in a location turns it off, once', async () => {
    await ask('/delay')
    await ask('/delay')
    expect(client.transport.noDelay).toEqual([false])
  })

  it('is on for good once a kept connection asked for it', async () => {
    await ask('/delay')
    await ask('/')
    await ask('/delay')
    expect(client.transport.noDelay).toEqual([false, true])
  })

  it('stays on after a location that wants it', async () => {
    await ask('/')
    await ask('/delay')
    expect(client.transport.noDelay).toEqual([])
  })
})
