// Requests over HTTP/2 through the phases: what variables, logs and backends see of them, and how answers come back.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { data, get, headers, post, rstStream } from '../../support/http2-bytes.ts'
import { block, type Field } from '../../support/http2-hpack.ts'
import { Http2Raw } from '../../support/http2-raw.ts'
import { RawBackend, type Reply } from '../../support/raw-backend.ts'
import { eventually } from '../../support/wait.ts'

const HTTP = `
  log_format all '$status "$request" $server_protocol $http2 $request_length $bytes_sent $body_bytes_sent'
    ' $connection_requests $pipe $request_completion';`

const CONF = serverConf(
  `
  http2 on;
  access_log logs/access.log all;
  location / { return 200 "$host|$http_host|$uri|$args|$http_cookie|$scheme|$request_uri\\n"; }
  location = /none { return 204; }
  location /proxy { proxy_pass http://%BACKEND%; proxy_pass_trailers on; early_hints 1; }
  location /guarded { auth_request /proxy/allowed; return 200 in; }
  location = /error { error_page 404 = @page; return 404; }
  location @page { return 200 page; }
  location = /trailers { add_trailer X-Behind "$request_method"; return 200 text; }
  location = /empty-trailers { add_trailer X-Behind here; return 200; }
  location = /slow { limit_rate 1k; return 200 "%LONG%"; }
  location = /zip { gzip on; gzip_min_length 0; gzip_types *; default_type text/plain; return 200 "%LONG%"; }
`,
  HTTP,
)

let engine: TestEngine
let backend: RawBackend
let client: Http2Raw

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(CONF, { BACKEND: backend.address, LONG: 'x'.repeat(1200) })
})
afterAll(async () => {
  await engine.stop()
  await backend.stop()
})
afterEach(() => client.destroy())

async function connect(): Promise<Http2Raw> {
  client = await Http2Raw.connect(engine.port)
  return client
}

const field = (name: string, fields: readonly Field[]): string | undefined =>
  fields.find(([one]) => one === name)?.[1]

describe('what a request says', () => {
  it('its authority is its host, and $http_host; cookies are one field again', async () => {
    await connect()
    client.send(get(1, '/a%20b?c=%41', ['cookie', 'a=1'], ['cookie', 'b=2']))
    expect((await client.response(1)).body).toBe('test|test|/a b|c=%41|a=1; b=2|http|/a%20b?c=%41\n')
  })

  it('a Host may take the place of :authority, and may not contradict it', async () => {
    await connect()
    const fields: Field[] = [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/'],
      ['host', 'Other:1'],
    ]
    client.send(headers(1, block(...fields)), get(3, '/', ['host', 'test']), get(5, '/', ['host', 'other']))
    expect((await client.response(1)).body).toBe('other|Other:1|/|||http|/\n')
    expect((await client.response(3)).status).toBe(200)
    expect((await client.response(5)).status).toBe(400)
  })

  it('goes to a backend as HTTP/1.1, without pseudo-fields', async () => {
    await connect()
    backend.reset()
    client.send(get(1, '/proxy?x', ['x-own', 'yes'], ['te', 'trailers'], ['priority', 'u=1']))
    await client.response(1)
    expect(backend.requests[0]!.bytes.toString()).toBe(
      `GET /proxy?x HTTP/1.1\r\nHost: ${backend.address}\r\nx-own: yes\r\npriority: u=1\r\n\r\n`,
    )
  })
})

describe('what comes back', () => {
  it('fields in lower case, without those about the connection', async () => {
    await connect()
    const lines =
      'X-Own: A\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nX-Own: B\r\n'
    backend.reset(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 2\r\n\r\nok`)
    client.send(get(1, '/proxy'))
    const { fields, body } = await client.response(1)
    expect(fields.map(([name]) => name)).toEqual(['server', 'date', 'content-length', 'x-own', 'x-own'])
    expect(body).toBe('ok')
    expect(client.violation).toBe('')
  })

  it('trailers of ours behind the content, or behind none', async () => {
    await connect()
    client.send(get(1, '/trailers'), get(3, '/empty-trailers'))
    const { body, trailers } = await client.response(1)
    expect([body, trailers]).toEqual(['text', [['x-behind', 'GET']]])
    expect((await client.response(3)).trailers).toEqual([['x-behind', 'here']])
  })

  it('trailers of the backend', async () => {
    await connect()
    backend.reset(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n',
    )
    client.send(get(1, '/proxy'))
    const { body, trailers, fields } = await client.response(1)
    expect(body).toBe('ok')
    expect(trailers).toEqual([
      ['x-sum', '1'],
      ['x-other', '2'],
    ])
    expect(field('transfer-encoding', fields)).toBeUndefined()
  })

  it('early hints in front of the head', async () => {
    await connect()
    backend.reset(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    )
    client.send(get(1, '/proxy'))
    const { interim, status } = await client.response(1)
    expect(interim).toEqual([
      [
        [':status', '103'],
        ['link', '</a.css>'],
      ],
    ])
    expect(status).toBe(200)
  })

  it('no content to HEAD, 204 and 304, and the stream ends with the head', async () => {
    await connect()
    backend.reset('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n')
    const head: Field[] = [
      [':method', 'HEAD'],
      [':scheme', 'http'],
      [':authority', 'test'],
      [':path', '/trailers'],
    ]
    client.send(headers(1, block(...head)), get(3, '/none'), get(5, '/proxy'))
    expect(field('content-length', (await client.response(1)).fields)).toBe('4')
    expect((await client.response(3)).status).toBe(204)
    expect((await client.response(5)).status).toBe(304)
    expect(client.count('DATA')).toBe(0)
    expect(client.count('RST_STREAM')).toBe(0)
  })

  it('what filters, error_page and auth_request make of it', async () => {
    await connect()
    backend.reset()
    client.send(
      get(1, '/error'),
      get(3, '/guarded'),
      get(5, '/zip', ['accept-encoding', 'gzip']),
      get(7, '/slow'),
    )
    expect((await client.response(1)).body).toBe('page')
    expect((await client.response(3)).body).toBe('in')
    const { fields, length } = await client.response(5)
    expect(field('content-encoding', fields)).toBe('gzip')
    expect(length).toBeLessThan(200)
    expect((await client.response(7)).length).toBe(1200)
  })

  it('an answer that breaks off in the middle resets its stream, and no other', async () => {
    await connect()
    const cut: Reply = { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart', after: 'end' }
    backend.reset(cut)
    client.send(get(1, '/proxy'))
    expect(await client.outcome(1)).toBe('RST_STREAM INTERNAL_ERROR')
    expect(client.responses.get(1)!.body).toBe('part')
    client.send(get(3))
    expect((await client.response(3)).status).toBe(200)
  })
})

describe('the access log', () => {
  const lastLine = async (before: number): Promise<string> => (await engine.logged(before + 1))[before]!
  const count = (): number => engine.accessLog.split('\n').length - 1

  it('counts header blocks and content of requests, and all frames of responses', async () => {
    await connect()
    const before = count()
    const request = block([':method', 'POST'], [':scheme', 'http'], [':authority', 'test'], [':path', '/x'])
    client.send(headers(1, request, 4), data(1, 'abc', 0), data(1, 'defg'))
    const { body } = await client.response(1)
    const line = await lastLine(before)
    const [head, content] = ['HEADERS', 'DATA'].map((type) => client.find(type, 1)!.payload.length + 9)
    expect(line).toMatch(/^200 "POST \/x HTTP\/2\.0" HTTP\/2\.0 h2c /)
    const [, , , , , , length, sent, bodySent] = line.split(' ')
    // What nobody has asked for is not counted.
    expect(Number(length)).toBe(request.length)
    expect(Number(sent)).toBe(head! + content!)
    expect(Number(bodySent)).toBe(body.length)
    expect(line).toMatch(/ 1 \. OK$/)
  })

  it('counts content that a backend gets', async () => {
    await connect()
    backend.reset()
    const before = count()
    client.send(post(1, '/proxy', ['content-length', '7']), data(1, 'abc', 0), data(1, 'defg'))
    await client.response(1)
    const request = client.frames.length
    expect(request).toBeGreaterThan(0)
    const block7 = block(
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', 'test'],
      [':path', '/proxy'],
      ['content-length', '7'],
    )
    expect(Number((await lastLine(before)).split(' ')[6])).toBe(block7.length + 7)
  })

  it('a request that the client gives up is one of 499, and its backend is left', async () => {
    await connect()
    const before = count()
    backend.reset({ bytes: [], when: 'head' })
    client.send(get(1, '/proxy'))
    await eventually('request', () => backend.requests.length === 1 && backend.open > 0)
    client.send(rstStream(1))
    expect(await lastLine(before)).toMatch(/^499 "GET \/proxy HTTP\/2\.0"/)
    await eventually('end at the backend', () => backend.open === 0)
    expect(engine.errorLog).toContain('client canceled stream 1')
    expect(engine.stats.writing).toBe(0)
    expect(engine.stats.waiting).toBe(1)
  })
})

it('Expect: 100-continue is answered when the body is asked for', async () => {
  await connect()
  backend.reset()
  client.send(post(1, '/proxy', ['expect', '100-continue'], ['content-length', '2']))
  await client.when('100', () => client.responses.get(1)?.interim.length === 1)
  client.send(data(1, 'ab'))
  expect((await client.response(1)).status).toBe(200)
  expect(backend.requests[0]!.bytes.toString()).toMatch(/\r\n\r\nab$/)
})
