// Requests of HTTP/2 that try to become two, or another one, on the way to a backend of HTTP/1: whatever is sent, the
// backend gets one well-formed request for one that is answered by it, and none for one that is refused.

import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { data, END_HEADERS, END_STREAM, fieldsOf, headers, post } from '../../../support/http2-bytes.ts'
import { block, type Field } from '../../../support/http2-hpack.ts'
import { withHostileServer } from './setup.ts'

const server = withHostileServer(`
  underscores_in_headers on;
  location /lax/ { proxy_pass http://%BACKEND%; }
  location /rewritten/ { proxy_pass http://%BACKEND%/into/; proxy_set_header Host $http_host; proxy_set_header X-Copy $http_x_copy; }
`)

const INJECTED = 'GET /smuggled HTTP/1.1'
const BREAKS = ['\r\n', '\n', '\r', '\0', '\r\n\r\n', '\n\n']

beforeEach(() => server.backend.reset())

/** What the backend has got: each request split into its lines, checked to be one. */
function received(): { line: string; fields: string[]; body: string }[] {
  expect(server.backend.partial).toEqual([])
  return server.backend.requests.map(({ bytes }) => {
    const text = bytes.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    const [line = '', ...fields] = text.slice(0, end).split('\r\n')
    expect(line).toMatch(/^[A-Z_-]+ \/[^\s\0]* HTTP\/1\.[01]$/)
    for (const field of fields) expect(field).toMatch(/^[^\0-\x20:\x7f-\xff]+: ?[^\0-\x08\x0a-\x1f\x7f]*$/)
    const named = (name: RegExp) => fields.filter((field) => name.test(field))
    expect(named(/^host:/i)).toHaveLength(1)
    expect(named(/^(content-length|transfer-encoding):/i).length).toBeLessThanOrEqual(1)
    return { line, fields, body: text.slice(end + 4) }
  })
}

async function outcomeOf(fields: readonly Field[], body: string | null = null): Promise<string> {
  const client = await server.connect()
  const flags = body === null ? END_HEADERS | END_STREAM : END_HEADERS
  client.send(headers(1, block(...fields), flags), body === null ? '' : data(1, body))
  const outcome = await client.outcome(1)
  client.destroy()
  return outcome
}

const refused = async (fields: readonly Field[], body: string | null = null) => {
  expect(await outcomeOf(fields, body)).toMatch(/^(400|405|421|501|RST_STREAM PROTOCOL_ERROR)$/)
  expect(received()).toEqual([])
}

/** A request with one of its fields changed. */
const changed = (name: string, value: string) =>
  fieldsOf('GET', '/proxy').map((field): Field => (field[0] === name ? [name, value] : field))

describe.each(BREAKS)('with %j', (text) => {
  it.each([
    ...[':method', ':scheme', ':authority', ':path'].flatMap((name) => {
      const value = { ':method': 'GET', ':scheme': 'http', ':authority': 'test', ':path': '/proxy' }[name]!
      return [
        [`${name} that ends in it`, changed(name, `${value}${text}`)],
        [`${name} that begins with it`, changed(name, `${text}${value}`)],
        [
          `${name} that goes on behind it`,
          changed(name, `${value} HTTP/1.1${text}Host: a${text}${text}${INJECTED}${text}`),
        ],
      ] as const
    }),
    ['the name of a field', [...fieldsOf('GET', '/proxy'), [`x-a${text}${INJECTED}`, 'v']]],
    ['the name of a pseudo-field', [[`:x${text}`, 'v'], ...fieldsOf('GET', '/proxy')]],
    ['the value of a field', [...fieldsOf('GET', '/proxy'), ['x-a', `v${text}${text}${INJECTED}${text}`]]],
    ['a cookie', [...fieldsOf('GET', '/proxy'), ['cookie', 'a=1'], ['cookie', `b=2${text}x-evil: 1`]]],
    [
      'host',
      [
        ...changed(':authority', 'test').filter(([name]) => name !== ':authority'),
        ['host', `test${text}x: y`],
      ],
    ],
    [
      'a field that is passed on by a variable',
      [...fieldsOf('GET', '/rewritten/a'), ['x-copy', `v${text}x-evil: 1`]],
    ],
  ] as [string, Field[]][])('%s is refused', (_what, fields) => refused(fields))
})

describe('names', () => {
  it.each([
    'x-a:',
    'x-a: b',
    'x a',
    ' x-a',
    'x-a ',
    'host: evil',
    'x-a\t',
    'transfer-encoding ',
    'content-length\t',
    ':',
  ])('%j is refused', (name) => refused([...fieldsOf('GET', '/proxy'), [name, 'v']]))

  it('names with underscores do not stand for others', async () => {
    await outcomeOf(
      [...fieldsOf('POST', '/proxy'), ['content_length', '0'], ['transfer_encoding', 'chunked']],
      'body',
    )
    const [request] = received()
    expect(request!.fields).toContainEqual(expect.stringMatching(/^content-length: 4$/i))
    expect(request!.body).toBe('body')
  })
})

describe('framing', () => {
  it.each<[what: string, fields: Field[], body: string | null]>([
    ['transfer-encoding: chunked', [['transfer-encoding', 'chunked']], '0\r\n\r\n'],
    ['transfer-encoding: chunked, without a body', [['transfer-encoding', 'chunked']], null],
    [
      'transfer-encoding and content-length',
      [
        ['content-length', '5'],
        ['transfer-encoding', 'chunked'],
      ],
      '0\r\n\r\n',
    ],
    ['a content-length that is too small', [['content-length', '4']], `body${INJECTED}\r\n\r\n`],
    ['a content-length that is too large', [['content-length', '400']], 'body'],
    ['content-length 0 and a body', [['content-length', '0']], `${INJECTED}\r\n\r\n`],
    [
      'two lengths',
      [
        ['content-length', '4'],
        ['content-length', '40'],
      ],
      'body',
    ],
    [
      'the same length twice',
      [
        ['content-length', '4'],
        ['content-length', '4'],
      ],
      'body',
    ],
    ['a list of lengths', [['content-length', '4, 4']], 'body'],
    ['a length with a sign', [['content-length', '+4']], 'body'],
    ['a length in hexadecimal', [['content-length', '0x4']], 'body'],
    [
      'connection and what it names',
      [
        ['connection', 'content-length, x-a'],
        ['x-a', 'b'],
      ],
      'body',
    ],
    [
      'upgrade',
      [
        ['connection', 'upgrade'],
        ['upgrade', 'websocket'],
      ],
      null,
    ],
    ['te that asks for more than trailers', [['te', 'chunked']], null],
  ])('%s is refused', (_what, fields, body) => refused([...fieldsOf('POST', '/proxy'), ...fields], body))

  it('a body that looks like a request is a body', async () => {
    const body = `\r\n\r\n${INJECTED}\r\nHost: a\r\n\r\n`
    expect(await outcomeOf(fieldsOf('POST', '/proxy'), body)).toBe('200')
    const requests = received()
    expect(requests).toHaveLength(1)
    expect(requests[0]!.body).toBe(body)
  })

  it('a body that looks like chunks is a body', async () => {
    const body = `0\r\n\r\n${INJECTED}\r\nHost: a\r\n\r\n`
    const client = await server.connect()
    client.send(post(1, '/stream'), ...[...body].map((char) => data(1, char, 0)), data(1, ''))
    expect(await client.outcome(1)).toBe('200')
    expect(server.backend.requests).toHaveLength(1)
    const text = server.backend.requests[0]!.bytes.toString('latin1')
    if (/\r\ntransfer-encoding: chunked\r\n/i.test(text)) {
      const chunks = text.slice(text.indexOf('\r\n\r\n') + 4)
      expect(unchunked(chunks)).toBe(body)
    } else expect(received()[0]!.body).toBe(body)
  })

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])('%s with a body: its length goes with it', async (method) => {
    expect(await outcomeOf(fieldsOf(method, '/proxy'), `${INJECTED}\r\n\r\n`)).toBe('200')
    expect(received()).toHaveLength(1)
  })
})

function unchunked(text: string): string {
  let body = ''
  for (let rest = text; ; ) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (size === 0) {
      expect(rest.slice(end)).toBe('\r\n\r\n')
      return body
    }
    body += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 4 + size)
  }
}

describe('hosts', () => {
  const without = fieldsOf('GET', '/proxy').filter(([name]) => name !== ':authority')

  it.each<[what: string, fields: Field[]]>([
    ['two host fields', [...without, ['host', 'test'], ['host', 'evil']]],
    ['host beside another :authority', [...fieldsOf('GET', '/proxy'), ['host', 'evil']]],
    ['host beside :authority and its port', [...fieldsOf('GET', '/proxy'), ['host', 'test:81']]],
    ['an :authority with userinfo', changed(':authority', 'evil@test')],
    ['an :authority with a path', changed(':authority', 'test/../evil')],
    ['an :authority with a query', changed(':authority', 'test?evil')],
    ['an :authority with a fragment', changed(':authority', 'test#evil')],
    ['an :authority with a blank', changed(':authority', 'test evil')],
    ['an :authority of two', changed(':authority', 'test,evil')],
    ['host with a path', [...without, ['host', 'test/evil']]],
    ['host with a blank', [...without, ['host', 'test evil']]],
    ['no host', without],
    ['an empty host', [...without, ['host', '']]],
    ['an empty :authority', changed(':authority', '')],
  ])('%s: refused, or one Host that is what routed the request', async (_what, fields) => {
    const outcome = await outcomeOf(fields)
    expect(outcome).toMatch(/^(200|400|421|RST_STREAM PROTOCOL_ERROR)$/)
    const requests = received()
    expect(requests).toHaveLength(outcome === '200' ? 1 : 0)
    for (const { fields: lines } of requests) expect(lines.join('\n')).not.toMatch(/^host:.*evil/im)
  })
})

describe('targets', () => {
  it.each([
    '/proxy /x',
    '/proxy\tx',
    ' /proxy',
    '/proxy ',
    '//evil/../proxy x',
    'http://evil/proxy',
    'proxy',
    '*',
    '',
    '?x',
    '#x',
    '/proxy\x7f',
  ])(':path %j is refused, or does not reach the backend as it is', async (path) => {
    const outcome = await outcomeOf(changed(':path', path))
    expect(outcome).toMatch(/^(200|400|404|405|RST_STREAM PROTOCOL_ERROR)$/)
    for (const { line } of received()) expect(line.split(' ')).toHaveLength(3)
  })

  it.each(['GET /evil HTTP/1.1', 'GET\t', ' GET', 'GET ', 'G\0T', 'get', 'G@T', ''])(
    ':method %j is refused',
    (method) => refused(changed(':method', method)),
  )

  it.each(['http://evil', 'ht tp', 'http\r\n', '', '1http', 'http:'])(':scheme %j is refused', (scheme) =>
    refused(changed(':scheme', scheme)),
  )
})

const piece = fc.constantFrom(
  ...'\r\n\0 \t:;,=/?#%@\\"\x7f\x80\xffaAzZ09-_.'.split(''),
  ...['\r\n', 'HTTP/1.1', 'host', '%0d%0a'],
)
const nasty = fc.string({ maxLength: 12, unit: piece })
/** Mostly what is right, so that some requests are. */
const mostly = (...right: string[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: nasty })
const tame = fc.string({
  maxLength: 12,
  unit: fc.constantFrom(...'aZ0-_.;,=/?#%40:@&+'.split(''), '%0d%0a', '%20'),
})
const anyName = mostly(
  'x-a',
  'x-b',
  'cookie',
  'accept',
  'content-type',
  'te',
  'host',
  'expect',
  'content-length',
)

it('whatever fields a request has, the backend gets one request, or none', async () => {
  const client = await server.connect()
  let stream = 1
  let passed = 0
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(mostly('GET', 'POST', 'X-Y'), fc.oneof(tame, tame, nasty), mostly('test', 'a:80', '[::1]')),
      fc.array(fc.tuple(anyName, fc.oneof(tame, mostly('', 'a, b', '4', 'trailers'))), { maxLength: 3 }),
      fc.option(tame),
      async ([method, path, authority], extra, body) => {
        server.backend.reset()
        const fields: Field[] = [
          [':method', method],
          [':scheme', 'http'],
          [':authority', authority],
          [':path', `/lax/${path}`],
          ...extra,
        ]
        // Empty names end the connection.
        if (extra.some(([name]) => name === '')) return
        client.send(headers(stream, block(...fields), END_HEADERS | (body === null ? END_STREAM : 0)))
        if (body !== null) client.send(data(stream, body))
        const outcome = await client.outcome(stream)
        stream += 2
        expect(outcome).not.toMatch(/^(GOAWAY|closed)/)
        const requests = received()
        expect(requests.length).toBeLessThanOrEqual(1)
        if (outcome === '200') passed += requests.length
        for (const request of requests) if (body !== null) expect(request.body).toBe(body)
      },
    ),
    { numRuns: 1000 },
  )
  expect(passed).toBeGreaterThan(100)
  client.destroy()
})
