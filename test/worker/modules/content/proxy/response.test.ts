// Response heads of backends where nginx's mainline differs from Debian's nginx, or weir is stricter.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { RawBackend } from '../../../../support/raw-backend.ts'
import { rawRequest } from '../../../../support/raw-client.ts'

const CONF = `
  location / { proxy_pass http://%BACKEND%; }
  location /pass { proxy_pass_header Date; proxy_pass_header Server; proxy_pass http://%BACKEND%; }
  location /path { proxy_redirect http://old.test/ $arg_to/; absolute_redirect off; proxy_pass http://%BACKEND%; }
  location /ends { proxy_redirect ~^/(.*) $uri; proxy_cookie_path / "$uri"; proxy_pass http://%BACKEND%; }
  location /dead { proxy_pass_header Server; proxy_pass http://127.0.0.1:1; }
`

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(serverConf(CONF), { BACKEND: backend.address })
})
beforeEach(() => backend.reset())
afterAll(() => Promise.all([engine?.stop(), backend?.stop()]))

/** The head the client gets for a backend's `status` and field lines, without Date, Server and Connection. */
async function head(target: string, status: string, ...lines: string[]): Promise<string[]> {
  backend.answer = [
    'HTTP/1.1 ',
    status,
    '\r\n',
    ...lines.map((line) => `${line}\r\n`),
    'Content-Length: 0\r\n\r\n',
  ].join('')
  const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
  const all = bytes.toString('latin1').split('\r\n\r\n')[0]!.split('\r\n')
  return all.filter(
    (line) => !/^(Date: .* GMT|Server: weir.*|Connection: close|Content-Length: 0)$/.test(line),
  )
}

describe('a field that a response may have once', () => {
  it.each(['Content-Type', 'ETag', 'Expires', 'Last-Modified', 'Location', 'Refresh', 'Status'])(
    '%s: the first counts, the others are dropped with a warning',
    async (name) => {
      const before = engine.errorLog.length
      const lines = await head('/', '200 OK', 'X-A: 1', `${name}: one`, `${name.toLowerCase()}: two`)
      expect(lines.filter((line) => line.toLowerCase().startsWith(name.toLowerCase()))).toEqual([
        `${name}: one`,
      ])
      expect(engine.errorLog.slice(before)).toContain(`[warn] `)
      expect(engine.errorLog.slice(before)).toContain(
        `upstream sent duplicate header line: "${name.toLowerCase()}: two", previous value: "${name}: one", ` +
          'ignored while reading response header from upstream, client: ',
      )
    },
  )

  it('is hidden and warned of all the same', async () => {
    const before = engine.errorLog.length
    expect(await head('/', '200 OK', 'Date: one', 'Date: two')).toEqual(['HTTP/1.1 200 OK'])
    expect(engine.errorLog.slice(before)).toContain('duplicate header line: "Date: two"')
  })

  it('may come again in the next response', async () => {
    expect(await head('/', '200 OK', 'ETag: "1"')).toContain('ETag: "1"')
    expect(await head('/', '200 OK', 'ETag: "2"')).toContain('ETag: "2"')
  })
})

it('fields that are lists may come several times', async () => {
  const lines = [
    'Vary: a',
    'Cache-Control: b',
    'Set-Cookie: c',
    'Vary: d',
    'Set-Cookie: e',
    'WWW-Authenticate: f',
  ]
  expect(await head('/', '200 OK', ...lines)).toEqual(['HTTP/1.1 200 OK', ...lines])
})

describe('a status line', () => {
  it.each(['404.1 Not Found', '200.', '299', '999 \xe9\tx', '599  two  spaces '])(
    '%s is passed on',
    async (status) => {
      expect(await head('/', status)).toEqual([`HTTP/1.1 ${status}`])
    },
  )
})

describe('proxy_pass_header', () => {
  it('of Date and Server passes the first of each', async () => {
    const lines = await head('/pass', '200 OK', 'Server: one', 'Server: two', 'Date: never')
    expect(lines).toEqual(['HTTP/1.1 200 OK', 'Server: one', 'Date: never'])
  })

  it("of Server leaves weir's own to weir's own pages", async () => {
    const { bytes } = await rawRequest(engine.port, 'GET /dead HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\nServer: weir/)
  })
})

describe('a rewritten field', () => {
  it('Location that becomes a path stays in its place with absolute_redirect off', async () => {
    const lines = await head('/path?to=/new', '302 F', 'X-A: 1', 'Location: http://old.test/x', 'X-B: 1')
    expect(lines).toEqual(['HTTP/1.1 302 F', 'X-A: 1', 'Location: /new/x', 'X-B: 1'])
  })

  it('begins no other field by line ends of a decoded URI', async () => {
    const lines = await head('/ends%0d%0aX-I:%201', '302 F', 'Location: /x', 'Set-Cookie: a=b; path=/')
    expect(lines).toEqual([
      'HTTP/1.1 302 F',
      `Location: http://a:${engine.port}/ends  X-I: 1`,
      'Set-Cookie: a=b; path=/ends  X-I: 1',
    ])
  })
})
