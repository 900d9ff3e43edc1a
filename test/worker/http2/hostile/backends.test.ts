// Backends that answer wrongly, as a client of HTTP/2 sees it: a response that is not whole is not ended as if it were
// (RFC 9113 section 8.1.1), nothing of one stream appears on another, and the connection goes on.

import { describe, expect, it } from 'vitest'
import { fieldsOf, get, headers, post } from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import type { Reply } from '../../../support/raw-backend.ts'
import { eventually } from '../../../support/wait.ts'
import { nothingLeft, withHostileServer } from './setup.ts'

const server = withHostileServer(`
  proxy_buffer_size 64k;
  proxy_buffers 4 64k;
  proxy_busy_buffers_size 64k;
  location /impatient/proxy { proxy_pass http://%BACKEND%; proxy_read_timeout 300ms; }
  location /impatient/stream { proxy_pass http://%BACKEND%; proxy_read_timeout 300ms; proxy_buffering off; }
`)

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
const CHUNKED = 'Transfer-Encoding: chunked'

describe.each(['/proxy', '/stream'])('%s', (path) => {
  it.each<[what: string, reply: Reply, outcome: RegExp]>([
    [
      'less than its Content-Length',
      { bytes: `${head('Content-Length: 10')}short`, after: 'end' },
      /^RST_STREAM/,
    ],
    [
      'less than its Content-Length and a reset',
      { bytes: `${head('Content-Length: 10')}short`, after: 'reset' },
      /^(RST_STREAM|502)/,
    ],
    [
      'less than its Content-Length, and is silent',
      { bytes: `${head('Content-Length: 10')}short` },
      /^RST_STREAM/,
    ],
    ['nothing of its Content-Length', { bytes: head('Content-Length: 10'), after: 'end' }, /^RST_STREAM/],
    ['chunks that break off', { bytes: `${head(CHUNKED)}5\r\nhel`, after: 'end' }, /^RST_STREAM/],
    ['chunks without the last', { bytes: `${head(CHUNKED)}5\r\nhello\r\n`, after: 'end' }, /^RST_STREAM/],
    ['chunks that are none', { bytes: `${head(CHUNKED)}5\r\nhelloX`, after: 'end' }, /^RST_STREAM/],
    ['chunks and a length', { bytes: `${head(CHUNKED, 'Content-Length: 3')}0\r\n\r\n` }, /^502/],
    ['two lengths', { bytes: `${head('Content-Length: 3', 'Content-Length: 4')}abcd` }, /^502/],
    ['a length that is none', { bytes: `${head('Content-Length: x')}abcd` }, /^502/],
    ['a field with a zero', { bytes: `${head('X-A: b\0c')}abcd` }, /^502/],
    ['a field with a bare carriage return', { bytes: `${head('X-A: b\rc')}abcd` }, /^502/],
    ['a field that is folded', { bytes: `${head('X-A: b\r\n c')}abcd` }, /^502/],
    ['a name with a blank', { bytes: `${head('X A: b')}abcd` }, /^502/],
    ['a name that is a pseudo-field', { bytes: `${head(':status: 201')}abcd` }, /^502/],
    [
      'a head without end',
      { bytes: `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`, after: 'end' },
      /^502/,
    ],
    ['a status of two digits', { bytes: 'HTTP/1.1 20 OK\r\n\r\n', after: 'end' }, /^502/],
    ['a status below 100', { bytes: 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n', after: 'end' }, /^502/],
    ['an interim response and nothing', { bytes: 'HTTP/1.1 100 Continue\r\n\r\n', after: 'end' }, /^502/],
    [
      '101',
      { bytes: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n' },
      /^502/,
    ],
    ['nothing', { bytes: '', after: 'end' }, /^502/],
    ['nothing, and is silent', { bytes: '' }, /^504/],
  ])('a backend that sends %s', async (what, reply, outcome) => {
    server.backend.reset(reply)
    const client = await server.connect()
    client.send(get(1, what.endsWith('is silent') ? `/impatient${path}` : path), get(3))
    expect(await client.outcome(1)).toMatch(outcome)
    expect(await client.response(3)).toMatchObject({ status: 200, body: 'ok' })
    expect(client.violation).toBe('')
    expect(client.find('GOAWAY')).toBeUndefined()
    client.destroy()
    await nothingLeft(server)
  })

  it('a backend that sends more than its Content-Length: the client gets so much, and nobody the rest', async () => {
    server.backend.reset(`${head('Content-Length: 2')}okHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`)
    const client = await server.connect()
    for (const stream of [1, 3, 5]) {
      client.send(get(stream, path))
      expect(await client.response(stream)).toMatchObject({ status: 200, body: 'ok' })
    }
    client.destroy()
    await nothingLeft(server)
  })

  it('a backend that sends a body to HEAD', async () => {
    server.backend.reset(`${head('Content-Length: 6')}poison`)
    const client = await server.connect()
    for (const stream of [1, 3]) {
      client.send(headers(stream, block(...fieldsOf('HEAD', path))))
      expect(await client.response(stream)).toMatchObject({ status: 200, length: 0 })
    }
    client.destroy()
    await nothingLeft(server)
  })

  it('fields of a backend that has them in every form become fields of HTTP/2', async () => {
    server.backend.reset(
      `${head('X-Upper: 1', 'x-lower:2', 'X_Odd~Name:  3 \t', 'X-Bytes: \xe4', 'X-Empty:', 'Content-Length: 2')}ok`,
    )
    const client = await server.connect()
    client.send(get(1, path))
    const { fields } = await client.response(1)
    const own = fields.filter(([name]) => name.startsWith('x'))
    expect(own).toEqual([
      ['x-upper', '1'],
      ['x-lower', '2'],
      ['x_odd~name', '3'],
      ['x-bytes', '\xe4'],
      ['x-empty', ''],
    ])
    client.destroy()
  })
})

it('a backend that answers before the body is there: the answer, and the end of the request', async () => {
  server.backend.reset({
    bytes: `${head('Content-Length: 2', 'Connection: close')}no`,
    when: 'head',
    after: 'end',
  })
  const client = await server.connect()
  client.send(post(1, '/stream', ['content-length', '1000000']))
  expect(await client.response(1)).toMatchObject({ status: 200, body: 'no' })
  client.send(get(3))
  expect((await client.response(3)).status).toBe(200)
  await eventually('end of the stream', () => server.engine.stats.writing === 0)
  client.destroy()
  await nothingLeft(server)
})

it('a large head of a backend goes in CONTINUATION frames that nothing interrupts', async () => {
  const client = await server.connect()
  const fields = Array.from({ length: 30 }, (_, index) => `X-${index}: ${'v'.repeat(1000)}`)
  server.backend.reset(`${head(...fields, 'Content-Length: 2')}ok`)
  for (let stream = 1; stream < 12; stream += 2) client.send(get(stream, '/proxy'))
  for (let stream = 1; stream < 12; stream += 2)
    expect((await client.response(stream)).fields).toContainEqual(['x-29', 'v'.repeat(1000)])
  expect(client.count('CONTINUATION')).toBeGreaterThanOrEqual(6)
  expect(client.violation).toBe('')
  client.destroy()
})
