// `proxy_ignore_client_abort`, the limit of heads to the byte, and challenges that `proxy_intercept_errors` keeps.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

let backend: PeerServer
let engine: TestEngine

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(`
      location / { proxy_pass http://%BACKEND%; }
      location /stays/ { proxy_ignore_client_abort on; proxy_pass http://%BACKEND%; }
      location /small/ { proxy_buffer_size 100; proxy_pass http://%BACKEND%; }
      location /page/ { proxy_intercept_errors on; error_page 401 /own; proxy_pass http://%BACKEND%; }
      location /own { return 200 own; }
    `),
    { BACKEND: backend.address },
  )
})
afterEach(async () => {
  backend.drop()
  await eventually('end of all upstream connections', () => engine.stats.upstream === 0)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

const lines = () => engine.accessLog.split('\n').length - 1
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`

describe('a client that goes away', () => {
  it.each([false, true])('does not end what proxy_ignore_client_abort keeps (reset: %s)', async (reset) => {
    const before = lines()
    const client = await Peer.connect(engine.port)
    await client.send(get('/stays/a'))
    const peer = await backend.next()
    await peer.head()
    client.destroy(reset)
    await eventually('end of the client', () => !reset || engine.stats.active === 0)
    expect(peer.ended).toBe(false)
    expect(lines()).toBe(before)
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(100_000)}`)
    await peer.send('x'.repeat(100_000))
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^200 GET \/stays\/a /)
  })

  it('while the response is under way ends it only when that is complete', async () => {
    const before = lines()
    const client = await Peer.connect(engine.port, { paused: true })
    await client.send(get('/stays/b'))
    const peer = await backend.next()
    await peer.head()
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n`)
    const sent = peer.send('x'.repeat(30_000_000))
    await eventually('head', () => client.socket.bytesRead > 0 || peer.socket.writableLength > 0)
    client.destroy(true)
    await sent
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^200 GET \/stays\/b /)
  })

  it('ends the request at the backend otherwise', async () => {
    const before = lines()
    const client = await Peer.connect(engine.port)
    await client.send(get('/a'))
    const peer = await backend.next()
    await peer.head()
    client.destroy()
    await peer.untilEnd()
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^499 GET \/a /)
  })
})

describe('proxy_buffer_size', () => {
  it.each([
    [99, 200],
    [100, 200],
    [101, 502],
  ])('of 100 and a head of %d bytes: %d', async (length, status) => {
    const client = await Peer.connect(engine.port)
    await client.send(get('/small/'))
    const peer = await backend.next()
    await peer.head()
    const start = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: '
    await peer.send(`${start}${'x'.repeat(length - start.length - 4)}\r\n\r\nok`)
    expect(await client.head()).toMatch(`HTTP/1.1 ${status} `)
    client.destroy()
  })
})

describe('proxy_intercept_errors', () => {
  it('keeps all challenges of a 401', async () => {
    const client = await Peer.connect(engine.port)
    await client.send(get('/page/'))
    const peer = await backend.next()
    await peer.head()
    const challenges = 'WWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Other\r\n'
    await peer.send(`HTTP/1.1 401 No\r\n${challenges}Content-Length: 0\r\n\r\n`)
    const head = await client.head()
    expect(head).toMatch('HTTP/1.1 401 ')
    expect(head).toContain(challenges)
    client.destroy()
  })
})
