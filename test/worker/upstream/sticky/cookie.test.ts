// `sticky cookie` in an engine with real backends: which server a request goes to, and what the client is told.

import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { freePort } from '../../../support/temporary.ts'

const UPSTREAMS = `
  map $arg_site $site { default $arg_site; }
  upstream plain { server %A%; server %B%; sticky cookie srv; }
  upstream routes { server %A% route=first; server %B% route=second; sticky cookie srv; }
  upstream same { server %A% route=one; server %B% route=one; sticky cookie srv; }
  upstream full { server %A%; sticky cookie srv path=/app secure httponly samesite=Lax domain=$host expires=1h; }
  upstream max { server %A%; sticky cookie srv expires=max samesite=$site domain=$arg_domain; }
  upstream dead { server 127.0.0.1:%CLOSED% route=dead max_fails=0; server %B% route=second; sticky cookie srv; }
  upstream both { server 127.0.0.1:%CLOSED% route=dead; server 127.0.0.1:%CLOSED% route=gone; sticky cookie srv; }
  upstream none { server 127.0.0.1:%CLOSED% route=dead; sticky cookie srv; }
  upstream busy { server %A% route=first max_conns=1; server %B% route=second; sticky cookie srv; }
  upstream spare { server %A% route=first; server %B% route=second backup; sticky cookie srv; }
  upstream drained { server %A% route=first drain; server %B% route=second; sticky cookie srv; }
  upstream gone { server 127.0.0.1:%CLOSED% route=gone drain max_fails=0; server %B% route=second; sticky cookie srv; }
  upstream only { server %A% route=first drain; sticky cookie srv; }
  upstream down { server %A% route=first drain down; server %B% route=second; sticky cookie srv; }
  upstream hashed { hash $arg_key; server %A% route=first; server %B% route=second; sticky cookie srv; }
  upstream random { random two; server %A% route=first; server %B% route=second; sticky cookie srv; }
  upstream least { least_conn; server %A% route=first; server %B% route=second; sticky cookie srv; }
  upstream timed { least_time header inflight; server %A% route=first; server %B% route=second; sticky cookie srv; }
`
const NAMES = [...UPSTREAMS.matchAll(/upstream (\w+)/g)].map(([, name]) => name!)
const LOCATIONS = `
  ${NAMES.map((name) => `location /${name} { proxy_pass http://${name}; }`).join('\n')}
  location /hidden { proxy_pass http://routes; proxy_hide_header Set-Cookie; add_header X-Sent $sent_http_set_cookie; }
  location /once { proxy_pass http://gone; proxy_next_upstream_tries 1; }
  location /page { error_page 502 /page/502; proxy_pass http://none; }
  location /page/502 { return 200 page; }
  location /further { error_page 502 = @further; proxy_pass http://none; }
  location @further { proxy_pass http://routes; }
`

let a: RawBackend
let b: RawBackend
let engine: TestEngine

const answer = (body: string) =>
  `HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: ${body.length}\r\n\r\n${body}`

beforeAll(async () => {
  a = await RawBackend.start()
  b = await RawBackend.start()
  const vars = { A: a.address, B: b.address, CLOSED: await freePort() }
  engine = await TestEngine.start(
    serverConf(LOCATIONS, UPSTREAMS).replace('error.log info', 'error.log debug'),
    vars,
  )
  a.answer = answer('a')
  b.answer = answer('b')
})
afterEach(() => {
  a.answer = answer('a')
  b.answer = answer('b')
})
afterAll(async () => {
  await engine?.stop()
  await Promise.all([a?.stop(), b?.stop()])
})

async function get(path: string, cookie = '', method = 'GET'): Promise<string> {
  const field = cookie === '' ? '' : `Cookie: ${cookie}\r\n`
  const request = `${method} ${path} HTTP/1.1\r\nHost: Site.test\r\nConnection: close\r\n${field}\r\n`
  return (await rawRequest(engine.port, request)).bytes.toString('latin1')
}

const body = (response: string) => response.slice(response.indexOf('\r\n\r\n') + 4)
const cookies = (response: string) =>
  [...response.matchAll(/^Set-Cookie: (.*)\r$/gm)].map(([, value]) => value)
/** Bodies of `count` responses to one request after another. */
async function bodies(path: string, cookie: string, count: number): Promise<string> {
  let all = ''
  for (let index = 0; index < count; index++) all += body(await get(path, cookie))
  return all
}
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

describe('sticky cookie', () => {
  it('names the server by the MD5 of its address, before the fields of the backend', async () => {
    const response = await get('/plain')
    const server = body(response) === 'a' ? a : b
    expect(cookies(response)).toEqual([`srv=${md5(server.address)}`, 'own=1'])
  })

  it('brings the requests of a client to its server', async () => {
    expect(await bodies('/plain', `srv=${md5(a.address)}`, 4)).toBe('aaaa')
    expect(await bodies('/plain', `other=x; SRV=${md5(b.address)}`, 4)).toBe('bbbb')
    expect(await bodies('/plain', `srv=${md5('somebody else')}`, 4)).toMatch(/a.*b|b.*a/)
    expect(await bodies('/plain', 'srv=', 4)).toMatch(/a.*b|b.*a/)
  })

  it('with route: its value is that of the cookie, compared byte by byte', async () => {
    expect(await bodies('/routes', 'srv=first', 3)).toBe('aaa')
    expect(cookies(await get('/routes', 'srv=second'))).toEqual(['srv=second', 'own=1'])
    expect(await bodies('/routes', 'srv=First', 4)).toMatch(/a.*b|b.*a/)
    expect(await bodies('/routes', 'srv=firs', 4)).toMatch(/a.*b|b.*a/)
  })

  it('with one route of two servers: the first of them has the bound requests', async () => {
    expect(await bodies('/same', 'srv=one', 3)).toBe('aaa')
  })

  it('has its attributes in one order, whatever that of the parameters', async () => {
    const before = Math.floor(Date.now() / 1000)
    const [cookie] = cookies(await get('/full'))
    const [, expires] = /; expires=(.*?);/.exec(cookie!)!
    expect(cookie).toBe(
      `srv=${md5(a.address)}; expires=${expires}; max-age=3600; domain=site.test; httponly; secure; samesite=Lax; path=/app`,
    )
    expect(expires).toMatch(/^\w{3}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT$/)
    const time = Date.parse(expires!.replace(/-(\w{3})-(\d\d)/, ' $1 20$2')) / 1000
    expect(time - before - 3600).toBeGreaterThanOrEqual(0)
    expect(time - before - 3600).toBeLessThan(60)
  })

  it.each([
    ['', ''],
    ['?site=None&domain=.test', '; domain=.test; samesite=None'],
    ['?site=sideways', '; samesite=strict'],
  ])('expires=max, with variables that are %j', async (query, attributes) => {
    const max = '; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000'
    expect(cookies(await get(`/max${query}`))[0]).toBe(`srv=${md5(a.address)}${max}${attributes}`)
  })

  it('when the server cannot be reached: another one answers, and is the one from then on', async () => {
    const response = await get('/dead', 'srv=dead')
    expect(body(response)).toBe('b')
    expect(cookies(response)).toEqual(['srv=second', 'own=1'])
  })

  it('when nobody can be reached: the 502 names the server asked last', async () => {
    const response = await get('/none')
    expect(response).toMatch(/^HTTP\/1\.1 502 /)
    expect(cookies(response)).toEqual(['srv=dead'])
    expect(cookies(await get('/page'))).toEqual(['srv=dead'])
    expect(cookies(await get('/both', 'srv=dead'))).toEqual(['srv=gone'])
  })

  it('when another upstream takes over: both have their say', async () => {
    const response = await get('/further', 'srv=second')
    expect(cookies(response)).toEqual(['srv=dead', 'srv=second', 'own=1'])
  })

  it('when the server has all the requests it may: another one answers', async () => {
    const reached = new Promise<void>((arrived) => {
      a.answer = () => {
        arrived()
        return ''
      }
    })
    const held = get('/busy', 'srv=first')
    await reached
    expect(await bodies('/busy', 'srv=first', 2)).toBe('bb')
    a.dropConnections()
    expect(body(await held)).toBe('b')
  })

  it('of a backup: as long as the others are available they have the request', async () => {
    expect(await bodies('/spare', 'srv=second', 2)).toBe('aa')
  })

  it('is sent for HEAD too, and whatever proxy_hide_header hides', async () => {
    expect(cookies(await get('/routes', 'srv=first', 'HEAD'))).toEqual(['srv=first', 'own=1'])
    const response = await get('/hidden', 'srv=first')
    expect(cookies(response)).toEqual(['srv=first'])
    expect(response).toContain('X-Sent: srv=first\r\n')
  })

  it.each(['hashed', 'random', 'least', 'timed'])('comes before the method (%s)', async (name) => {
    expect(await bodies(`/${name}?key=k`, 'srv=first', 5)).toBe('aaaaa')
    expect(await bodies(`/${name}?key=k`, 'srv=second', 5)).toBe('bbbbb')
  })
})

describe('drain', () => {
  it('leaves a server to the requests bound to it', async () => {
    expect(await bodies('/drained', '', 4)).toBe('bbbb')
    expect(await bodies('/drained', 'srv=first', 4)).toBe('aaaa')
    expect(await bodies('/drained', '', 2)).toBe('bb')
  })

  it('of a server that cannot be reached: another one takes over, tries permitting', async () => {
    const response = await get('/gone', 'srv=gone')
    expect([body(response), ...cookies(response)]).toEqual(['b', 'srv=second', 'own=1'])
    expect(await get('/once', 'srv=gone')).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('of the only server: others get a 502', async () => {
    expect(await get('/only')).toMatch(/^HTTP\/1\.1 502 /)
    expect(await get('/only', 'srv=second')).toMatch(/^HTTP\/1\.1 502 /)
    expect(body(await get('/only', 'srv=first'))).toBe('a')
  })

  it('with down behind it: the server is down', async () => {
    expect(await bodies('/down', 'srv=first', 2)).toBe('bb')
  })
})

describe('the debug log', () => {
  it('says whether the cookie has chosen the server', async () => {
    const { errorLog } = engine
    await get('/least', 'srv=second')
    await get('/least')
    await get('/down', 'srv=first')
    await get('/drained')
    const picks = engine.errorLog.slice(errorLog.length).match(/weir: .* picked [^ ]+/g)
    expect(picks).toEqual([
      `weir: sticky before least_conn in "least" picked ${b.address}`,
      expect.stringMatching(/^weir: least_conn in "least" picked /),
      `weir: round robin (sticky: "first" is not available) in "down" picked ${b.address}`,
      `weir: round robin in "drained" picked ${b.address}`,
    ])
    expect(engine.errorLog.slice(errorLog.length)).toContain(`; left out: ${a.address} (drains)`)
  })
})
