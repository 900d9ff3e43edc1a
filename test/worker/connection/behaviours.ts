// What clients see of their connections, over real sockets. Run once for each transport: see sockets.test.ts and
// socket-transport.test.ts.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { TestEngine } from '../../support/engine.ts'
import { Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (target = '/', lines = '') => `GET ${target} HTTP/1.1\r\nHost: test\r\n${lines}\r\n`

const SERVER = `
  keepalive_requests 1000000;
  location / { proxy_pass http://%BACKEND%; }
  location /text { return 200 "text of $uri"; }
  location /slow/ { proxy_pass http://%BACKEND%; send_timeout 200ms; proxy_read_timeout 20s; }
  location /short { keepalive_timeout 100ms; return 200 "short"; }
`
const HTTP = `
  server { listen 127.0.0.1:%PORT%; server_name few; keepalive_requests 3; location / { return 200 "few"; } }
`

export function describeConnections(
  load: () => Promise<{ TestEngine: typeof TestEngine; serverConf: (body: string, http?: string) => string }>,
): void {
  let engine: TestEngine
  let backend: PeerServer
  let peers: Peer[] = []

  beforeAll(async () => {
    const support = await load()
    backend = await PeerServer.start()
    engine = await support.TestEngine.start(support.serverConf(SERVER, HTTP), { BACKEND: backend.address })
  })
  afterEach(async () => {
    for (const peer of peers) peer.destroy()
    peers = []
    backend.drop()
    backend.keep = true
    await eventually('end of all connections', () => engine.stats.connections === 0)
    // Whatever happened, nothing is counted that is no longer there.
    expect([engine.stats.reading, engine.stats.writing, engine.stats.waiting]).toEqual([0, 0, 0])
  })
  afterAll(async () => {
    await engine?.stop()
    await backend?.stop()
  })

  async function connect(options: { keep?: boolean; paused?: boolean } = {}): Promise<Peer> {
    const peer = await Peer.connect(engine.port, options)
    peers.push(peer)
    return peer
  }
  const lines = () => engine.accessLog.split('\n').length - 1

  describe('pipelined requests', () => {
    it('are answered in order, each with its own answer', async () => {
      const client = await connect()
      await client.send(
        get('/text/1') + get('/proxied') + get('/text/2') + get('/text/3', 'Connection: close\r\n'),
      )
      const peer = await backend.next()
      await peer.head()
      // The answer that is there already waits for its turn.
      await client.take('text of /text/1')
      expect(client.received).toBe('')
      await peer.send(OK)
      expect(await client.untilEnd()).toMatch(/\r\n\r\nok.*text of \/text\/2.*text of \/text\/3$/s)
    })

    it('with bodies are told apart', async () => {
      const client = await connect()
      const post = (body: string) =>
        `POST /text HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      const smuggled = get('/smuggled')
      await client.send(post(smuggled) + post('') + get('/text/last', 'Connection: close\r\n'))
      const answer = await client.untilEnd()
      expect(answer.match(/text of [/a-z]+/g)).toEqual([
        'text of /text',
        'text of /text',
        'text of /text/last',
      ])
    })

    it('of a client that never reads do not pile up in memory', async () => {
      const client = await connect({ paused: true, keep: false })
      const before = engine.stats.requests
      const batch = get('/text').repeat(1000)
      // Nothing more is taken from the client once its answers are stuck.
      let stuck = false
      for (let sent = 0; !stuck && sent < 2000; sent++) {
        stuck = !client.socket.write(batch) && client.socket.writableLength > 8 * batch.length
        if (client.socket.writableLength > 0) await new Promise((done) => setImmediate(done))
      }
      expect(stuck).toBe(true)
      await eventually('standstill', async () => {
        const then = engine.stats.requests
        for (let turn = 0; turn < 20; turn++) await new Promise((done) => setTimeout(done, 1))
        return engine.stats.requests === then && then > before
      })
      const answered = engine.stats.requests
      client.socket.resume()
      await eventually('more requests', () => engine.stats.requests > answered)
    })
  })

  describe('keepalive', () => {
    it('ends after keepalive_requests, which the last answer says', async () => {
      const client = await connect()
      const few = 'GET / HTTP/1.1\r\nHost: few\r\n\r\n'
      await client.send(few + few + few + few)
      const answer = await client.untilEnd()
      expect(answer.match(/Connection: [a-z-]+/g)).toEqual([
        'Connection: keep-alive',
        'Connection: keep-alive',
        'Connection: close',
      ])
    })

    it('ends after keepalive_timeout', async () => {
      const client = await connect()
      await client.send(get('/short'))
      await client.take('short')
      expect(await client.untilEnd()).toBe('')
    })

    it('goes on after an answer to a request whose body nobody wanted', async () => {
      const client = await connect()
      await client.send('POST /text HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello')
      await client.take('text of /text')
      await client.send(`world${get('/text/next')}`)
      await client.take('text of /text/next')
    })
  })

  describe('Expect: 100-continue', () => {
    const head = (target: string) =>
      `POST ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`

    it('is answered before the body is sent, and kept from the backend', async () => {
      const client = await connect()
      await client.send(head('/'))
      expect(await client.head()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
      await client.send('hello')
      const peer = await backend.next()
      expect(await peer.take('hello')).not.toMatch(/expect/i)
      await peer.send(OK)
      expect(await client.head()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    })

    it('is answered when the body is there already, as nginx does', async () => {
      const client = await connect()
      await client.send(`${head('/')}hello`)
      const peer = await backend.next()
      await peer.take('hello')
      await peer.send(OK)
      expect(await client.head()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
      expect(await client.head()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    })
  })

  describe('a client', () => {
    it('that ends its side after the request still gets an answer made here', async () => {
      const client = await connect()
      await client.send(get('/text'))
      client.end()
      expect(await client.untilEnd()).toContain('text of /text')
    })

    it('that resets before the answer: the backend connection is closed, 499 logged', async () => {
      const before = lines()
      const client = await connect()
      await client.send(get())
      const peer = await backend.next()
      await peer.head()
      client.destroy(true)
      await peer.untilEnd()
      expect((await engine.logged(before + 1)).at(-1)).toMatch(/^499 GET \/ 0/)
    })

    it('that does not read is closed after send_timeout, and its backend connection with it', async () => {
      backend.keep = false
      const client = await connect({ paused: true, keep: false })
      await client.send(get('/slow/'))
      const peer = await backend.next()
      void peer.send('HTTP/1.1 200 OK\r\n\r\n')
      const block = Buffer.alloc(1 << 20)
      const feed = () => {
        while (!peer.closed && peer.socket.write(block));
      }
      peer.socket.on('drain', feed)
      feed()
      await eventually('close of the backend connection', () => peer.closed)
      expect(engine.errorLog).toMatch(/client timed out \(110: Connection timed out\) while sending /)
    })

    it('that reads slowly gets a large answer whole', async () => {
      backend.keep = false
      const client = await connect({ paused: true, keep: false })
      await client.send(get())
      const peer = await backend.next()
      const size = 30 * 1024 * 1024
      void peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`)
      void peer.send(Buffer.alloc(size, 'z'))
      peer.end()
      let reads = 0
      client.socket.on('data', () => {
        if (++reads % 20 !== 0) return
        client.socket.pause()
        setImmediate(() => client.socket.resume())
      })
      client.socket.resume()
      await client.when('whole answer', () => client.count > size)
      // Head and body, and nothing else.
      await eventually('idle connection', () => engine.stats.waiting === 1)
      expect(client.count).toBeLessThan(size + 500)
    })
  })

  describe('the end of a connection', () => {
    it('comes after its line is in the access log', async () => {
      for (let turn = 0; turn < 20; turn++) {
        const before = lines()
        const client = await connect()
        await client.send(get(`/text/${turn}`, 'Connection: close\r\n'))
        await client.untilEnd()
        expect(lines()).toBe(before + 1)
      }
    })

    it('does not destroy an answer when the client is still sending', async () => {
      const client = await connect()
      const junk = Buffer.alloc(300_000, 'x')
      await client.send('GET /x HTTP/1.1\r\nHost: a b\r\n\r\n')
      for (let turn = 0; turn < 5 && !client.closed; turn++) client.socket.write(junk)
      const answer = await client.untilEnd()
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*<\/html>\r\n$/s)
      expect(client.reset).toBe(false)
    })

    it('in the middle of an HTTP/1.0 answer without a length is a reset', async () => {
      const client = await connect()
      await client.send('GET / HTTP/1.0\r\nHost: test\r\n\r\n')
      const peer = await backend.next()
      await peer.head()
      await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
      await client.take('hello')
      peer.end()
      await client.untilClosed()
      expect(client.reset).toBe(true)
    })
  })
}
