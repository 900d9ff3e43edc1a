// HTTP/2 towards backends, frame by frame: what they are sent, what of their answers clients get, and what becomes of the
// connection.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { Http2Backend, type MakeScript } from '../../../support/http2-backend.ts'
import {
  data,
  END_HEADERS,
  goaway,
  headers,
  ping,
  rstStream,
  settings,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import { ODDITIES } from '../../../support/http2-lies.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { eventually } from '../../../support/wait.ts'

const OK: MakeScript = (stream) =>
  Buffer.concat([headers(stream, block([':status', '200']), END_HEADERS), data(stream, 'ok')])
const whole =
  (make: MakeScript): MakeScript =>
  (stream, connection) => ({
    bytes: make(stream, connection) as Buffer,
    whole: true,
  })

let backend: Http2Backend
let other: Http2Backend
let engine: TestEngine

beforeEach(async () => {
  const scripts = { ...ODDITIES, '/ok': OK, '/whole': whole(OK) }
  backend = await Http2Backend.start({ ...scripts })
  other = await Http2Backend.start({ ...scripts })
  engine = await TestEngine.start(
    serverConf(
      `proxy_http_version 2; client_max_body_size 0;
      location / { proxy_pass http://127.0.0.1:${backend.port}; proxy_pass_trailers on; }
      location /stream/ { proxy_pass http://127.0.0.1:${backend.port}/; proxy_request_buffering off; }
      location /two/ { proxy_pass http://two/; proxy_next_upstream error; }
      location /body { proxy_pass http://127.0.0.1:${backend.port}/ok; proxy_set_body "from $uri"; proxy_method PUT; }
      location /fields { proxy_pass http://127.0.0.1:${backend.port}/ok; proxy_set_header Host a.test;
        proxy_set_header X-Uri $uri; proxy_set_header X-Empty ""; proxy_set_header Connection upgrade;
        proxy_set_header TE trailers; }
      location /old { proxy_pass http://127.0.0.1:${backend.port}/ok; proxy_http_version 1.1; }`,
      `upstream two { server 127.0.0.1:${backend.port}; server 127.0.0.1:${other.port}; }`,
    ),
  )
})
afterEach(async () => {
  await engine.stop()
  backend.stop()
  other.stop()
})

async function ask(request: string, fields = '', body = ''): Promise<string> {
  const [method, path] = request.split(' ') as [string, string]
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  const bytes = `${method} ${path} HTTP/1.1\r\nHost: h\r\n${fields}${length}\r\n${body}`
  return (await rawRequest(engine.port, bytes)).bytes.toString('latin1')
}

const seen = (type: string) => backend.frames.filter((frame) => frame.type === type)

describe('a response in order', () => {
  it.each([
    ['/plain', 'hello'],
    ['/empty', ''],
    ['/padded', 'hello'],
    ['/priority', 'hello'],
    ['/continued', 'hello'],
    ['/interrupted', 'hello'],
    ['/interim', 'hello'],
    ['/early', 'hello'],
    ['/goaway-later', 'hello'],
  ])('%s is passed on', async (path, content) => {
    const answer = await ask(`GET ${path}`)
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(
      answer
        .replace(/^[\s\S]*?\r\n\r\n/, '')
        .replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '')
        .trim(),
    ).toBe(content)
  })

  it('with another status has weir words for it', async () => {
    expect(await ask('GET /status/404')).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/)
    expect(await ask('GET /no-content')).toMatch(/^HTTP\/1\.1 204 No Content\r\n/)
  })

  it('with trailers has them for clients behind the chunks', async () => {
    const answer = await ask('GET /trailers', 'TE: trailers\r\n')
    expect(answer).toContain('hello\r\n0\r\ngrpc-status: 0\r\nx-checksum: abc\r\n\r\n')
  })
})

describe('a request', () => {
  it('goes out as nginx begins a connection, with the fields of HTTP/2', async () => {
    await ask('GET /ok?a=b', 'Connection: close, X-Hop\r\nTE: gzip\r\nUpgrade: h2c\r\nX-Own: Value\r\n')
    expect(backend.frames.slice(0, 3).map(({ type, payload }) => [type, payload.toString('hex')])).toEqual([
      ['SETTINGS', '00010000000000020000000000047fffffff'],
      ['WINDOW_UPDATE', '7fff0000'],
      ['HEADERS', expect.anything()],
    ])
    expect(backend.requests[0]!.fields).toEqual([
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/ok?a=b'],
      [':authority', `127.0.0.1:${backend.port}`],
      ['x-own', 'Value'],
    ])
  })

  it('has what proxy_set_header says, but nothing that HTTP/2 has no place for', async () => {
    await ask('GET /fields')
    expect(backend.requests[0]!.fields).toEqual([
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/ok'],
      [':authority', 'a.test'],
      ['te', 'trailers'],
      ['x-uri', '/fields'],
    ])
  })

  it('has the content of proxy_set_body, and its length', async () => {
    await ask('POST /body', '', 'the own of the client')
    const [request] = backend.requests
    await eventually('the content', () => request!.ended)
    expect(request!.fields).toContainEqual(['content-length', '10'])
    expect([request!.body, request!.fields[0]]).toEqual(['from /body', [':method', 'PUT']])
  })

  it('has the content of the client, within the windows of the backend', async () => {
    const body = 'abcdefghij'.repeat(10_000)
    const answer = ask('POST /whole', '', body)
    await eventually('a full window', () => (backend.requests[0]?.body.length ?? 0) >= 65_535)
    // The window of the connection is used up, and the stream has been given less than was sent already.
    expect(backend.requests[0]!.body.length).toBe(65_535)
    backend.sockets[0]!.write(
      Buffer.concat([settings([4, 20_000]), windowUpdate(0, 50_000), windowUpdate(1, 10), ping()]),
    )
    await eventually('the answer to PING', () => seen('PING').length === 1)
    expect(backend.requests[0]!.body.length).toBe(65_535)
    backend.sockets[0]!.write(windowUpdate(1, 100_000))
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(backend.requests[0]!.body).toBe(body)
    expect(Math.max(...seen('DATA').map(({ payload }) => payload.length))).toBeLessThanOrEqual(16_384)
  })

  it('whose content is large arrives byte by byte as it was sent, however slowly it is taken', async () => {
    backend.settings = []
    const body = Array.from({ length: 1_500_000 }, (_, index) => `${index},`).join('')
    const answer = rawRequest(engine.port, [
      `POST /stream/whole HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`,
      body,
    ])
    await eventually('a connection', () => backend.sockets.length === 1)
    const [socket] = backend.sockets
    socket!.write(Buffer.concat([settings([4, 2 ** 30]), windowUpdate(0, 2 ** 30), windowUpdate(1, 2 ** 29)]))
    for (let pause = 0; pause < 20; pause++) {
      socket!.pause()
      for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done))
      socket!.resume()
      await new Promise((done) => setImmediate(done))
    }
    expect((await answer).bytes.toString()).toMatch(/^HTTP\/1\.1 200 /)
    expect(backend.requests[0]!.body === body).toBe(true)
  })

  it('whose content comes piece by piece goes out piece by piece', async () => {
    const answer = rawRequest(engine.port, [
      'POST /stream/whole HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n',
      '5\r\nhello\r\n',
      '0\r\n\r\n',
    ])
    expect((await answer).bytes.toString()).toMatch(/^HTTP\/1\.1 200 /)
    expect(backend.requests[0]!.body).toBe('hello')
    expect(backend.requests[0]!.fields.map(([name]) => name)).not.toContain('content-length')
  })
})

describe('a connection', () => {
  it('serves one request after the other, on streams of their own', async () => {
    for (let count = 0; count < 3; count++) await ask('GET /ok')
    expect(backend.requests.map(({ stream, connection }) => [stream, connection])).toEqual([
      [1, 0],
      [3, 0],
      [5, 0],
    ])
    expect(seen('SETTINGS').length).toBe(2)
  })

  it('of HTTP/2 is not used for a request of HTTP/1, nor the other way round', async () => {
    await ask('GET /ok')
    backend.scripts['/ok'] = OK
    const old = ask('GET /old')
    expect(await old).toMatch(/^HTTP\/1\.1 502 /)
    expect(backend.connections).toBe(2)
  })

  it('answers PING and SETTINGS, in use and idle', async () => {
    await ask('GET /interrupted')
    await eventually('answers', () => seen('PING').length === 2)
    expect(seen('PING').map(({ flags, payload }) => [flags, payload.toString()])).toEqual([
      [1, '12345678'],
      [1, 'abcdefgh'],
    ])
    backend.sockets[0]!.write(Buffer.concat([ping('idle----'), settings([3, 100])]))
    await eventually('answers', () => seen('PING').length === 3 && seen('SETTINGS').length === 4)
    await ask('GET /ok')
    expect(backend.connections).toBe(1)
  })

  it.each([
    ['GOAWAY', goaway(1)],
    ['a frame of no stream', data(7, 'hello')],
    ['PING without end', Buffer.concat(Array.from({ length: 200 }, () => ping()))],
  ])('that gets %s while it is idle is closed', async (_name, bytes) => {
    await ask('GET /ok')
    backend.sockets[0]!.write(bytes)
    await eventually('the end', () => backend.closed === 1)
    await ask('GET /ok')
    expect(backend.connections).toBe(2)
  })

  it('that was told of GOAWAY with the response is closed behind it', async () => {
    await ask('GET /goaway-later')
    await eventually('the end', () => backend.closed === 1)
  })

  it('whose response came before the request was whole is closed', async () => {
    const answer = await rawRequest(engine.port, [
      'POST /stream/ok HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n',
      'hello',
    ])
    expect(answer.bytes.toString()).toMatch(/^HTTP\/1\.1 200 /)
    await eventually('the end', () => backend.closed === 1)
  })
})

describe('a request that the backend has not looked at', () => {
  it.each([
    ['REFUSED_STREAM', (stream: number) => rstStream(stream, 'REFUSED_STREAM')],
    ['GOAWAY', () => goaway(0)],
  ])('(%s) goes to the next one, a POST too', async (_name, refuse) => {
    backend.scripts['/whole'] = whole(refuse)
    other.scripts['/whole'] = whole(OK)
    for (let count = 0; count < 2; count++) {
      expect(await ask('POST /two/whole', '', 'hello')).toMatch(/^HTTP\/1\.1 200 /)
    }
    expect(other.requests.map(({ body }) => body)).toEqual(['hello', 'hello'])
  })

  it('on a connection that was kept goes out again on another', async () => {
    await ask('GET /ok')
    backend.scripts['/whole'] = whole((stream, connection) =>
      connection > 0 ? OK(stream, connection) : goaway(1),
    )
    expect(await ask('POST /whole', '', 'hello')).toMatch(/^HTTP\/1\.1 200 /)
    expect([backend.requests.length, backend.connections]).toEqual([3, 2])
  })

  it('and that no other backend can get is 502', async () => {
    backend.scripts['/refused'] = (stream) => rstStream(stream, 'REFUSED_STREAM')
    expect(await ask('GET /refused')).toMatch(/^HTTP\/1\.1 502 /)
    expect(engine.errorLog).toContain('upstream rejected request with error 7 while reading response header')
  })
})
