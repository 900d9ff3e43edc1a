// 103 (Early Hints) responses of backends: which clients get them, what of them, and how much.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildCycle } from '../../../src/shared/conf/build.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import { modules } from '../../../src/worker/modules.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { type Peer, PeerServer } from '../../support/peer.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

const SERVER = `
  early_hints 1;
  location / { proxy_pass http://%BACKEND%; proxy_hide_header X-Secret; proxy_pass_header X-Pad; }
  location /zero { proxy_pass http://%BACKEND%; early_hints 0 ""; }
  location /navigation { proxy_pass http://%BACKEND%; early_hints $http_sec_fetch_mode; }
  location /lines { proxy_pass http://%BACKEND%; early_hints 0; early_hints "" $arg_hints; }
  location /next { proxy_pass http://pair; proxy_next_upstream error; }
  location /page { proxy_pass http://%BACKEND%; auth_request /asked; }
  location /asked { internal; proxy_pass http://%BACKEND%; }
  location /gzip { proxy_pass http://%BACKEND%; gzip on; gzip_types *; gzip_min_length 1; }
  location /slow { proxy_pass http://%SLOW%; }
`
const HTTP = `
  upstream pair { server %BACKEND% max_fails=0; server %BACKEND% max_fails=0; }
  server { listen 127.0.0.1:%PORT%; server_name none; location / { proxy_pass http://%BACKEND%; } }
`
const HINT = 'HTTP/1.1 103 Early Hints\r\n'
const LINK = 'Link: </a.css>; rel=preload\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const hints = (lines = LINK) => `${HINT}${lines}\r\n`

let engine: TestEngine
let backend: RawBackend
let slow: PeerServer

beforeAll(async () => {
  backend = await RawBackend.start()
  slow = await PeerServer.start()
  engine = await TestEngine.start(serverConf(SERVER, HTTP), { BACKEND: backend.address, SLOW: slow.address })
})
beforeEach(() => {
  backend.reset(hints() + OK)
  slow.drop()
})
afterAll(() => Promise.all([engine?.stop(), backend?.stop(), slow?.stop()]))

const get = (target: string, fields = '', version = '1.1') =>
  `GET ${target} HTTP/${version}\r\nHost: test\r\n${fields}Connection: close\r\n\r\n`

/** What stands in front of the final response. */
async function inFront(request: string): Promise<string> {
  const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
  const text = bytes.toString('latin1')
  const final = text.search(/HTTP\/1\.1 [2-5]\d\d /)
  expect(final).toBeGreaterThanOrEqual(0)
  return text.slice(0, final)
}

describe('early_hints', () => {
  it('without the directive: no hints', async () => {
    expect(await inFront(get('/').replace('Host: test', 'Host: none'))).toBe('')
  })

  it.each([
    ['a value', '/', '', true],
    ['only empty ones and 0', '/zero', '', false],
    ['a variable that is empty', '/navigation', '', false],
    ['a variable that is 0', '/navigation', 'Sec-Fetch-Mode: 0\r\n', false],
    ['a variable that is not', '/navigation', 'Sec-Fetch-Mode: navigate\r\n', true],
    ['one of several lines', '/lines?hints=00', '', true],
    ['none of several lines', '/lines?hints=0', '', false],
  ])('%s', async (_name, target, fields, passed) => {
    expect(await inFront(get(target, fields))).toBe(passed ? hints() : '')
  })

  it.each([
    ['none', 'early_hints;', 'invalid number of arguments in "early_hints" directive'],
    ['in if', 'location / { if ($uri) { early_hints 1; } }', '"early_hints" directive is not allowed here'],
    ['an unknown variable', 'early_hints $nothing;', 'unknown "nothing" variable'],
  ])('arguments or place wrong (%s): refused', (_name, body, message) => {
    const text = `events {}\nhttp { server { listen 1; ${body} } }`
    const build = () =>
      buildCycle(parseText(text, 'nginx.conf', '/'), modules, { prefix: '/', confPrefix: '/' })
    expect(build).toThrow(message)
  })
})

describe('the hints of a backend', () => {
  it('reach the client before the final response has begun', async () => {
    const client = engine.connect()
    client.transport.receive('GET /slow HTTP/1.1\r\nHost: test\r\n\r\n')
    const peer: Peer = await slow.next()
    await peer.head()
    await peer.send(hints())
    await eventually('hints', () => client.transport.sent === hints())
    await peer.send(OK)
    await eventually('the response', () => client.transport.sent.endsWith('\r\n\r\nok'))
    client.transport.break()
  })

  it('are nothing for HTTP/1.0 clients', async () => {
    expect(await inFront(get('/', '', '1.0'))).toBe('')
  })

  it('pass as often as they come, other interim responses do not', async () => {
    backend.answer = {
      bytes: [
        hints(),
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n',
        hints('Link: b\r\n') + OK,
      ],
    }
    expect(await inFront(get('/'))).toBe(hints() + hints('Link: b\r\n'))
  })

  it('pass on a connection that is kept, each before its own response', async () => {
    const one = get('/').replace('Connection: close\r\n', '')
    const { bytes } = await rawRequest(engine.port, one + one, { until: 2 })
    const heads = bytes.toString('latin1').match(/HTTP\/1\.1 \d+/g)
    expect(heads).toEqual(['HTTP/1.1 103', 'HTTP/1.1 200', 'HTTP/1.1 103', 'HTTP/1.1 200'])
  })

  it('pass in front of a HEAD, of an error of weir, and of compressed content', async () => {
    expect(await inFront(get('/').replace('GET', 'HEAD'))).toBe(hints())
    backend.reset({ bytes: `${hints()}nonsense\r\n\r\n`, after: 'end' })
    expect(await inFront(get('/'))).toBe(hints())
    backend.reset(`${hints()}HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n${'a'.repeat(40)}`)
    expect(await inFront(get('/gzip', 'Accept-Encoding: gzip\r\n'))).toBe(hints())
  })

  it('of a peer that fails then pass, and those of the next one', async () => {
    backend.reset((_request, index) =>
      index === 0 ? { bytes: hints('Link: one\r\n'), after: 'end' } : hints('Link: two\r\n') + OK,
    )
    expect(await inFront(get('/next'))).toBe(hints('Link: one\r\n') + hints('Link: two\r\n'))
  })

  it('about a subrequest are not passed', async () => {
    backend.answer = (request) => (request.includes('/asked') ? hints('Link: asked\r\n') + OK : hints() + OK)
    expect(await inFront(get('/page'))).toBe(hints())
  })

  it('count as bytes sent', async () => {
    const lines = engine.accessLog.split('\n').length
    await inFront(get('/'))
    expect((await engine.logged(lines)).at(-1)).toBe(`200 GET / ${hints().length + 2}`)
  })
})

describe('fields of hints', () => {
  it.each([
    ['as they came', 'link:   a\r\nLINK: b\r\nX-Own: \xe9\r\n', 'link: a\r\nLINK: b\r\nX-Own: \xe9\r\n'],
    [
      'hidden',
      `Server: x\r\nX-Secret: x\r\nX-Accel-Redirect: /\r\nx-pad: 1\r\n${LINK}`,
      `x-pad: 1\r\n${LINK}`,
    ],
    ['about a connection', `Connection: close\r\nKeep-Alive: 1\r\nUpgrade: h2c\r\n${LINK}`, LINK],
    ['about framing', `Content-Length: 0\r\nTrailer: X\r\n${LINK}`, LINK],
    ['about chunks', `Transfer-Encoding: chunked\r\n${LINK}`, LINK],
  ])('%s', async (_name, sent, passed) => {
    backend.answer = hints(sent) + OK
    expect(await inFront(get('/'))).toBe(hints(passed))
  })

  it('none left: no hints', async () => {
    backend.answer = hints('') + hints('Connection: close\r\n') + OK
    expect(await inFront(get('/'))).toBe('')
  })
})

describe('hostile hints', () => {
  it.each([
    ['a bare CR', 'Link: a\rSet-Cookie: x\r\n'],
    ['a bare LF', 'Link: a\nSet-Cookie: x\r\n'],
    ['a folded line', 'Link: a\r\n b\r\n'],
    ['NUL', 'Link: a\0\r\n'],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n'],
    ['length and chunks', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'],
  ])('%s: 502 without hints', async (_name, lines) => {
    backend.answer = { bytes: hints(lines) + OK, after: 'end' }
    const { bytes } = await rawRequest(engine.port, get('/'), { until: 'close' })
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('more than 4 KiB of them are not passed and do not fail the request', async () => {
    const big = hints(`Link: ${'a'.repeat(2000)}\r\n`)
    backend.answer = { bytes: [big, big, big + big + OK] }
    expect(await inFront(get('/'))).toBe(big + big)
    expect(engine.errorLog).toMatch(
      /\[info\].* upstream sent too big early hints while reading response header/,
    )
  })

  it('one longer than 4 KiB is a 502', async () => {
    backend.answer = { bytes: hints(`Link: ${'a'.repeat(5000)}\r\n`) + OK, after: 'end' }
    const { bytes } = await rawRequest(engine.port, get('/'), { until: 'close' })
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('a body is no part of them', async () => {
    backend.answer = { bytes: `${hints('Content-Length: 5\r\n')}hello${OK}`, after: 'end' }
    const { bytes } = await rawRequest(engine.port, get('/'), { until: 'close' })
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('a client that leaves meanwhile ends the request', async () => {
    const client = engine.connect()
    client.transport.receive('GET /slow HTTP/1.1\r\nHost: test\r\n\r\n')
    const peer = await slow.next()
    await peer.head()
    await peer.send(hints())
    await eventually('hints', () => client.transport.sent !== '')
    client.transport.break()
    await peer.untilEnd()
    await eventually('the end', () => client.gone)
  })
})
