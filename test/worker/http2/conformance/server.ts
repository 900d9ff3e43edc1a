// The server that the cases are sent to, and the loop that runs a table of them. HTTP2_AGAINST=nginx puts nginx in
// weir's place, HTTP2_AGAINST=<port> whatever listens there: what fails then too may be a bad case.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestEngine } from '../../../support/engine.ts'
import { HoldingBackend } from '../../../support/holding-backend.ts'
import { get } from '../../../support/http2-bytes.ts'
import { Http2Raw, type RawOptions } from '../../../support/http2-raw.ts'
import { startNginx } from '../../../support/proxy.ts'
import { RawBackend } from '../../../support/raw-backend.ts'

const { HTTP2_AGAINST = '' } = process.env
export const LARGE = 300_000
/** `http2_max_concurrent_streams` */
export const STREAMS = 8

const CONF = `error_log logs/error.log info;
events { worker_connections 512; }
http {
  access_log off;
  keepalive_requests 100000;
  http2_max_concurrent_streams ${STREAMS};
  proxy_http_version 1.1;
  client_max_body_size 20m;
  server {
    LISTEN
    server_name test;
    location / { return 200 ok; }
    location = /none { return 204; }
    location /files/ { root %FOLDER%; }
    location /proxy { proxy_pass http://%BACKEND%; }
    location /hold { proxy_pass http://%HOLD%; }
    location /guarded { auth_request /hold; proxy_pass http://%BACKEND%; }
    location /stream { proxy_pass http://%BACKEND%; proxy_request_buffering off; }
  }
}`

export interface ConformanceServer {
  port: number
  /** Behind /proxy, /guarded (once /hold has been answered) and /stream. */
  backend: RawBackend
  /** Behind /hold. */
  hold: HoldingBackend
  stop(): Promise<void>
}

/** `RST_STREAM PROTOCOL_ERROR`, or an answer with 400 (RFC 9113 section 8.1.1), and nothing of it at the backend. */
export const MALFORMED = ['400', 'RST_STREAM PROTOCOL_ERROR']

export interface ConformanceCase {
  /** Begins with the section of RFC 9113, or of RFC 7541 with its number before. */
  name: string
  /** See Http2Raw.outcome; several: any of them. `ignored`: neither stream nor connection has ended. */
  want: string | readonly string[]
  /** Bytes behind the preface, or what does the sending. */
  send: Buffer | Buffer[] | ((client: Http2Raw, server: ConformanceServer) => void | Promise<void>)
  /** The stream whose outcome is meant; default 1. */
  stream?: number
  options?: RawOptions
}

/** Starts the server for all tests of a file. */
export function withServer(): ConformanceServer {
  const server = {} as ConformanceServer
  beforeAll(async () => {
    server.backend = await RawBackend.start()
    server.hold = await HoldingBackend.start()
    const vars = { BACKEND: server.backend.address, HOLD: server.hold.address }
    const { port, folder, stop } = await listen(vars)
    server.port = port
    server.stop = stop
    if (folder === '') return
    mkdirSync(join(folder, 'files'))
    writeFileSync(join(folder, 'files/large'), 'x'.repeat(LARGE))
  })
  afterAll(async () => {
    await server.stop?.()
    await Promise.all([server.backend?.stop(), server.hold?.stop()])
  })
  return server
}

async function listen(
  vars: Record<string, string>,
): Promise<{ port: number; folder: string; stop: () => Promise<void> }> {
  if (HTTP2_AGAINST === 'nginx') {
    const conf = CONF.slice(CONF.indexOf('\n')).replace('LISTEN', 'listen 127.0.0.1:%PORT% http2;')
    const nginx = await startNginx(conf, { vars })
    return { port: nginx.port, folder: nginx.folder, stop: () => nginx.stop() }
  }
  if (HTTP2_AGAINST !== '') return { port: Number(HTTP2_AGAINST), folder: '', stop: async () => {} }
  const engine = await TestEngine.start(CONF.replace('LISTEN', 'listen 127.0.0.1:%PORT%; http2 on;'), vars)
  return { port: engine.port, folder: engine.folder, stop: () => engine.stop() }
}

/** Declares a test for each case. */
export function describeCases(
  title: string,
  server: ConformanceServer,
  cases: readonly ConformanceCase[],
): void {
  describe(title, () => {
    it.each(cases.map((one) => [`${one.name}: ${[one.want].flat().join(' or ')}`, one] as const))(
      '%s',
      (_, one) => runCase(server, one),
    )
  })
}

async function runCase(server: ConformanceServer, one: ConformanceCase): Promise<void> {
  server.backend.reset()
  const client = await Http2Raw.connect(server.port, one.options)
  try {
    if (typeof one.send === 'function') await one.send(client, server)
    else client.send(...[one.send].flat())
    const want = [one.want].flat()
    const outcome = want[0] === 'ignored' ? await undisturbed(client) : await client.outcome(one.stream ?? 1)
    expect(want).toContain(outcome)
    if (want === MALFORMED) expect(server.backend.requests).toEqual([])
    if (outcome.startsWith('GOAWAY') || outcome === 'closed') await client.untilClosed()
    else if (want[0] !== 'ignored') await goesOn(client)
    expect(client.violation).toBe('')
  } finally {
    client.destroy()
    server.hold.release()
  }
  // Whatever one connection has done, the next is served.
  const next = await Http2Raw.connect(server.port)
  next.send(get(1))
  expect((await next.response(1)).status).toBe(200)
  next.destroy()
}

const LATER = 0x10001

/** The connection serves another request. */
async function goesOn(client: Http2Raw): Promise<void> {
  client.send(get(LATER))
  expect((await client.response(LATER)).status).toBe(200)
  expect(client.find('GOAWAY')).toBeUndefined()
}

async function undisturbed(client: Http2Raw): Promise<string> {
  await goesOn(client)
  await client.pong()
  const reset = client.find('RST_STREAM')
  return reset === undefined ? 'ignored' : client.shown()
}
