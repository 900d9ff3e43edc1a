// RFC 9113 sections 8.1, 8.3 and 8.5: how frames make messages, malformed ones, pseudo-fields, and CONNECT.

import { expect, it } from 'vitest'
import {
  data,
  END_HEADERS,
  fieldsOf,
  get,
  headers,
  padded,
  post,
  rstStream,
} from '../../../support/http2-bytes.ts'
import { block, type Field } from '../../../support/http2-hpack.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { type ConformanceCase, describeCases, MALFORMED, withServer } from './server.ts'

const server = withServer()

/** A request of these fields alone. */
const request = (...fields: Field[]) => headers(1, block(...fields))
const malformed = (name: string, ...send: Buffer[]): ConformanceCase => ({ name, want: MALFORMED, send })

/** Nobody is told what is wrong with a CONNECT request: there is no CONNECT here. */
const refusedConnect = (name: string, ...send: Buffer[]): ConformanceCase => {
  return { name, want: ['405', ...MALFORMED], send }
}

const METHOD: Field = [':method', 'GET']
const SCHEME: Field = [':scheme', 'http']
const PATH: Field = [':path', '/proxy']
const AUTHORITY: Field = [':authority', 'test']
const length = (value: string): Field => ['content-length', value]
const upload = (value: string, ...frames: Buffer[]) => [post(1, '/stream', length(value)), ...frames]

const FRAMING: ConformanceCase[] = [
  {
    name: '8.1 a request with trailers',
    want: '200',
    send: [post(1, '/proxy'), data(1, 'body', 0), headers(1, block(['x-t', 't']))],
  },
  {
    name: '8.1 a request with trailers and no content',
    want: '200',
    send: [post(1, '/proxy'), headers(1, block(['x-t', 't']))],
  },
  {
    name: '8.1 a request with empty trailers',
    want: '200',
    send: [post(1, '/proxy'), data(1, 'body', 0), headers(1, block())],
  },
  malformed(
    '8.1 trailers with a pseudo-field',
    post(1, '/proxy'),
    data(1, 'x', 0),
    headers(1, block([':path', '/'])),
  ),
  malformed(
    '8.1 trailers with :status',
    post(1, '/proxy'),
    data(1, 'x', 0),
    headers(1, block([':status', '200'])),
  ),
  malformed(
    '8.1 HEADERS without END_STREAM behind DATA',
    post(1, '/proxy'),
    data(1, 'x', 0),
    headers(1, block(['x-t', 't']), END_HEADERS),
    data(1, ''),
  ),
  malformed(
    '8.1 HEADERS without END_STREAM behind HEADERS',
    post(1, '/proxy'),
    headers(1, block(['x-t', 't']), END_HEADERS),
    data(1, ''),
  ),
  malformed('8.1 a second request on an open stream', post(1, '/proxy'), post(1, '/proxy'), data(1, '')),
  malformed(
    '8.2.1 trailers with an uppercase name',
    post(1, '/proxy'),
    data(1, 'x', 0),
    headers(1, block(['X-T', 't'])),
  ),
  malformed(
    '8.2.1 trailers with a line break',
    post(1, '/proxy'),
    data(1, 'x', 0),
    headers(1, block(['x-t', 't\r\nx: y'])),
  ),
  malformed(
    '8.2.2 trailers with a connection-specific field',
    post(1, '/proxy'),
    data(1, 'x', 0),
    headers(1, block(['connection', 'close'])),
  ),
  malformed('8.1.1 content-length, less content', ...upload('10', data(1, 'short'))),
  malformed('8.1.1 content-length, more content', ...upload('2', data(1, 'long'))),
  malformed('8.1.1 content-length, more content in parts', ...upload('3', data(1, 'lo', 0), data(1, 'ng'))),
  malformed(
    '8.1.1 content-length, no content',
    headers(1, block(...fieldsOf('POST', '/stream', length('1')))),
  ),
  malformed('8.1.1 content-length, empty content', ...upload('1', data(1, ''))),
  malformed('8.1.1 content-length 0, content', ...upload('0', data(1, 'x'))),
  malformed(
    '8.1.1 content-length, less content and trailers',
    ...upload('10', data(1, 'x', 0), headers(1, block(['x-t', 't']))),
  ),
  malformed('8.1.1 content-length, trailers alone', ...upload('10', headers(1, block(['x-t', 't'])))),
  malformed(
    '8.1.1 content-length of a GET request',
    headers(1, block(...fieldsOf('GET', '/proxy', length('5')))),
  ),
  malformed('8.1.1 content-length with padding in it', ...upload('9', data(1, padded('body', 4), 9))),
  {
    name: '8.1.1 content-length without padding',
    want: '200',
    send: [...upload('4', data(1, padded('body', 4), 9))],
  },
  {
    name: '8.1.1 content-length, the content in parts',
    want: '200',
    send: upload('4', data(1, 'bo', 0), data(1, '', 0), data(1, 'dy', 0), data(1, '')),
  },
  {
    name: '8.1.1 content-length, the content and trailers',
    want: '200',
    send: upload('4', data(1, 'body', 0), headers(1, block(['x-t', 't']))),
  },
  {
    name: '8.1.1 content-length 0',
    want: '200',
    send: headers(1, block(...fieldsOf('POST', '/proxy', length('0')))),
  },
  ...['', '-1', '+4', '4 ', ' 4', '0x4', '4,4', '4, 5', 'four', '4.0', '99999999999999999999'].map((value) =>
    malformed(`8.1.1 content-length "${value}"`, ...upload(value, data(1, 'body'))),
  ),
  malformed(
    '8.1.1 two different content-length',
    post(1, '/proxy', length('4'), length('5')),
    data(1, 'body'),
  ),
  {
    name: '8.1 DATA of an unknown length',
    want: '200',
    send: [post(1, '/proxy'), data(1, 'a', 0), data(1, 'b')],
  },
]

describeCases('message framing', server, FRAMING)

const PSEUDO: ConformanceCase[] = [
  { name: '8.3.1 all pseudo-fields', want: '200', send: request(METHOD, SCHEME, AUTHORITY, PATH) },
  {
    name: '8.3.1 pseudo-fields in another order',
    want: '200',
    send: request(PATH, AUTHORITY, SCHEME, METHOD),
  },
  {
    name: '8.3.1 host instead of :authority',
    want: '200',
    send: request(METHOD, SCHEME, PATH, ['host', 'test']),
  },
  {
    name: '8.3.1 host as :authority',
    want: '200',
    send: request(METHOD, SCHEME, PATH, AUTHORITY, ['host', 'test']),
  },
  malformed(
    '8.3.1 another host than :authority',
    request(METHOD, SCHEME, PATH, AUTHORITY, ['host', 'other']),
  ),
  malformed('8.3.1 two host fields', request(METHOD, SCHEME, PATH, ['host', 'test'], ['host', 'test'])),
  malformed('8.3.1 :authority with userinfo', request(METHOD, SCHEME, PATH, [':authority', 'user@test'])),
  malformed(
    '8.3.1 :authority with a password',
    request(METHOD, SCHEME, PATH, [':authority', 'user:pass@test']),
  ),
  malformed('8.3.1 :authority with a path', request(METHOD, SCHEME, PATH, [':authority', 'test/path'])),
  malformed('8.3.1 no :method', request(SCHEME, AUTHORITY, PATH)),
  malformed('8.3.1 no :scheme', request(METHOD, AUTHORITY, PATH)),
  malformed('8.3.1 no :path', request(METHOD, SCHEME, AUTHORITY)),
  malformed('8.3.1 no pseudo-fields', request(['host', 'test'])),
  malformed('8.3.1 no fields', headers(1, Buffer.alloc(0))),
  malformed('8.3.1 an empty :path', request(METHOD, SCHEME, AUTHORITY, [':path', ''])),
  malformed('8.3.1 an empty :method', request([':method', ''], SCHEME, AUTHORITY, PATH)),
  malformed('8.3.1 an empty :scheme', request(METHOD, [':scheme', ''], AUTHORITY, PATH)),
  malformed('8.3.1 a :scheme that is none', request(METHOD, [':scheme', 'ht tp'], AUTHORITY, PATH)),
  malformed('8.3.1 a :method that is none', request([':method', 'GE T'], SCHEME, AUTHORITY, PATH)),
  malformed(
    '8.3.1 a :path that does not begin with a slash',
    request(METHOD, SCHEME, AUTHORITY, [':path', 'proxy']),
  ),
  malformed('8.3.1 a :path with a blank', request(METHOD, SCHEME, AUTHORITY, [':path', '/proxy HTTP/1.1'])),
  malformed('8.3.1 the :path * of GET', request(METHOD, SCHEME, AUTHORITY, [':path', '*'])),
  malformed('8.3 :method twice', request(METHOD, METHOD, SCHEME, AUTHORITY, PATH)),
  malformed('8.3 :scheme twice', request(METHOD, SCHEME, SCHEME, AUTHORITY, PATH)),
  malformed('8.3 :authority twice', request(METHOD, SCHEME, AUTHORITY, AUTHORITY, PATH)),
  malformed('8.3 :path twice', request(METHOD, SCHEME, AUTHORITY, PATH, PATH)),
  malformed('8.3 :path behind a field', request(METHOD, SCHEME, AUTHORITY, ['accept', '*/*'], PATH)),
  malformed('8.3 :authority behind a field', request(METHOD, SCHEME, PATH, ['accept', '*/*'], AUTHORITY)),
  malformed('8.3 :method behind a field', request(SCHEME, PATH, AUTHORITY, ['accept', '*/*'], METHOD)),
  malformed('8.3 an unknown pseudo-field', request(METHOD, SCHEME, AUTHORITY, PATH, [':unknown', 'x'])),
  malformed('8.3 :status', request(METHOD, SCHEME, AUTHORITY, PATH, [':status', '200'])),
  malformed('8.3 a pseudo-field without a name', request(METHOD, SCHEME, AUTHORITY, PATH, [':', 'x'])),
  malformed('8.3 :Path', request(METHOD, SCHEME, AUTHORITY, [':Path', '/proxy'])),
  malformed(
    '8441 3 :protocol that nobody has offered',
    request([':method', 'CONNECT'], [':protocol', 'websocket'], SCHEME, AUTHORITY, PATH),
  ),
  malformed('8441 4 :protocol of GET', request(METHOD, [':protocol', 'websocket'], SCHEME, AUTHORITY, PATH)),
  refusedConnect(
    '8.5 CONNECT with :scheme and :path',
    request([':method', 'CONNECT'], SCHEME, AUTHORITY, PATH),
  ),
  refusedConnect('8.5 CONNECT with :path', request([':method', 'CONNECT'], AUTHORITY, PATH)),
  refusedConnect('8.5 CONNECT with :scheme', request([':method', 'CONNECT'], AUTHORITY, SCHEME)),
  refusedConnect('8.5 CONNECT without :authority', request([':method', 'CONNECT'])),
  {
    name: '8.5 CONNECT',
    want: ['405', ...MALFORMED],
    send: [headers(1, block([':method', 'CONNECT'], [':authority', 'test:443']), END_HEADERS), data(1, '')],
  },
  {
    name: '8.3.1 OPTIONS *',
    want: ['200', '400', '405', '404'],
    send: request([':method', 'OPTIONS'], SCHEME, AUTHORITY, [':path', '*']),
  },
]

describeCases('pseudo-fields', server, PSEUDO)

it('8.3.1 the backend gets :authority as Host, and host where there is none', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  client.send(request(METHOD, SCHEME, PATH, [':authority', 'test:99'], ['host', 'test:99']))
  await client.response(1)
  client.send(headers(3, block(METHOD, SCHEME, PATH, ['host', 'test'])))
  await client.response(3)
  for (const { bytes } of server.backend.requests)
    expect(bytes.toString().match(/^host: /gim)).toHaveLength(1)
  client.destroy()
})

it('8.1 the answer to HEAD has no DATA', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(headers(1, block(...fieldsOf('HEAD', '/files/large'))))
  const response = await client.response(1)
  expect(response).toMatchObject({ status: 200, length: 0 })
  expect(response.fields.find(([name]) => name === 'content-length')?.[1]).toBe('300000')
  client.destroy()
})

it.each([
  ['204 No Content', '204'],
  ['304 Not Modified', '304'],
])('8.1 an answer with %s has no DATA', async (line, status) => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset(`HTTP/1.1 ${line}\r\nX-A: b\r\n\r\n`)
  client.send(get(1, '/proxy'))
  expect(await client.outcome(1)).toBe(status)
  expect(client.count('DATA')).toBe(0)
  client.destroy()
})

it('8.1 an answer before the end of the request is complete, and the rest of the request is not wanted', async () => {
  const client = await Http2Raw.connect(server.port)
  client.send(post(1, '/'), data(1, 'part', 0))
  expect(await client.response(1)).toMatchObject({ status: 200, body: 'ok' })
  await client.pong()
  expect([null, 'NO_ERROR']).toContain(client.responses.get(1)!.reset)
  client.send(data(1, 'more', 0), data(1, 'end'), get(3))
  expect((await client.response(3)).status).toBe(200)
  expect(client.find('GOAWAY')).toBeUndefined()
  client.destroy()
})

it('8.1 Expect: 100-continue is answered by an interim response', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  client.send(post(1, '/proxy', ['expect', '100-continue']))
  await client.when('100', () => (client.responses.get(1)?.interim.length ?? 0) > 0)
  expect(client.responses.get(1)!.interim[0]![0]).toEqual([':status', '100'])
  client.send(data(1, 'body'))
  expect((await client.response(1)).status).toBe(200)
  client.destroy()
})

it('8.1 trailers do not become fields of the request, nor content', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  client.send(
    post(1, '/proxy', length('4')),
    data(1, 'body', 0),
    headers(1, block(['x-trailer', 'hidden'], ['host', 'evil'])),
  )
  expect((await client.response(1)).status).toBe(200)
  const received = server.backend.requests[0]!.bytes.toString()
  expect(received).toMatch(/\r\n\r\nbody$/)
  expect(received).not.toContain('evil')
  client.destroy()
})

it('8.6 a backend that switches protocols is not followed', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  client.send(get(1, '/proxy'))
  expect(await client.outcome(1)).toBe('502')
  client.destroy()
})

it('8.2.2 connection-specific fields of the backend are not passed on', async () => {
  const client = await Http2Raw.connect(server.port)
  const fields =
    'Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX-Kept: 1'
  server.backend.reset(
    `HTTP/1.1 200 OK\r\n${fields}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  )
  client.send(get(1, '/proxy'))
  const response = await client.response(1)
  expect(response.body).toBe('ok')
  expect(response.fields).toContainEqual(['x-kept', '1'])
  client.destroy()
})

it('8.2 field names of the backend are made lower case', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset(
    'HTTP/1.1 200 OK\r\nX-UPPER-Case: Value\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n',
  )
  client.send(get(1, '/proxy'))
  const { fields } = await client.response(1)
  expect(fields).toContainEqual(['x-upper-case', 'Value'])
  expect(fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value)).toEqual(['a=1', 'b=2'])
  client.destroy()
})

it('8.7 a refused request has not reached the backend, and one that was reset has ended there', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  client.send(get(1, '/proxy'), rstStream(1), get(3, '/proxy'))
  expect((await client.response(3)).status).toBe(200)
  expect(client.responses.has(1)).toBe(false)
  client.destroy()
})
