// Subrequests, by auth_request: what their backends do to the request that waits for them, and what its client does
// meanwhile.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { Peer, PeerServer } from '../../support/peer.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (target: string, ...lines: string[]) =>
  `GET ${target} HTTP/1.1\r\nHost: test\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`

const CONF = serverConf(
  `
  location / { auth_request /ask; proxy_pass http://%BACKEND%; }
  location /any { satisfy any; deny all; auth_request /ask; proxy_pass http://%BACKEND%; }
  location /paged { auth_request /ask; error_page 401 500 = @login; proxy_pass http://%BACKEND%; }
  location @login { return 200 "log in"; }
  location /away { auth_request /ask; error_page 401 =302 http://login.test/; proxy_pass http://%BACKEND%; }
  location = /ask { internal; proxy_read_timeout 50ms; proxy_pass http://%ASKED%; }
  location /file { auth_request /ask-slow; error_page 400 = @backend; root %FOLDER%; }
  location /unpassed {
    auth_request /ask-slow;
    error_page 400 = @backend;
    proxy_pass_request_body off;
    proxy_pass http://%ASKED%;
  }
  location @backend { proxy_pass_request_body off; proxy_pass http://%BACKEND%; }
  location = /text { return 200 "as it is"; }
  location /slow { auth_request /ask-slow; proxy_pass http://%BACKEND%; }
  location = /ask-slow { internal; proxy_pass http://%ASKED%; }
  location /slow-any { satisfy any; deny all; auth_request /ask-slow; proxy_pass http://%BACKEND%; }
  `,
)

let engine: TestEngine
let backend: PeerServer
let asked: PeerServer
let peers: Peer[]

beforeEach(async () => {
  peers = []
  backend = await PeerServer.start()
  asked = await PeerServer.start()
  engine = await TestEngine.start(CONF, { BACKEND: backend.address, ASKED: asked.address })
})
afterEach(async () => {
  for (const peer of peers) peer.destroy()
  backend.drop()
  asked.drop()
  await engine.stop()
  await backend.stop()
  await asked.stop()
})

/** A client that has sent `bytes`, and the connection its subrequest came on, with the subrequest's head taken. */
async function ask(bytes: string): Promise<{ client: Peer; peer: Peer; head: string }> {
  const client = await Peer.connect(engine.port)
  peers.push(client)
  await client.send(bytes)
  const peer = await asked.next()
  return { client, peer, head: await peer.head() }
}

describe('the backend of a subrequest', () => {
  it.each([
    ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['answers garbage', 'HTTP/1.1 abc\r\n\r\n'],
    ['never answers', ''],
    ['redirects', 'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'],
  ])('%s: the client gets 500', async (_, answer) => {
    const { client, peer } = await ask(get('/', 'Connection: upgrade', 'Upgrade: x'))
    await peer.send(answer)
    expect(await client.head()).toMatch(/^HTTP\/1\.1 500 /)
    expect(engine.errorLog).toContain('auth request unexpected status: ')
    expect(backend.accepted).toBe(0)
  })

  it('challenges twice: both reach the client', async () => {
    const { client, peer } = await ask(get('/'))
    await peer.send(
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n',
    )
    const head = await client.head()
    expect(head.match(/^www-authenticate: .*$/gim)).toEqual([
      'WWW-Authenticate: Basic realm="a"',
      'WWW-Authenticate: Bearer',
    ])
  })

  it('sends 1xx first: what comes behind them counts', async () => {
    const { client, peer } = await ask(get('/'))
    await peer.send(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}`)
    const next = await backend.next()
    await next.head()
    await next.send(OK)
    expect(await client.take('ok')).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('never sends the content it announced: the head is enough, and its connection ends', async () => {
    const { client, peer } = await ask(get('/slow'))
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')
    const next = await backend.next()
    await next.head()
    await next.send(OK)
    await client.take('ok')
    await peer.untilEnd()
  })

  it('keeps its connection where the content came with the head', async () => {
    const { client, peer } = await ask(get('/slow'))
    await peer.send(OK)
    const next = await backend.next()
    await next.head()
    await next.send(OK)
    await client.take('ok')
    await client.send(get('/slow'))
    expect(await peer.head()).toMatch(/^GET \/ask-slow /)
    await peer.send(OK)
    await next.head()
    await next.send(OK)
    await client.take('ok')
  })
})

it('a body waits for the subrequest and goes whole to the backend, with requests behind it', async () => {
  const { client, peer, head } = await ask(
    `POST /slow HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nhalf`,
  )
  expect(head).not.toMatch(/content-length|transfer-encoding/i)
  await client.send(`rest${get('/text')}`)
  await peer.send(OK)
  const next = await backend.next()
  expect(await next.take('halfrest')).toContain('Content-Length: 8')
  await next.send(OK)
  await client.take('ok')
  expect(await client.take('as it is')).toMatch(/^HTTP\/1\.1 200 /)
})

it('a refused request with a body leaves the connection to the next one', async () => {
  const { client, peer } = await ask('POST /slow HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nhalf')
  await peer.send('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n')
  expect(await client.take('</html>\r\n')).toMatch(/^HTTP\/1\.1 403 /)
  await client.send(`rest${get('/text')}`)
  await client.take('as it is')
  expect(backend.accepted).toBe(0)
})

describe.each(['/file', '/unpassed'])(
  'a body that waits for the subrequest of %s and is broken',
  (target) => {
    it('is answered by the error page alone', async () => {
      const { client, peer } = await ask(
        `GET ${target} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n`,
      )
      writeFileSync(join(engine.folder, 'file'), 'the file')
      await peer.send(OK)
      const next = await backend.next()
      await next.head()
      await next.send(OK)
      const answer = await client.untilEnd()
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      expect(answer).toMatch(/\r\n\r\nok$/)
      expect(asked.accepted).toBe(1)
      expect(await engine.logged(1)).toHaveLength(1)
    })
  },
)

describe.each(['/slow', '/slow-any'])('a client that leaves %s', (target) => {
  it('ends the subrequest and is logged once, with 499', async () => {
    const { client, peer } = await ask(get(target))
    client.destroy()
    await peer.untilEnd()
    expect(await engine.logged(1)).toEqual([expect.stringMatching(/^499 /)])
    expect(backend.accepted).toBe(0)
  })
})

it('satisfy any lets in whom the subrequest does', async () => {
  const { client, peer } = await ask(get('/any'))
  await peer.send(OK)
  const next = await backend.next()
  await next.head()
  await next.send(OK)
  expect(await client.take('ok')).toMatch(/^HTTP\/1\.1 200 /)
})

describe('the challenge of a 401', () => {
  const challenge = 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nContent-Length: 0\r\n\r\n'

  it.each([
    ['/paged', 200],
    ['/away', 302],
  ])('goes with the error page of %s', async (target, status) => {
    const { client, peer } = await ask(get(target))
    await peer.send(challenge)
    const head = await client.head()
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(head).toContain('\r\nWWW-Authenticate: Basic realm="r"\r\n')
  })
})
