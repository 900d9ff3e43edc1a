// `sticky route` and `sticky learn` in an engine with real backends: sessions that the servers themselves begin.

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { freePort } from '../../../support/temporary.ts'
import { eventually } from '../../../support/wait.ts'

const SESSION = 'create=$upstream_cookie_session lookup=$cookie_session'
const SERVERS = 'server %A% route=first; server %B% route=second;'
const UPSTREAMS = `
  map $cookie_jsession $from_cookie { ~.+\\.(?P<route>\\w+)$ $route; }
  map $request_uri $from_uri { ~jsession=.+\\.(?P<route>\\w+)$ $route; }
  upstream routed { ${SERVERS} sticky route $from_cookie $from_uri; }
  upstream hashed { server %A%; server %B%; sticky route $arg_server; }
  upstream learned { ${SERVERS} sticky learn ${SESSION} zone=learned:64k; }
  upstream early { ${SERVERS} sticky learn ${SESSION} zone=early:64k header; }
  upstream several { ${SERVERS} sticky learn create=$upstream_http_x_none create=$upstream_http_x_session
    lookup=$arg_none lookup=$arg_session zone=several:64k; }
  upstream brief { ${SERVERS} sticky learn ${SESSION} zone=brief:64k timeout=1ms; }
  upstream moving { server 127.0.0.1:%CLOSED% route=first max_fails=0; server %B% route=second max_fails=0;
    sticky learn create=$upstream_cookie_session lookup=$cookie_session zone=moving:64k; }
  upstream tight { ${SERVERS} sticky learn create=$arg_session lookup=$arg_session zone=tight:32k; }
`
const NAMES = [...UPSTREAMS.matchAll(/upstream (\w+)/g)].map(([, name]) => name!)
const LOCATIONS = NAMES.map((name) => `location /${name} { proxy_pass http://${name}; }`).join('\n')

let a: RawBackend
let b: RawBackend
let engine: TestEngine
/** What both answer beside their name. */
let fields = ''

beforeAll(async () => {
  a = await RawBackend.start()
  b = await RawBackend.start()
  const vars = { A: a.address, B: b.address, CLOSED: await freePort() }
  engine = await TestEngine.start(serverConf(LOCATIONS, UPSTREAMS), vars)
})
beforeEach(() => {
  fields = ''
  a.answer = () => answer('a')
  b.answer = () => answer('b')
})
afterAll(async () => {
  await engine?.stop()
  await Promise.all([a?.stop(), b?.stop()])
})

const answer = (name: string) => `HTTP/1.1 200 OK\r\n${fields}Content-Length: 1\r\n\r\n${name}`

async function get(path: string, cookie = ''): Promise<string> {
  const field = cookie === '' ? '' : `Cookie: ${cookie}\r\n`
  const request = `GET ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${field}\r\n`
  const text = (await rawRequest(engine.port, request)).bytes.toString('latin1')
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

async function several(path: string, cookie: string, count: number): Promise<string> {
  let all = ''
  for (let index = 0; index < count; index++) all += await get(path, cookie)
  return all
}

const errors = () => engine.errorLog.split('[error]').length

/** A session that a server begins on `path`; gives the server's name. */
async function begin(path: string, session: string): Promise<string> {
  fields = `Set-Cookie: session=${session}; Path=/\r\n`
  const server = await get(path)
  fields = ''
  return server
}

describe('sticky route', () => {
  it('takes the first variable that is not empty', async () => {
    expect(await several('/routed', 'jsession=abc.first', 3)).toBe('aaa')
    expect(await several('/routed?jsession=abc.second', '', 3)).toBe('bbb')
    expect(await several('/routed?jsession=abc.second', 'jsession=abc.first', 3)).toBe('aaa')
    expect(await several('/routed?jsession=abc.second', 'jsession=abc', 3)).toBe('bbb')
  })

  it('of a server nobody knows: the method decides', async () => {
    expect(await several('/routed', 'jsession=abc.third', 6)).toMatch(/a.*b|b.*a/)
  })

  it('sets no cookie, and knows servers without a route by the hash of their address', async () => {
    const { hash } = process.getBuiltinModule('node:crypto')
    expect(await several(`/hashed?server=${hash('md5', b.address)}`, '', 3)).toBe('bbb')
    const { bytes } = await rawRequest(engine.port, 'GET /hashed HTTP/1.1\r\nHost: test\r\n\r\n')
    expect(bytes.toString('latin1')).not.toContain('Set-Cookie')
  })
})

describe('sticky learn', () => {
  it('brings requests of a session to the server that began it', async () => {
    const one = await begin('/learned', 'one')
    const two = await begin('/learned', 'two')
    expect([one, two].sort()).toEqual(['a', 'b'])
    expect(await several('/learned', 'session=one', 3)).toBe(one.repeat(3))
    expect(await several('/learned', 'session=two', 3)).toBe(two.repeat(3))
    expect(await several('/learned', 'session=three', 6)).toMatch(/a.*b|b.*a/)
  })

  it('with several variables: the first that is not empty counts', async () => {
    fields = 'X-Session: one\r\n'
    const one = await get('/several')
    fields = ''
    expect(await several('/several?session=one', '', 4)).toBe(one.repeat(4))
  })

  it('forgets sessions that are not used for the timeout', async () => {
    await begin('/brief', 'one')
    await eventually('a request of the session at the other server', async () => {
      return (await several('/brief', 'session=one', 4)).match(/a.*b|b.*a/)
    })
  })

  it('moves a session whose server cannot be reached', async () => {
    // The first attempts lead nowhere: nothing is learned from them.
    expect(await begin('/moving', 'one')).toBe('b')
    expect(await several('/moving', 'session=one', 2)).toBe('bb')
    const before = errors()
    await several('/moving', 'session=one', 4)
    expect(errors()).toBe(before)
  })

  it('keeps a session where it was when no server answers', async () => {
    await begin('/moving', 'two')
    b.answer = { bytes: '', after: 'reset' }
    const request = 'GET /moving HTTP/1.1\r\nHost: test\r\nCookie: session=two\r\n\r\n'
    expect((await rawRequest(engine.port, request)).bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 502 /)
    b.answer = () => answer('b')
    const before = errors()
    expect(await several('/moving', 'session=two', 2)).toBe('bb')
    expect(errors()).toBe(before)
  })

  it.each([
    ['early', 'from the head on'],
    ['learned', 'from its end on'],
  ])('of upstream %s: the session that a response begins is known %s', async (name) => {
    let server = ''
    const half = (asked: string) => () => {
      server = asked
      return `HTTP/1.1 200 OK\r\nSet-Cookie: session=slow\r\nContent-Length: 2\r\n\r\n${asked}`
    }
    a.answer = half('a')
    b.answer = half('b')
    const socket = connect(engine.port, '127.0.0.1')
    socket.write(`GET /${name} HTTP/1.1\r\nHost: test\r\n\r\n`)
    await once(socket, 'data')
    a.answer = () => answer('a')
    b.answer = () => answer('b')
    const answers = await several(`/${name}`, 'session=slow', 6)
    if (name === 'early') expect(answers).toBe(server.repeat(6))
    else expect(answers).toMatch(/a.*b|b.*a/)
    socket.destroy()
  })

  it('whose zone is full forgets the session unused longest, and says so', async () => {
    const room = 32_768 / 76
    for (let count = 0; count < room + 1; count++) await get(`/tight?session=${count}`)
    const server = await get('/tight?session=1')
    expect(engine.errorLog).toContain(
      'sticky session zone "tight" is full, the session unused longest is forgotten while reading upstream',
    )
    expect(await several('/tight?session=1', '', 3)).toBe(server.repeat(3))
  })
})
