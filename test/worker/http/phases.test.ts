// Redirects within the phase engine while a request is under way: its body, its backend, its connection and what the
// client does meanwhile.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { Peer, PeerServer } from '../../support/peer.ts'

const EVIL = `${'a'.repeat(40)}!`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (target: string, ...lines: string[]) =>
  `GET ${target} HTTP/1.1\r\nHost: test\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`

const CONF = serverConf(
  `
  add_header X-Once 1 always;
  proxy_request_buffering off;
  location / { error_page 502 = @other; proxy_pass http://%BACKEND%; }
  location @other { proxy_pass http://%OTHER%; }
  location /page { error_page 502 /sorry; proxy_pass http://%BACKEND%; }
  location = /sorry { return 200 "sorry"; }
  location /page-other { error_page 502 /other/; proxy_pass http://%BACKEND%; }
  location /other/ { proxy_pass http://%OTHER%; }
  location /broken { error_page 400 = /sorry; proxy_pass http://%BACKEND%; }
  location /if { if ($arg_v ~ "^(a+)+$") { return 200 "no"; } return 200 "yes"; }
  location /rewrite { rewrite "^/rewrite/(a+)+$" /sorry last; return 200 "yes"; }
  location /paged { error_page 500 /sorry; if ($arg_v ~ "^(a+)+$") { return 200 "no"; } return 200 "yes"; }
  location /text { return 200 "as it is"; }
  location /missing { error_page 403 @nowhere; return 403; }
  location /taken { if ($arg_v) { proxy_pass http://%OTHER%; } proxy_pass http://%BACKEND%/base/; }
  `,
  "log_format up '$status $upstream_status';\naccess_log logs/up.log up;",
)

let engine: TestEngine
let backend: PeerServer
let other: PeerServer
let peers: Peer[]

beforeEach(async () => {
  peers = []
  backend = await PeerServer.start()
  other = await PeerServer.start()
  engine = await TestEngine.start(CONF, { BACKEND: backend.address, OTHER: other.address })
})
afterEach(async () => {
  for (const peer of peers) peer.destroy()
  backend.drop()
  other.drop()
  await engine.stop()
  await backend.stop()
  await other.stop()
})

async function connect(): Promise<Peer> {
  const peer = await Peer.connect(engine.port)
  peers.push(peer)
  return peer
}

/** A client whose POST has reached the backend with the first half of its body. */
async function halfSent(target: string): Promise<{ client: Peer; peer: Peer }> {
  const client = await connect()
  await client.send(`POST ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nhalf`)
  const peer = await backend.next()
  await peer.take('half')
  return { client, peer }
}

describe('a body that a failed backend has begun to take', () => {
  it('goes on to that of a named location, and its rest follows', async () => {
    const { client, peer } = await halfSent('/')
    peer.destroy(true)
    const next = await other.next()
    await next.take('\r\n\r\nhalf')
    await client.send('rest')
    await next.take('rest')
    await next.send(OK)
    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 /)
    expect(await engine.logged(1)).toHaveLength(1)
  })

  it('that is complete goes on too', async () => {
    const client = await connect()
    await client.send(
      'POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
    )
    const peer = await backend.next()
    await peer.take('\r\n\r\nbody')
    peer.destroy(true)
    const next = await other.next()
    await next.take('\r\n\r\nbody')
    await next.send(OK)
    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('that goes on as it comes goes to no other one: its beginning is gone', async () => {
    const client = await connect()
    await client.send('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 16385\r\n\r\n')
    const peer = await backend.next()
    await client.send('half')
    await peer.take('half')
    peer.destroy(true)
    expect(await client.head()).toMatch(/^HTTP\/1\.1 502 /)
    expect(engine.errorLog).toContain(
      'the request body has gone to another upstream, and cannot be sent again',
    )
    expect(engine.errorLog).toContain('weir: body_gone: ')
    expect(other.accepted).toBe(0)
    expect(await engine.logged(1)).toHaveLength(1)
  })

  it('is read to its end behind an error page, and the connection is kept', async () => {
    const { client, peer } = await halfSent('/page')
    peer.destroy(true)
    const answer = await client.take('sorry')
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(answer.match(/X-Once/g)).toHaveLength(1)
    await client.send(`rest${get('/text')}`)
    expect(await client.take('as it is')).toMatch(/^HTTP\/1\.1 200 /)
  })
})

it('an error page for a broken chunk leaves the backend that had the beginning alone', async () => {
  const client = await connect()
  await client.send('POST /broken HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n')
  const peer = await backend.next()
  await peer.take('body')
  await client.send('x\r\n')
  expect(await client.take('sorry')).toMatch(/^HTTP\/1\.1 200 [\s\S]*Connection: close\r\n/)
  await peer.untilEnd()
  await client.untilEnd()
  expect(await engine.logged(1)).toHaveLength(1)
})

describe('a regular expression that is given up', () => {
  for (const target of [`/if?v=${EVIL}`, `/rewrite/${EVIL}`]) {
    it(`ends ${target.slice(0, 8)} with 500`, async () => {
      const client = await connect()
      await client.send(get(target))
      expect(await client.head()).toMatch(/^HTTP\/1\.1 500 /)
      expect(engine.errorLog).toContain('[alert]')
    })
  }

  it('has its error page', async () => {
    const client = await connect()
    await client.send(get(`/paged?v=${EVIL}`))
    expect(await client.take('sorry')).toMatch(/^HTTP\/1\.1 500 /)
  })
})

it('a named location that is not there ends with 500 and is logged', async () => {
  const client = await connect()
  await client.send(get('/missing'))
  expect(await client.head()).toMatch(/^HTTP\/1\.1 500 /)
  expect(engine.errorLog).toContain('could not find named location "@nowhere"')
})

it('requests behind a redirected one are answered in turn, with clean responses', async () => {
  const client = await connect()
  await client.send(get('/page') + get('/text') + get('/page'))
  ;(await backend.next()).destroy(true)
  expect(await client.take('sorry')).toMatch(/^HTTP\/1\.1 502 /)
  const text = await client.take('as it is')
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  expect(text.match(/X-Once/g)).toHaveLength(1)
  ;(await backend.next()).destroy(true)
  expect(await client.take('sorry')).toMatch(/^HTTP\/1\.1 502 /)
})

it('a client that leaves while a second upstream is asked ends the request there', async () => {
  const client = await connect()
  await client.send(get('/'))
  ;(await backend.next()).destroy(true)
  const peer = await other.next()
  await peer.head()
  client.destroy()
  await peer.untilEnd()
  expect(await engine.logged(1)).toEqual([expect.stringMatching(/^499 /)])
  expect(engine.read('logs/up.log')).toMatch(/^499 502 : /)
})

it('a backend of a location answers for the one that failed, once', async () => {
  const client = await connect()
  await client.send(get('/'))
  ;(await backend.next()).destroy(true)
  const peer = await other.next()
  expect(await peer.head()).toMatch(/^GET \/ HTTP/)
  await peer.send(OK)
  expect((await client.take('ok')).match(/X-Once/g)).toHaveLength(1)
  await engine.logged(1)
  expect(engine.read('logs/up.log')).toBe('200 502 : 200\n')
})

it('an if with a proxy_pass of its own takes the body along, and the URI as it came', async () => {
  const client = await connect()
  await client.send('POST /taken/x?v=1 HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody')
  const peer = await other.next()
  expect(await peer.take('body')).toMatch(/^POST \/taken\/x\?v=1 HTTP/)
  await peer.send(OK)
  await client.take('ok')
})
