// What a backend gets of a request where nginx 1.22 cannot be asked: directives it lacks, and what weir does better.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../../../support/engine.ts'
import { PeerServer } from '../../../../support/peer.ts'
import { eventually } from '../../../../support/wait.ts'

const LOCATIONS = `
  location / { proxy_pass http://%BACKEND%; }
  location /query { proxy_pass http://%BACKEND%?fixed=; }

  location /host/empty { proxy_pass http://back; proxy_set_header Host ""; }
  location /host/variable { proxy_pass http://back; proxy_set_header host $http_x_host; }
  location /host/old { proxy_pass http://back; proxy_set_header Host ""; proxy_http_version 1.0; }
  location /host/evaluated { proxy_pass http://$http_x_up; proxy_set_header Host $http_x_host; }

  location /inherit/on { proxy_pass http://%BACKEND%; proxy_set_header X-Own own; }
  location /inherit/off { proxy_pass http://%BACKEND%; proxy_set_header_inherit off; }
  location /inherit/offown {
    proxy_pass http://%BACKEND%; proxy_set_header_inherit off; proxy_set_header X-Own own;
  }
  location /inherit/merge {
    proxy_set_header_inherit merge;
    proxy_set_header x-one inner;
    proxy_set_header X-Own own;
    proxy_pass http://%BACKEND%;
    location /inherit/merge/deeper { proxy_pass http://%BACKEND%; proxy_set_header X-Two ""; }
    location /inherit/merge/same { proxy_pass http://%BACKEND%; }
    location /inherit/merge/on {
      proxy_pass http://%BACKEND%; proxy_set_header_inherit on; proxy_set_header X-Deep deep;
    }
  }

  location /forwarded {
    proxy_forwarded_headers on;
    proxy_pass http://%BACKEND%;
    location /forwarded/own {
      proxy_pass http://%BACKEND%;
      proxy_set_header x-forwarded-for none;
      proxy_set_header X-Real-IP "";
      proxy_set_header X-Own own;
    }
    location /forwarded/off { proxy_pass http://%BACKEND%; proxy_forwarded_headers off; }
  }

  location /method { proxy_pass http://%BACKEND%; proxy_method $http_x_method; }
  location /spaces/ { proxy_pass http://%BACKEND%/v$uri; }
`
const HTTP = `
  upstream back { server %BACKEND%; }
  proxy_set_header X-One "outer";
  proxy_set_header X-Two "outer";
`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let backend: PeerServer
let engine: TestEngine
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(LOCATIONS, HTTP), { BACKEND: backend.address })
})
afterEach(async () => {
  for (const { transport } of clients) transport.break()
  clients = []
  backend.drop()
  await eventually('end of all upstream connections', () => engine.stats.upstream === 0)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

function connect(): MemoryClient {
  const client = engine.connect()
  clients.push(client)
  return client
}

/** The head the backend gets, as lines. */
async function asked(target: string, ...fields: string[]): Promise<string[]> {
  const lines = fields.map((field) => `${field}\r\n`).join('')
  connect().transport.receive(`GET ${target} HTTP/1.1\r\nHost: a.test:99\r\n${lines}\r\n`)
  const peer = await backend.next()
  const head = await peer.head()
  return head.split('\r\n').slice(0, -2)
}

const answered = ({ transport }: MemoryClient, text: string) =>
  eventually(JSON.stringify(text), () => transport.sent.includes(text))

describe('a Host that would be empty', () => {
  it('is that of the proxy_pass', async () => {
    expect(await asked('/host/empty')).toContain('Host: back')
    expect(await asked('/host/variable')).toContain('host: back')
    expect(await asked('/host/variable', 'X-Host: b')).toContain('host: b')
    expect(await asked('/host/evaluated', `X-Up: ${backend.address}`)).toContain(`Host: ${backend.address}`)
  })

  it('is left out with HTTP/1.0', async () => {
    expect((await asked('/host/old')).filter((line) => /^host:/i.test(line))).toEqual([])
  })
})

describe('proxy_set_header_inherit', () => {
  const own = async (target: string) => (await asked(target)).filter((line) => /^x-/i.test(line)).sort()

  it.each([
    ['/', ['X-One: outer', 'X-Two: outer']],
    ['/inherit/on', ['X-Own: own']],
    ['/inherit/off', []],
    ['/inherit/offown', ['X-Own: own']],
    ['/inherit/merge', ['X-Own: own', 'X-Two: outer', 'x-one: inner']],
    ['/inherit/merge/deeper', ['X-Own: own', 'x-one: inner']],
    ['/inherit/merge/same', ['X-Own: own', 'X-Two: outer', 'x-one: inner']],
    ['/inherit/merge/on', ['X-Deep: deep']],
  ])('%s', async (target, headers) => expect(await own(target)).toEqual(headers))
})

describe('proxy_forwarded_headers', () => {
  it('sends what backends want to know of the client, in place of what the client says', async () => {
    const head = await asked(
      '/forwarded',
      'X-Forwarded-For: 192.0.2.9',
      'X-Forwarded-Proto: https',
      'X-Real-IP: x',
    )
    expect(head).toEqual([
      'GET /forwarded HTTP/1.1',
      'X-One: outer',
      'X-Two: outer',
      'Host: a.test',
      'X-Real-IP: 192.0.2.1',
      'X-Forwarded-For: 192.0.2.9, 192.0.2.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: a.test',
      `X-Forwarded-Port: ${engine.port}`,
    ])
  })

  it('leaves fields alone that proxy_set_header sets', async () => {
    const head = await asked('/forwarded/own', 'X-Real-IP: x', 'X-Forwarded-For: y')
    expect(head.slice(1)).toEqual([
      'x-forwarded-for: none',
      'X-Own: own',
      'Host: a.test',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: a.test',
      `X-Forwarded-Port: ${engine.port}`,
    ])
  })

  it('can be turned off again', async () => {
    expect(await asked('/forwarded/off', 'X-Forwarded-For: y')).toEqual([
      'GET /forwarded/off HTTP/1.1',
      'X-One: outer',
      'X-Two: outer',
      `Host: ${backend.address}`,
      'X-Forwarded-For: y',
    ])
  })
})

describe('proxy_method', () => {
  it('that is empty is the method of the client', async () => {
    expect((await asked('/method'))[0]).toBe('GET /method HTTP/1.1')
  })

  it('that is no token is refused, and nothing reaches the backend', async () => {
    const before = backend.accepted
    const client = connect()
    client.transport.receive('GET /method HTTP/1.1\r\nHost: a\r\nX-Method: GET /x\r\n\r\n')
    await answered(client, 'HTTP/1.1 500 ')
    await eventually('log', () => engine.errorLog.includes('invalid method "GET /x" in "proxy_method"'))
    expect(backend.accepted).toBe(before)
  })

  it('HEAD gives a client that asked for more an empty body', async () => {
    const client = connect()
    client.transport.receive('GET /method HTTP/1.1\r\nHost: a\r\nX-Method: HEAD\r\n\r\n')
    const peer = await backend.next()
    expect(await peer.head()).toMatch(/^HEAD \/method /)
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n')
    await answered(client, '\r\n\r\n')
    expect(client.transport.sent).toContain('Content-Length: 0\r\n')
    client.transport.receive('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await peer.head()).toMatch(/^GET \/next /)
  })

  it('GET for a client that asked for a head: what follows it is neither passed nor taken for another response', async () => {
    const client = connect()
    client.transport.receive('HEAD /method HTTP/1.1\r\nHost: a\r\nX-Method: GET\r\n\r\n')
    const peer = await backend.next()
    expect(await peer.head()).toMatch(/^GET \/method /)
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n')
    await answered(client, '\r\n\r\n')
    expect(client.transport.sent).toContain('Content-Length: 7\r\n')
    client.transport.receive('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
    const other = await backend.next()
    expect(await other.head()).toMatch(/^GET \/next /)
    await other.send(OK)
    await answered(client, '\r\n\r\nok')
  })
})

describe('the URI of proxy_pass', () => {
  it('gets a slash before its query', async () => {
    expect((await asked('/query1'))[0]).toBe('GET /?fixed=1 HTTP/1.1')
  })

  it('from variables cannot end the request line', async () => {
    const [line, ...fields] = await asked('/spaces/a%20b%0d%0aX-Bad:%201%7f%c3')
    expect(line).toBe('GET /v/spaces/a%20b%0D%0AX-Bad:%201%7F\xc3 HTTP/1.1')
    expect(fields.join()).not.toContain('X-Bad')
  })
})

describe('a configuration that asks for what weir cannot do', () => {
  it.each([
    [
      'proxy_bind 127.0.0.1 transparent;',
      'the "transparent" parameter of the "proxy_bind" directive is not supported',
    ],
    ['proxy_http_version 3;', 'invalid value "3"'],
    [
      'proxy_next_upstream error denied;',
      'the "denied" parameter of the "proxy_next_upstream" directive is about what "proxy_allow_upstream" denies, which is not supported by weir yet',
    ],
    ['proxy_set_header_inherit maybe;', 'invalid value "maybe"'],
    ['proxy_forwarded_headers yes;', 'invalid value "yes" in "proxy_forwarded_headers" directive'],
  ])('%s is refused', (text, message) => {
    expect(() => engine.load(serverConf(text))).toThrow(message)
  })
})
