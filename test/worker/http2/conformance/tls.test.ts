// RFC 9113 sections 3.2, 3.4 and 9.2: HTTP/2 over TLS, chosen by ALPN, and the rules of its frames there.

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import {
  data,
  END_STREAM,
  fieldsOf,
  frame,
  get,
  headers,
  PREFACE,
  ping,
  post,
  settings,
} from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import { Http2Raw, type RawOptions } from '../../../support/http2-raw.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { eventually } from '../../../support/wait.ts'

let authority: Authority
let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  authority = await Authority.create()
  const { certFile, keyFile } = await authority.issue('test')
  backend = await RawBackend.start()
  const body = `
    http2 on;
    lingering_close off;
    ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};
    location / { return 200 "$scheme $server_protocol $ssl_alpn_protocol"; }
    location /proxy { proxy_pass http://%BACKEND%; }`
  const conf = serverConf(body).replace('%PORT%;', '%PORT% ssl;')
  engine = await TestEngine.start(conf, { BACKEND: backend.address })
})
afterEach(() => eventually('end of all connections', () => engine.stats.active === 0))
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
  await authority?.remove()
})

const connect = (options: RawOptions = {}) => Http2Raw.connect(engine.port, { tls: {}, ...options })

it.each(['TLSv1.2', 'TLSv1.3'] as const)('3.2 ALPN h2 with %s is HTTP/2', async (version) => {
  const client = await connect({ tls: { minVersion: version, maxVersion: version } })
  expect((client.socket as { alpnProtocol?: string }).alpnProtocol).toBe('h2')
  client.send(get(1))
  expect((await client.response(1)).body).toBe('https HTTP/2.0 h2')
  client.destroy()
})

it.each([
  ['h2 among others', ['http/1.1', 'h2', 'x'], 'h2'],
  ['http/1.1 alone', ['http/1.1'], 'http/1.1'],
])('3.2 ALPN of %s', async (_what, protocols, chosen) => {
  const client = await connect({ tls: { ALPNProtocols: protocols }, first: null })
  expect((client.socket as { alpnProtocol?: string }).alpnProtocol).toBe(chosen)
  client.destroy()
})

it('3.4 a wrong preface behind ALPN h2: PROTOCOL_ERROR', async () => {
  const client = await connect({ first: Buffer.from('GET / HTTP/1.1\r\nHost: test\r\n\r\n') })
  expect(await client.outcome(1)).toMatch(/^(GOAWAY PROTOCOL_ERROR|closed)$/)
  await client.untilClosed()
})

it('3.4 nothing is HTTP/2 behind ALPN http/1.1', async () => {
  const client = await connect({ tls: { ALPNProtocols: ['http/1.1'] }, first: null })
  const bytes: Buffer[] = []
  client.socket.on('data', (part: Buffer) => bytes.push(part))
  client.send(PREFACE, settings(), get(1))
  await client.untilClosed()
  expect(Buffer.concat(bytes).toString('latin1')).toMatch(/^HTTP\/1\.1 [45]/)
})

it('3.4 the preface in records of one byte each', async () => {
  const client = await connect({ first: null, acknowledge: false })
  await client.sendApart([...Buffer.concat([PREFACE, settings(), get(1)])].map((byte) => Buffer.from([byte])))
  expect((await client.response(1)).status).toBe(200)
  client.destroy()
})

it.each([
  ['6.7 PING of 7 bytes', frame('PING', 0, 0, '1234567'), 'GOAWAY FRAME_SIZE_ERROR'],
  ['5.1 DATA on an idle stream', data(1, 'x'), 'GOAWAY PROTOCOL_ERROR'],
  ['4.3 a broken block', headers(1, Buffer.from([0x80])), 'GOAWAY COMPRESSION_ERROR'],
])('%s: GOAWAY reaches the client before the connection ends', async (_what, bytes, outcome) => {
  const client = await connect()
  client.send(bytes)
  expect(await client.outcome(1)).toBe(outcome)
  await client.untilClosed()
  expect(client.wasReset).toBe(false)
})

it('8.1 a large body goes both ways', async () => {
  const body = Buffer.alloc(1_000_000, 'abcdefghij')
  backend.reset(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  const client = await connect()
  client.send(post(1, '/proxy', ['content-length', String(body.length)]))
  const allowed = () =>
    client.frames
      .filter((one) => one.type === 'WINDOW_UPDATE' && one.stream === 1)
      .reduce((sum, one) => sum + one.payload.readUInt32BE(0), 65_535)
  for (let at = 0; at < body.length; at += 10_000) {
    await client.when('window', () => allowed() >= at + 10_000)
    client.send(data(1, body.subarray(at, at + 10_000), at + 10_000 === body.length ? END_STREAM : 0))
  }
  const response = await client.response(1)
  expect(response.length).toBe(body.length)
  expect(response.body === body.toString('latin1')).toBe(true)
  expect(backend.requests[0]!.bytes.subarray(-body.length).equals(body)).toBe(true)
  client.destroy()
})

it('9.1 an end of TLS in the middle of requests leaves nothing', async () => {
  const client = await connect()
  client.send(get(1), post(3, '/proxy'), ping())
  await client.response(1)
  client.socket.end()
  await client.untilClosed()
  await eventually('end', () => engine.stats.writing === 0)
})

it('8.3.1 the scheme is the one of the connection for variables, whatever :scheme says', async () => {
  const client = await connect()
  const fields = fieldsOf('GET', '/').map(
    ([name, value]) => [name, name === ':scheme' ? 'http' : value] as [string, string],
  )
  client.send(headers(1, block(...fields)))
  expect((await client.response(1)).body).toMatch(/^https /)
  client.destroy()
})
