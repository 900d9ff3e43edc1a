// RFC 9113 section 8.2: which field names and values a request may have, connection-specific fields, and cookies.

import { expect, it } from 'vitest'
import { fieldsOf, get, headers } from '../../../support/http2-bytes.ts'
import { block, type Field, indexing, literal } from '../../../support/http2-hpack.ts'
import { Http2Raw } from '../../../support/http2-raw.ts'
import { type ConformanceCase, describeCases, MALFORMED, withServer } from './server.ts'

const server = withServer()

const REQUEST = fieldsOf('GET', '/proxy')
const withField = (field: Field) => headers(1, block(...REQUEST, field))
const shown = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
const chars = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index))

const malformed = (name: string, field: Field): ConformanceCase => ({
  name,
  want: MALFORMED,
  send: withField(field),
})

const NAMES: ConformanceCase[] = [
  { name: '8.2.1 an empty name', want: [...MALFORMED, 'GOAWAY PROTOCOL_ERROR'], send: withField(['', 'v']) },
  malformed('8.2.1 an uppercase name', ['X-Upper', 'v']),
  malformed('8.2.1 a name with one uppercase letter at its end', ['x-uppeR', 'v']),
  malformed('8.2.1 a known name in uppercase', ['Accept', 'v']),
  ...['\0', '\t', '\n', '\r', '\x1f', ' ', ':', 'A', 'Z', '\x7f', '\x80', '\xff'].flatMap((char) => [
    malformed(`8.2.1 a name with ${shown(char)}`, [`x-a${char}b`, 'v']),
    malformed(`8.2.1 a name that ends in ${shown(char)}`, [`x-a${char}`, 'v']),
  ]),
  malformed('8.2.1 a name that is a header line', ['x-a: b\r\nx-c', 'v']),
  malformed('8.2.1 a name that begins with a blank', [' x-a', 'v']),
]

const VALUES: ConformanceCase[] = [
  ...['\0', '\r', '\n', '\r\n', '\r\n\r\nGET / HTTP/1.1\r\n\r\n'].flatMap((text) => [
    malformed(`8.2.1 a value with ${JSON.stringify(text)}`, ['x-a', `b${text}c`]),
    malformed(`8.2.1 a value that ends in ${JSON.stringify(text)}`, ['x-a', `b${text}`]),
    malformed(`8.2.1 a value that begins with ${JSON.stringify(text)}`, ['x-a', `${text}b`]),
  ]),
  ...[' ', '\t'].flatMap((blank) => [
    malformed(`8.2.1 a value that begins with ${shown(blank)}`, ['x-a', `${blank}b`]),
    malformed(`8.2.1 a value that ends in ${shown(blank)}`, ['x-a', `b${blank}`]),
    malformed(`8.2.1 a value of ${shown(blank)} alone`, ['x-a', blank]),
  ]),
  ...[':method', ':scheme', ':authority', ':path'].flatMap((name) =>
    ['\0', '\r', '\n', ' '].map((char): ConformanceCase => {
      const fields = REQUEST.map(
        (field): Field => (field[0] === name ? [name, `${field[1]}${char}x`] : field),
      )
      return {
        name: `8.2.1 ${name} with ${shown(char)}`,
        want: MALFORMED,
        send: headers(1, block(...fields)),
      }
    }),
  ),
]

const CONNECTION: ConformanceCase[] = [
  ['connection', 'close'],
  ['connection', 'keep-alive'],
  ['connection', ''],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['transfer-encoding', 'chunked'],
  ['transfer-encoding', 'identity'],
  ['transfer-encoding', ''],
  ['upgrade', 'websocket'],
  ['upgrade', 'h2c'],
  ['te', 'gzip'],
  ['te', 'trailers, gzip'],
  ['te', 'trailers;q=0.5'],
].map((field) => malformed(`8.2.2 ${field[0]}: ${field[1]}`, field as unknown as Field))

describeCases('names', server, NAMES)
describeCases('values', server, VALUES)
describeCases('connection-specific fields', server, [
  ...CONNECTION,
  { name: '8.2.2 te: trailers', want: '200', send: withField(['te', 'trailers']) },
])

it('8.2.1 all other characters of names and values are taken, and reach the backend', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  const value = `${[...chars(0x21, 0x7e), ...chars(0x80, 0xff)].join('')} \t.`
  client.send(
    headers(1, block(...REQUEST, ['x-abcdefghijklmnopqrstuvwxyz-0123456789', value], ['x-empty', ''])),
  )
  expect((await client.response(1)).status).toBe(200)
  const request = server.backend.requests[0]!.bytes.toString('latin1')
  expect(request).toContain(`\r\nx-abcdefghijklmnopqrstuvwxyz-0123456789: ${value}\r\n`)
  client.destroy()
})

it.each(['(', ')', '"', ',', '/', ';', '<', '=', '>', '?', '@', '[', '\\\\', ']', '{', '}'])(
  '8.2.1 a name with %s, which no token has: the backend gets no such field',
  async (char) => {
    const client = await Http2Raw.connect(server.port)
    server.backend.reset()
    client.send(withField([`x-a${char}b`, 'odd']))
    expect([...MALFORMED, '200']).toContain(await client.outcome(1))
    for (const { bytes } of server.backend.requests) expect(bytes.toString()).not.toContain('odd')
    client.destroy()
  },
)

it('8.2.1 a value that is wrong is so too when it comes from the table', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  const first = Buffer.concat([block(...REQUEST), indexing('x-a', 'b\r\nx-evil: 1')])
  client.send(headers(1, first), headers(3, Buffer.concat([block(...REQUEST), Buffer.from([0xbe])])))
  expect(MALFORMED).toContain(await client.outcome(1))
  expect(MALFORMED).toContain(await client.outcome(3))
  client.send(headers(5, Buffer.concat([block(...REQUEST), literal(62, 'now right')])))
  expect(await client.outcome(5)).toBe('200')
  expect(server.backend.requests).toHaveLength(1)
  client.destroy()
})

it('8.2.3 cookies are put together for the backend', async () => {
  const client = await Http2Raw.connect(server.port)
  server.backend.reset()
  client.send(
    get(1, '/proxy', ['cookie', 'a=1'], ['x-between', 'x'], ['cookie', 'b=2; c=3'], ['cookie', 'd=4']),
  )
  expect((await client.response(1)).status).toBe(200)
  const request = server.backend.requests[0]!.bytes.toString('latin1')
  expect(request.match(/^cookie: .*$/gim)).toEqual([
    expect.stringMatching(/^cookie: a=1; b=2; c=3; d=4\r?$/i),
  ])
  client.destroy()
})
