// What Debian's nginx does not have of `add_header` and `add_trailer`: inheritance rules, and values joined.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../../../src/shared/conf/build.ts'
import { parseText } from '../../../../src/shared/conf/parser.ts'
import { modules } from '../../../../src/worker/modules.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'

const CONF = `
  add_header X-S server;
  add_trailer X-T server;
  location /own { add_header X-L own; return 200 ok; }
  location /merge { add_header_inherit merge; add_header X-L merge; add_header X-M merge always; return 200 ok;
    location /merge/in { add_header X-I in; return 200 ok; }
    location /merge/none { return 200 ok; }
    location /merge/on { add_header_inherit on; add_header X-I on; return 200 ok; } }
  location /off { add_header_inherit off; return 200 ok;
    location /off/in { return 200 ok; }
    location /off/own { add_header X-L own; return 200 ok; } }
  location /trailer/own { add_trailer X-L own; return 200 ok; }
  location /trailer/merge { add_trailer_inherit merge; add_trailer X-L own; return 200 ok; }
  location /trailer/off { add_trailer_inherit off; return 200 ok; }
  location /page { add_trailer X-T page always; add_trailer X-No page; return 404; }
  location /ends { add_header X-E "$uri"; add_trailer X-T "$uri"; return 200 ok; }
  location /back { add_header X-Joined "$sent_http_x_many|$sent_http_link"; add_trailer X-T 1; add_trailer x-t 2;
    proxy_pass http://%BACKEND%; }
`

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(
    serverConf(
      CONF,
      `log_format sent '$uri $sent_http_connection $sent_http_keep_alive $sent_trailer_x_t';
       access_log logs/sent.log sent; keepalive_timeout 60 30;`,
    ),
    { BACKEND: backend.address },
  )
})
afterAll(() => Promise.all([engine?.stop(), backend?.stop()]))

/** Lines of the response that begin with `X-`, before and behind the content. */
async function added(target: string, start = 'GET'): Promise<string[]> {
  const request = `${start} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
  return bytes
    .toString('latin1')
    .split('\r\n')
    .filter((line) => /^x-/i.test(line))
}

describe('add_header_inherit', () => {
  it.each([
    ['not set', '/own', ['X-L: own', 'X-T: server']],
    ['merge: own fields first', '/merge', ['X-L: merge', 'X-M: merge', 'X-S: server', 'X-T: server']],
    [
      'merge: holds below',
      '/merge/in',
      ['X-I: in', 'X-L: merge', 'X-M: merge', 'X-S: server', 'X-T: server'],
    ],
    [
      'merge: without fields of its own',
      '/merge/none',
      ['X-L: merge', 'X-M: merge', 'X-S: server', 'X-T: server'],
    ],
    ['on: ends a merge', '/merge/on', ['X-I: on', 'X-T: server']],
    ['off', '/off', ['X-T: server']],
    ['off: holds below', '/off/in', ['X-T: server']],
    ['off: own fields stay', '/off/own', ['X-L: own', 'X-T: server']],
  ])('%s', async (_, target, lines) => {
    expect(await added(target)).toEqual(lines)
  })
})

describe('add_trailer_inherit', () => {
  it.each([
    ['not set', '/trailer/own', ['X-S: server', 'X-L: own']],
    ['merge', '/trailer/merge', ['X-S: server', 'X-L: own', 'X-T: server']],
    ['off', '/trailer/off', ['X-S: server']],
  ])('%s', async (_, target, lines) => {
    expect(await added(target)).toEqual(lines)
  })
})

describe('a trailer', () => {
  it('with always is sent behind a page', async () => {
    expect(await added('/page')).toEqual(['X-T: page'])
  })

  it('is not sent to HEAD', async () => {
    expect(await added('/trailer/own', 'HEAD')).toEqual(['X-S: server'])
  })

  it('puts content of known length into chunks, and leaves the connection usable', async () => {
    const request = 'GET /own HTTP/1.1\r\nHost: a\r\n\r\n'
    const { bytes } = await rawRequest(engine.port, [request, request], { until: 2 })
    const text = bytes.toString('latin1')
    expect(text).not.toContain('Content-Length')
    expect(text.split('2\r\nok\r\n0\r\nX-T: server\r\n\r\n')).toHaveLength(3)
  })
})

it('line ends of a decoded URI begin no other field', async () => {
  expect(await added('/ends%0d%0aX-Inj:%201')).toEqual(['X-E: /ends  X-Inj: 1', 'X-T: /ends  X-Inj: 1'])
})

it('values of several fields are joined in $sent_http_ and $sent_trailer_', async () => {
  backend.reset(
    'HTTP/1.1 200 OK\r\nLink: a\r\nX-Many: 1\r\nx_many: 2\r\nLink: b\r\nContent-Length: 0\r\n\r\n',
  )
  expect(await added('/back')).toContain('X-Joined: 1, 2|a, b')
  expect(engine.read('logs/sent.log')).toContain('/back close - 1, 2\n')
})

it('$sent_http_connection and $sent_http_keep_alive in a log are those of a connection left behind', async () => {
  await rawRequest(engine.port, 'GET /off/kept HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(engine.read('logs/sent.log')).toContain('/off/kept close - server\n')
})

describe('errors', () => {
  const build = (text: string) => () =>
    buildCycle(parseText(`events {} http { ${text} }`, 'nginx.conf'), modules, {
      prefix: '/',
      confPrefix: '/',
    })

  it.each([
    ['add_header_inherit yes;', 'invalid value "yes"'],
    ['add_trailer_inherit on on;', 'invalid number of arguments in "add_trailer_inherit" directive'],
    ['add_header_inherit on; add_header_inherit off;', '"add_header_inherit" directive is duplicate'],
    ['add_trailer A b never;', 'invalid parameter "never"'],
    ['upstream u { add_header A b; }', '"add_header" directive is not allowed here'],
  ])('%s', (text, message) => {
    expect(build(text)).toThrow(message)
  })
})
