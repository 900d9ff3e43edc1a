// Responses byte by byte, as they leave for a client of either version.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { version } from '../../../src/shared/version.ts'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const SERVER = `
  location / { proxy_pass http://%BACKEND%; }
  location /text { return 200 "text"; }
  location /empty { return 200 ""; }
  location /none { return 204; }
  location /unchanged { return 304; }
  location /header { keepalive_timeout 10s 7s; return 200 "x"; }
  location /moved { return 301 /other; }
  location /far { return 302 https://far.example/x; }
  location /added { add_header X-Added "a b"; add_header X-Added c; return 200 "x"; }
  location /anonymous { server_tokens off; return 404; }
`

let engine: TestEngine
let backend: PeerServer

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(SERVER), { BACKEND: backend.address })
})
afterAll(async () => {
  backend?.drop()
  await engine?.stop()
  await backend?.stop()
})

const shown = ({ transport }: MemoryClient) =>
  transport.sent.replace(
    /\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/,
    '\r\nDate: DATE\r\n',
  )

function ask(line: string, fields = 'Host: test\r\n'): MemoryClient {
  const client = engine.connect()
  client.transport.receive(`${line}\r\n${fields}\r\n`)
  return client
}

const START = `Server: weir/${version}\r\nDate: DATE\r\n`

describe('a response made here', () => {
  it.each([
    [
      'GET /text HTTP/1.1',
      `HTTP/1.1 200 OK\r\n${START}Content-Type: text/plain\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\ntext`,
    ],
    [
      'GET /text HTTP/1.0',
      `HTTP/1.1 200 OK\r\n${START}Content-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntext`,
    ],
    [
      'HEAD /text HTTP/1.1',
      `HTTP/1.1 200 OK\r\n${START}Content-Type: text/plain\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\n`,
    ],
    [
      'GET /empty HTTP/1.1',
      `HTTP/1.1 200 OK\r\n${START}Content-Type: text/plain\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n`,
    ],
    ['GET /none HTTP/1.1', `HTTP/1.1 204 No Content\r\n${START}Connection: keep-alive\r\n\r\n`],
    [
      'GET /header HTTP/1.1',
      `HTTP/1.1 200 OK\r\n${START}Content-Type: text/plain\r\nContent-Length: 1\r\nConnection: keep-alive\r\nKeep-Alive: timeout=7\r\n\r\nx`,
    ],
    [
      'GET /added HTTP/1.1',
      `HTTP/1.1 200 OK\r\n${START}Content-Type: text/plain\r\nContent-Length: 1\r\nConnection: keep-alive\r\nX-Added: a b\r\nX-Added: c\r\n\r\nx`,
    ],
  ])('%s', (line, expected) => {
    expect(shown(ask(line))).toBe(expected)
  })

  it('of status 304 has length 0, as in nginx, and no content', () => {
    expect(shown(ask('GET /unchanged HTTP/1.1'))).toBe(
      `HTTP/1.1 304 Not Modified\r\n${START}Content-Type: text/plain\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n`,
    )
  })

  it('is one write', () => {
    expect(ask('GET /text HTTP/1.1').transport.sends).toHaveLength(1)
  })

  it('with a Location of its own makes it absolute', () => {
    expect(shown(ask('GET /moved HTTP/1.1', 'Host: a.example:8080\r\n'))).toContain(
      `\r\nLocation: http://a.example:${engine.port}/other\r\n`,
    )
    expect(shown(ask('GET /moved HTTP/1.0', ''))).toContain(
      `\r\nLocation: http://127.0.0.1:${engine.port}/other\r\n`,
    )
    expect(shown(ask('GET /far HTTP/1.1'))).toContain('\r\nLocation: https://far.example/x\r\n')
  })

  it('without server_tokens does not name the version, in its page neither', () => {
    const text = shown(ask('GET /anonymous HTTP/1.1'))
    expect(text).toContain('\r\nServer: weir\r\n')
    expect(text).toContain('<center>weir</center>')
    expect(text).not.toContain(version)
  })

  it('is counted for the log without its head', async () => {
    // What earlier requests have left is written at the end of the turn.
    await new Promise((done) => setImmediate(done))
    const before = engine.accessLog.split('\n').length - 1
    ask('GET /text HTTP/1.1')
    ask('HEAD /text HTTP/1.1')
    const logged = await engine.logged(before + 2)
    expect(logged.slice(before)).toEqual(['200 GET /text 4', '200 HEAD /text 0'])
  })
})

describe('a response of a backend', () => {
  async function relayed(line: string, response: string, end = false): Promise<MemoryClient> {
    backend.drop()
    await eventually('end of kept connections', () => engine.stats.upstream === 0)
    const client = ask(line)
    const peer = await backend.next()
    await peer.head()
    await peer.send(response)
    if (end) peer.end()
    await eventually('log line', () => engine.stats.writing === 0)
    return client
  }

  it('keeps its reason phrase and fields, but not those of its connection', async () => {
    const client = await relayed(
      'GET / HTTP/1.1',
      'HTTP/1.1 299 Very Fine\r\nServer: x\r\nDate: y\r\nX-A: 1\r\nConnection: close\r\nContent-Type: a/b\r\nContent-Length: 2\r\nKeep-Alive: z\r\nx-b:2\r\n\r\nok',
    )
    expect(shown(client)).toBe(
      `HTTP/1.1 299 Very Fine\r\n${START}Content-Type: a/b\r\nContent-Length: 2\r\nConnection: keep-alive\r\nX-A: 1\r\nx-b: 2\r\n\r\nok`,
    )
  })

  it('without a reason phrase has none', async () => {
    const client = await relayed('GET / HTTP/1.1', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n')
    expect(shown(client)).toMatch(/^HTTP\/1\.1 200 ?\r\n/)
  })

  it('in chunks to an HTTP/1.0 client has none, and ends with the connection', async () => {
    const client = await relayed(
      'GET / HTTP/1.0',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    )
    expect(shown(client)).toBe(`HTTP/1.1 200 OK\r\n${START}Connection: close\r\n\r\nok`)
    await eventually('end of the connection', () => client.gone)
  })

  it('to HEAD names its length, and no framing where it has none', async () => {
    expect(
      shown(await relayed('HEAD / HTTP/1.1', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')),
    ).toContain('\r\nContent-Length: 10\r\n')
    const unknown = shown(await relayed('HEAD / HTTP/1.1', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'))
    expect(unknown).not.toMatch(/Content-Length|Transfer-Encoding/)
    expect(unknown).toContain('\r\nConnection: keep-alive\r\n')
  })

  it('of unknown length and without content is an empty body in chunks', async () => {
    const client = await relayed('GET / HTTP/1.1', 'HTTP/1.1 200 OK\r\n\r\n', true)
    expect(shown(client)).toMatch(/\r\nTransfer-Encoding: chunked\r\n[\s\S]*\r\n\r\n0\r\n\r\n$/)
  })
})
