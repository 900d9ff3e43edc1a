// What the tests of hostile clients share: an engine with a backend that answers at once and one that never does, and
// the question whether anything is left of a client.

import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { HoldingBackend } from '../../../support/holding-backend.ts'
import { get } from '../../../support/http2-bytes.ts'
import { Http2Raw, type RawOptions } from '../../../support/http2-raw.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { eventually } from '../../../support/wait.ts'

export interface HostileServer {
  engine: TestEngine
  port: number
  /** Behind /proxy, and /stream, where nothing is buffered. */
  backend: RawBackend
  /** Behind /hold. */
  hold: HoldingBackend
  /** A client, which does not outlive its test. */
  connect(options?: RawOptions): Promise<Http2Raw>
}

/** Starts the server for all tests of a file; `more` is put into its server block. */
export function withHostileServer(more = ''): HostileServer {
  const server = {} as HostileServer
  const clients = new Set<Http2Raw>()
  server.connect = async (options) => {
    const client = await Http2Raw.connect(server.port, options)
    clients.add(client)
    return client
  }
  afterEach(() => {
    for (const client of clients) client.destroy()
    clients.clear()
  })
  const conf = serverConf(`
    http2 on;
    keepalive_requests 1000000;
    lingering_close off;
    root %FOLDER%;
    ${more}
    location / { return 200 ok; }
    location /files/ { }
    location /proxy { proxy_pass http://%BACKEND%; }
    location /stream { proxy_pass http://%BACKEND%; proxy_buffering off; proxy_request_buffering off; }
    location /hold { proxy_pass http://%HOLD%; }
  `)
  beforeAll(async () => {
    server.backend = await RawBackend.start()
    server.hold = await HoldingBackend.start()
    server.engine = await TestEngine.start(conf, {
      BACKEND: server.backend.address,
      HOLD: server.hold.address,
    })
    server.port = server.engine.port
  })
  afterAll(async () => {
    await server.engine?.stop()
    await Promise.all([server.backend?.stop(), server.hold?.stop()])
  })
  return server
}

/** Waits until nothing of any client is left, neither here nor at the backend; then another is served. */
export async function nothingLeft({ engine, hold, port }: HostileServer): Promise<void> {
  const { stats } = engine
  await eventually('end of all connections', () => stats.active === 0)
  await eventually('end of all requests', () => stats.writing === 0 && hold.current === 0)
  expect([stats.reading, stats.waiting]).toEqual([0, 0])
  const client = await Http2Raw.connect(port)
  client.send(get(1))
  expect(await client.response(1)).toMatchObject({ status: 200, body: 'ok' })
  client.destroy()
  await eventually('end of the last connection', () => stats.active === 0)
  expect(engine.errorLog.match(/.*\[(?:alert|emerg|crit)\].*/g) ?? []).toEqual([])
}

/**
 * Sends what `next` gives (empty: nothing more) until the server has closed the only connection there is, or has said
 * that it will. Returns how often it was sent.
 */
export async function flood(
  { engine }: HostileServer,
  client: Http2Raw,
  most: number,
  next: (number: number) => Buffer,
): Promise<number> {
  const stopped = () => client.closed || client.ended || engine.stats.active === 0
  for (let count = 0; count < most; count++) {
    if (stopped()) return count
    const written = client.sendAll(next(count))
    let done = false
    void written.then(() => (done = true))
    // A server that neither reads nor closes would keep us waiting here.
    await eventually('progress', () => done || stopped())
  }
  return most
}
