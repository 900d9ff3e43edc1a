// The directives of `grpc_pass`: what is refused at `-t`, what backends are sent, and what of their answers clients get.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { Http2Backend, type MakeScript } from '../../../../support/http2-backend.ts'
import { data, END_HEADERS, headers, rstStream } from '../../../../support/http2-bytes.ts'
import { block } from '../../../../support/http2-hpack.ts'
import { rawRequest } from '../../../../support/raw-client.ts'
import { freePort } from '../../../../support/temporary.ts'
import { eventually } from '../../../../support/wait.ts'

const ok: MakeScript = (stream) =>
  Buffer.concat([headers(stream, block([':status', '200']), END_HEADERS), data(stream, 'ok')])

let backend: Http2Backend
let engine: TestEngine

beforeAll(async () => {
  const fields = block([':status', '200'], ['x-a', '1'], ['x-b', '2'], ['x-accel-redirect', '/elsewhere'])
  backend = await Http2Backend.start({
    '/ok': ok,
    '/either': ok,
    '/other': ok,
    '/both': ok,
    '/fields': (stream) => headers(stream, fields),
    '/404': (stream) => headers(stream, block([':status', '404'])),
    '/silent': () => ({}),
    '/refused': (stream) => rstStream(stream, 'INTERNAL_ERROR'),
  })
  const to = `grpc_pass 127.0.0.1:${backend.port};`
  engine = await TestEngine.start(
    serverConf(
      `location / { ${to} }
      location = /fields { ${to} grpc_hide_header X-A; grpc_pass_header X-Accel-Redirect; grpc_ignore_headers X-Accel-Redirect; }
      location /own/ { rewrite ^/own(.*) $1 break; ${to} grpc_set_header Host a.test; grpc_set_header X-Uri $uri;
        grpc_set_header User-Agent ""; grpc_set_header TE ""; }
      location /variable/ { rewrite ^/variable(.*) $1 break; grpc_pass grpc://$arg_to; }
      location = /silent { ${to} grpc_read_timeout 50ms; }
      location = /404 { ${to} grpc_intercept_errors on; error_page 404 /instead; }
      location = /instead { return 404 "instead"; }
      location /next/ { rewrite ^/next(.*) $1 break; grpc_pass grpc://next; grpc_next_upstream invalid_header; }
      location /upstream/ { rewrite ^/upstream(.*) $1 break; grpc_pass upstream; }
      location /either { if ($arg_grpc) { ${to} } proxy_pass http://127.0.0.1:${backend.port}; }
      location /other { if ($arg_plain) { proxy_pass http://127.0.0.1:${backend.port}; } ${to} }
      location /both { proxy_pass http://127.0.0.1:${backend.port}; ${to} }
      location /elsewhere { return 200 "elsewhere"; }`,
      `upstream upstream { server 127.0.0.1:${backend.port}; }
      upstream next { server 127.0.0.1:${backend.port}; server 127.0.0.1:${await freePort()} backup; }`,
    ),
  )
})
beforeEach(() => {
  backend.requests.length = 0
})
afterAll(async () => {
  await engine.stop()
  backend.stop()
})

async function ask(path: string, fields = '', body = ''): Promise<string> {
  const request = `${body === '' ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: h\r\n${fields}\r\n${body}`
  return (await rawRequest(engine.port, request)).bytes.toString('latin1')
}

describe('a configuration', () => {
  it.each([
    ['grpc_pass 127.0.0.1;', 'no port in upstream "127.0.0.1"'],
    ['grpc_pass grpc://127.0.0.1:90/uri;', 'invalid host in upstream "127.0.0.1:90/uri"'],
    ['grpc_pass http://127.0.0.1:90;', 'invalid host in upstream "http://127.0.0.1:90"'],
    ['grpc_pass grpc://127.0.0.1:99999;', 'invalid port in upstream "127.0.0.1:99999"'],
    ['grpc_pass 127.0.0.1:1; grpc_pass 127.0.0.1:2;', '"grpc_pass" directive is duplicate'],
    ['grpc_bind 127.0.0.1 transparent;', 'the "transparent" parameter of the "grpc_bind" directive'],
    ['grpc_ignore_headers Nothing;', 'invalid value "Nothing"'],
    ['limit_except GET { grpc_pass 127.0.0.1:1; }', '"grpc_pass" directive is not allowed here'],
  ])('with %s is refused', (text, message) => {
    expect(() => engine.load(serverConf(`location / { ${text} }`))).toThrow(message)
  })
})

describe('a request', () => {
  it('has the fields of the client, and the backend as its authority', async () => {
    await ask(
      '/ok?a=b',
      'TE: gzip, trailers\r\nUser-Agent: me\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\n',
    )
    expect(backend.requests[0]!.fields).toEqual([
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/ok?a=b'],
      [':authority', `127.0.0.1:${backend.port}`],
      ['user-agent', 'me'],
      ['te', 'trailers'],
    ])
  })

  it('has what grpc_set_header says instead', async () => {
    await ask('/own/ok', 'TE: trailers\r\nUser-Agent: me\r\nX-Uri: mine\r\n')
    expect(backend.requests[0]!.fields).toEqual([
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/ok'],
      [':authority', 'a.test'],
      ['x-uri', '/ok'],
    ])
  })

  it('has the length of the content that the client has announced', async () => {
    await ask('/ok', 'Content-Length: 5\r\n', 'hello')
    await eventually('the content', () => backend.requests[0]?.ended)
    expect(backend.requests[0]!.fields).toContainEqual(['content-length', '5'])
    expect(backend.requests[0]!.body).toBe('hello')
  })

  it('to an upstream has the upstream as its authority', async () => {
    await ask('/upstream/ok')
    expect(backend.requests[0]!.fields).toContainEqual([':authority', 'upstream'])
  })

  it('goes where variables lead, if that is anywhere', async () => {
    expect(await ask(`/variable/ok?to=127.0.0.1:${backend.port}`)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask('/variable/ok?to=127.0.0.1')).toMatch(/^HTTP\/1\.1 500 /)
    expect(engine.errorLog).toContain('no port in upstream "127.0.0.1"')
    expect(await ask('/variable/ok?to=')).toMatch(/^HTTP\/1\.1 500 /)
    expect(engine.errorLog).toContain('no host in upstream ""')
  })
})

describe('grpc_pass beside proxy_pass', () => {
  it.each([
    ['/either?grpc=1', 200],
    ['/either', 502],
    ['/other', 200],
    ['/other?plain=1', 502],
    ['/both', 200],
  ])('for %s is %i: the innermost counts, and the last', async (path, status) => {
    // The backend speaks HTTP/2 only.
    expect(await ask(path)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })
})

describe('a response', () => {
  it('lacks what is hidden, and has what is passed', async () => {
    const answer = await ask('/fields')
    expect(answer).not.toMatch(/x-a:/i)
    expect(answer).toMatch(/x-b: 2\r\n/)
    expect(answer).toMatch(/x-accel-redirect: \/elsewhere\r\n/)
  })

  it('of an error is made by error_page where grpc_intercept_errors says so', async () => {
    expect(await ask('/404')).toMatch(/^HTTP\/1\.1 404 [\s\S]*instead$/)
  })

  it('that does not come within grpc_read_timeout is 504', async () => {
    expect(await ask('/silent')).toMatch(/^HTTP\/1\.1 504 /)
    expect(engine.errorLog).toMatch(
      /upstream timed out \(110: Connection timed out\) while reading response header from upstream, .* upstream: "grpc:\/\/127\.0\.0\.1:\d+", /,
    )
  })

  it('that is none has the request go on as grpc_next_upstream says', async () => {
    expect(await ask('/next/refused')).toMatch(/^HTTP\/1\.1 502 /)
    expect(engine.errorLog).toContain('upstream rejected request with error 2')
    expect(engine.errorLog).toContain('connect() failed (111: Connection refused)')
  })
})
