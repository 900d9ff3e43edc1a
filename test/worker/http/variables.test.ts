// Variables and complex values, read where a response shows them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../../src/shared/conf/build.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import { variableNames } from '../../../src/worker/http/variables.ts'
import { modules } from '../../../src/worker/modules.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'

let engine: TestEngine

/** One location for each value to be looked at. */
const VALUES = [
  'plain text',
  '$arg_a',
  '$arg_A-$arg_b',
  'x$arg_a',
  '$arg_a$arg_b',
  'x$arg_a$arg_b',
  '$arg_a.$arg_b.',
  '$' + '{arg_a}b',
  '$arg_none',
  '$args|$is_args|$query_string',
  '$uri|$document_uri|$request_uri',
  '$request_method $server_protocol',
  '$request',
  '$host|$http_host|$hostname_',
  '$scheme|$https',
  '$server_name|$server_port|$server_addr',
  '$remote_addr|$remote_port',
  '$http_x_one|$http_x_two|$http_x_none',
  '$cookie_a|$cookie_B|$cookie_c',
  '$content_length|$content_type',
  '$remote_user',
  '$connection_requests',
  '$request_length',
  '$1|$2|$3',
  '$12',
  '$who',
  '$status',
  '$request_port$is_request_port',
  '$pipe$limit_rate',
  '$document_root $request_filename',
]
const KNOWN = VALUES.filter((value) => !value.includes('$hostname_'))

beforeAll(async () => {
  const locations = KNOWN.map((value, index) => `location /v${index} { return 200 "${value}"; }`).join('\n')
  engine = await TestEngine.start(
    serverConf(
      `${locations} location ~ ^/c/(?<who>[a-z]+)/([0-9]+)/ { return 200 "$1|$2|$3|$12|$who|$WHO"; }`,
    ),
  )
})
afterAll(() => engine?.stop())

const HEAD =
  'Host: TEST:81\r\nX-One: 1\r\nX-Two: a\r\nX-two: b\r\nCookie: a=1; b=2\r\nCookie: c = 3 \r\n' +
  `Authorization: Basic ${Buffer.from('ann:secret').toString('base64')}\r\n`

function value(text: string, query = '?a=1&B=two&a=3', head = HEAD): string {
  const index = KNOWN.indexOf(text)
  expect(index).toBeGreaterThanOrEqual(0)
  const { transport } = engine.connect()
  transport.receive(`GET /v${index}${query} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`)
  return transport.sent.split('\r\n\r\n')[1]!
}

describe('a complex value', () => {
  it.each([
    ['plain text', 'plain text'],
    ['$arg_a', '1'],
    ['x$arg_a', 'x1'],
    ['$arg_a$arg_b', '1two'],
    ['x$arg_a$arg_b', 'x1two'],
    ['$arg_a.$arg_b.', '1.two.'],
    ['$' + '{arg_a}b', '1b'],
    ['$arg_none', ''],
  ])('%j is %j', (text, expected) => {
    expect(value(text)).toBe(expected)
  })

  it.each([
    ['$', 'invalid variable name'],
    ['a$', 'invalid variable name'],
    ['$-', 'invalid variable name'],
    ['$' + '{}', 'invalid variable name'],
    ['$' + '{a', 'the closing bracket in "a" variable is missing'],
    ['$nothing', 'unknown "nothing" variable'],
    ['$remote_adr', 'unknown "remote_adr" variable in nginx.conf:1, did you mean "remote_addr"?'],
    ['$ssl_preread_protocol', 'the "ssl_preread_protocol" variable is not supported by weir yet'],
    ['$0', 'unknown "0" variable'],
  ])('%j is refused: %s', (text, message) => {
    const tree = parseText(`events {} http { server { location / { return 200 '${text}'; } } }`, 'nginx.conf')
    expect(() => buildCycle(tree, modules, { prefix: '/p/', confPrefix: '/p/' })).toThrow(message)
  })
})

describe('variables', () => {
  it.each([
    ['$arg_A-$arg_b', '1-two'],
    ['$args|$is_args|$query_string', 'a=1&B=two&a=3|?|a=1&B=two&a=3'],
    ['$request_method $server_protocol', 'GET HTTP/1.1'],
    ['$scheme|$https', 'http|'],
    ['$http_x_one|$http_x_two|$http_x_none', '1|a, b|'],
    ['$cookie_a|$cookie_B|$cookie_c', '1|2|3'],
    ['$content_length|$content_type', '|'],
    ['$remote_user', 'ann'],
    ['$connection_requests', '1'],
    ['$1|$2|$3', '||'],
    ['$12', '2'],
    ['$who', ''],
    ['$status', '200'],
    ['$request_port$is_request_port', '81:'],
    ['$pipe$limit_rate', '.0'],
    ['$remote_addr|$remote_port', '192.0.2.1|40000'],
  ])('%s is %j', (text, expected) => {
    expect(value(text)).toBe(expected)
  })

  it('of the URI tell the decoded from the received one', () => {
    const index = KNOWN.indexOf('$uri|$document_uri|$request_uri')
    const { transport } = engine.connect()
    transport.receive(`GET //v${index}/%41/../b%20c?x%20y HTTP/1.1\r\n${HEAD}\r\n`)
    expect(transport.sent.split('\r\n\r\n')[1]).toBe(
      `/v${index}/b c|/v${index}/b c|//v${index}/%41/../b%20c?x%20y`,
    )
  })

  it('$args without a query are empty, $is_args too', () => {
    expect(value('$args|$is_args|$query_string', '')).toBe('||')
    expect(value('$args|$is_args|$query_string', '?')).toBe('||')
  })

  it('$request_port is that of the target before that of Host, empty without either', () => {
    const index = KNOWN.indexOf('$request_port$is_request_port')
    const ask = (target: string, port: string) => {
      const { transport } = engine.connect()
      transport.receive(`GET ${target}/v${index} HTTP/1.1\r\nHost: test${port}\r\n\r\n`)
      return transport.sent.split('\r\n\r\n')[1]
    }
    expect(ask('http://test:8080', ':81')).toBe('8080:')
    expect(ask('http://test', ':81')).toBe('')
    expect(ask('', ':81')).toBe('81:')
    expect(ask('', '')).toBe('')
  })

  it('of files begin with the folder html of the prefix', () => {
    const index = KNOWN.indexOf('$document_root $request_filename')
    const root = `${engine.folder}/html`
    expect(value('$document_root $request_filename')).toBe(`${root} ${root}/v${index}`)
  })

  it('$pipe is p for a request that came with the one before it', () => {
    const index = KNOWN.indexOf('$pipe$limit_rate')
    const { transport } = engine.connect()
    const text = `GET /v${index} HTTP/1.1\r\nHost: a\r\n\r\n`
    transport.receive(text + text)
    transport.receive(text)
    expect(transport.sent.match(/[p.]0(?=HTTP|$)/g)).toEqual(['.0', 'p0', '.0'])
  })

  it('of the server name its address', () => {
    expect(value('$server_name|$server_port|$server_addr')).toBe(`test|${engine.port}|127.0.0.1`)
  })

  it('$request_length counts the head', () => {
    const index = KNOWN.indexOf('$request_length')
    const { transport } = engine.connect()
    const head = `GET /v${index} HTTP/1.1\r\nHost: a\r\n\r\n`
    transport.receive(head)
    expect(transport.sent.split('\r\n\r\n')[1]).toBe(String(head.length))
  })

  it('numbered are the captures of the location, named ones keep their name in any case', () => {
    const { transport } = engine.connect()
    transport.receive(`GET /c/ann/42/x HTTP/1.1\r\n${HEAD}\r\n`)
    expect(transport.sent.split('\r\n\r\n')[1]).toBe('ann|42||ann2|ann|ann')
  })

  it('are listed with their families', () => {
    expect(variableNames()).toEqual(expect.arrayContaining(['host', 'http_NAME', 'upstream_addr', 'uri']))
  })
})
