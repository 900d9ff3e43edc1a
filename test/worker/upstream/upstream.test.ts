// What happens between a request and its backends, seen from both: the client is in memory, backends are real.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DeafListener } from '../../support/deaf-listener.ts'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { freePort } from '../../support/temporary.ts'
import { eventually } from '../../support/wait.ts'

const LOCATIONS = `
  proxy_request_buffering off;
  client_max_body_size 0;
  location / { proxy_pass http://%BACKEND%; }
  location /two/ { proxy_pass http://two; }
  location /second/ { proxy_pass http://second; }
  location /nobody/ { proxy_pass http://127.0.0.1:%CLOSED%; }
  location /unbuffered/ { proxy_pass http://%BACKEND%; proxy_buffering off; }
  location /brief/ { proxy_pass http://%BACKEND%; proxy_buffering off; proxy_read_timeout 100ms; proxy_send_timeout 100ms; client_body_timeout 60s; }
  location /impatient/ { proxy_pass http://%BACKEND%; client_body_timeout 100ms; }
`
const UPSTREAMS = `
  upstream two { server %BACKEND% max_fails=0; server %BACKEND2% max_fails=0; }
  server { listen 127.0.0.1:%PORT%; server_name deaf; client_body_timeout 100ms;
    location / { proxy_pass http://127.0.0.1:%DEAF%; proxy_connect_timeout 600ms; } }
  upstream second { server 127.0.0.1:%CLOSED% max_fails=0; server %BACKEND%; }
`
const FORMAT = '$status $request_method $uri $body_bytes_sent $upstream_status [$upstream_addr]'
const CONF = serverConf(LOCATIONS, UPSTREAMS).replace(
  /log_format short '[^']*'/,
  () => `log_format short '${FORMAT}'`,
)

let backend: PeerServer
let other: PeerServer
let deaf: DeafListener
let engine: TestEngine
let closedPort: number
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  other = await PeerServer.start()
  deaf = await DeafListener.start()
  closedPort = await freePort()
  engine = await TestEngine.start(CONF, {
    BACKEND: backend.address,
    BACKEND2: other.address,
    DEAF: deaf.port,
    CLOSED: closedPort,
  })
})
afterEach(async () => {
  for (const { transport } of clients) transport.break()
  clients = []
  backend.drop()
  other.drop()
  await eventually('end of all upstream connections', () => engine.stats.upstream === 0)
})
afterAll(async () => {
  await engine?.stop()
  await Promise.all([backend?.stop(), other?.stop(), deaf?.stop()])
})

function connect(): MemoryClient {
  const client = engine.connect()
  clients.push(client)
  return client
}

const get = (target = '/', lines = '') => `GET ${target} HTTP/1.1\r\nHost: test\r\n${lines}\r\n`
const post = (target: string, length: number, body = '', method = 'POST') =>
  `${method} ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n${body}`
const chunked = (target: string, body: string, method = 'POST') =>
  `${method} ${target} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n${body}`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** The next connection to either backend. */
const either = () => eventually('connection', () => backend.poll() ?? other.poll())

/** Waits for `text` in what the client has been sent. */
async function sent({ transport }: MemoryClient, text: string): Promise<string> {
  await eventually(JSON.stringify(text), () => transport.sent.includes(text)).catch((error: Error) => {
    throw new Error(`${error.message}; so far: ${JSON.stringify(transport.sent)}`)
  })
  return transport.sent
}

const closedOf = (client: MemoryClient) => eventually('end of the connection', () => client.gone)

/** The last line of the access log once there are `more` than before. */
async function loggedAfter(before: number, more = 1): Promise<string> {
  return (await engine.logged(before + more)).at(-1)!
}
const lines = () => engine.accessLog.split('\n').length - 1

describe('a response', () => {
  it('follows interim ones, which are not passed on', async () => {
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Pro',
    )
    await peer.send(`cessing\r\n\r\n${OK}`)
    expect(await sent(client, '\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(client.transport.sent).not.toContain('Early')
  })

  it('after endless interim ones is 502', async () => {
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('leaves in one write with its head', async () => {
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send(OK)
    await sent(client, '\r\n\r\nok')
    expect(client.transport.sends).toHaveLength(1)
  })

  it('of known length ends there, and a connection with more on it is not used again', async () => {
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`)
    await sent(client, '\r\n\r\nok')
    await peer.untilEnd()
    client.transport.receive(get())
    const fresh = await backend.next()
    await fresh.head()
    await fresh.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound')
    expect(await sent(client, 'sound')).not.toContain('poison')
  })

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', 'Content-Length: 1000'],
    ['GET', 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n', 'X-A: 1'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n', 'Content-Length: 1000'],
  ])('to %s with %j has no content and keeps both connections', async (method, response, line) => {
    const client = connect()
    client.transport.receive(get().replace('GET', method))
    const peer = await backend.next()
    await peer.head()
    await peer.send(response)
    expect(await sent(client, '\r\n\r\n')).toContain(`\r\n${line}\r\n`)
    client.transport.receive(get('/next'))
    expect(await peer.head()).toContain('GET /next ')
    await peer.send(OK)
    expect(await sent(client, '\r\n\r\nok')).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/)
    expect(backend.accepted).toBe(1)
  })

  it('without a length ends with its connection, and goes on in chunks', async () => {
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\n\r\nhello ')
    await sent(client, '6\r\nhello \r\n')
    await peer.send('you')
    await sent(client, '3\r\nyou\r\n')
    peer.end()
    await sent(client, '0\r\n\r\n')
    expect(client.transport.reading).toBe(true)
  })

  it('without a length to an HTTP/1.0 client ends with the connection', async () => {
    const client = connect()
    client.transport.receive('GET / HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\n\r\n')
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\n\r\nhello')
    peer.end()
    await closedOf(client)
    expect(client.transport.sent).toMatch(/\r\nConnection: close\r\n\r\nhello$/)
  })

  it('in chunks goes on chunk by chunk, without extensions and trailers', async () => {
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n')
    await sent(client, '\r\n\r\n3\r\nabc\r\n')
    await peer.send('2\r\nde\r\n0\r\nX-T: 1\r\n\r\n')
    expect(await sent(client, '0\r\n\r\n')).toMatch(/3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n$/)
    await eventually('idle connection', () => engine.stats.waiting === 1)
    expect(backend.open).toBe(1)
  })
})

describe('a backend that ends', () => {
  it.each([
    ['before its head', '', 502],
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-Le', 502],
    ['with something else', 'SSH-2.0-OpenSSH\r\n', 502],
  ])('%s: the client gets %3$i', async (_when, bytes, status) => {
    const before = lines()
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    if (bytes !== '') await peer.send(bytes)
    peer.end()
    expect(await sent(client, '</html>')).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(await loggedAfter(before)).toContain(`${status} GET / `)
    expect(client.transport.calls).toEqual([])
  })

  it.each([
    ['in its content', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello'],
    ['between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    [
      'before its last empty line',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n',
    ],
  ])('%s: the client gets what came, and no end', async (_when, bytes) => {
    const before = lines()
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send(bytes)
    await sent(client, 'hello')
    peer.end()
    await closedOf(client)
    expect(client.transport.sent).not.toContain('0\r\n\r\n')
    expect(await loggedAfter(before)).toMatch(/^200 GET /)
    expect(engine.errorLog).toContain('upstream prematurely closed connection while reading upstream')
  })

  it('with a reset before its head: 502 and the reason in the log', async () => {
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    peer.destroy(true)
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(engine.errorLog).toContain(
      'recv() failed (104: Connection reset by peer) while reading response header',
    )
  })
})

describe('the next peer', () => {
  it('is tried when one refuses', async () => {
    const before = lines()
    for (let turn = 0; turn < 2; turn++) {
      const client = connect()
      client.transport.receive(post('/second/', 5, 'hello'))
      const peer = await backend.next()
      expect(await peer.take('hello')).toContain('Content-Length: 5')
      await peer.send(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
      await sent(client, '\r\n\r\nok')
    }
    await loggedAfter(before, 2)
    expect(engine.accessLog).toContain(` 502, 200 [127.0.0.1:${closedPort}, ${backend.address}]\n`)
  })

  it('is not tried for a POST that one may have begun', async () => {
    const client = connect()
    client.transport.receive(post('/two/', 5, 'hello'))
    const peer = await either()
    await peer.take('hello')
    peer.end()
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(backend.accepted + other.accepted).toBe(1)
  })

  it('is tried for a GET when one ends without an answer, and there is none after the last', async () => {
    const client = connect()
    client.transport.receive(get('/two/'))
    const first = await either()
    await first.head()
    first.end()
    const second = await either()
    expect(second.socket.localPort).not.toBe(first.socket.localPort)
    await second.head()
    second.end()
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(backend.accepted + other.accepted).toBe(2)
  })

  it('is tried with a chunked body that turned out empty', async () => {
    const client = connect()
    client.transport.receive(chunked('/two/', '0\r\n\r\n', 'PUT'))
    const first = await either()
    await first.take('Content-Length: 0\r\n\r\n')
    first.end()
    const second = await either()
    await second.take('Content-Length: 0\r\n\r\n')
    await second.send(OK)
    expect(await sent(client, '\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('that refuses too: 502', async () => {
    const client = connect()
    client.transport.receive(get('/nobody/'))
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(engine.errorLog).toMatch(
      /connect\(\) failed \(111: Connection refused\) while connecting to upstream, client: 192\.0\.2\.1, server: test, request: "GET \/nobody\/ HTTP\/1\.1", upstream: "http:\/\/127\.0\.0\.1:\d+\/nobody\/", host: "test"\n/,
    )
  })
})

describe('a kept connection', () => {
  /** A connection to the backend that is idle. */
  async function kept(client: MemoryClient, target = '/') {
    client.transport.receive(get(target))
    const peer = await backend.next()
    await peer.head()
    await peer.send(OK)
    await sent(client, '\r\n\r\nok')
    client.transport.sent = ''
    return peer
  }

  it('is used for the next request', async () => {
    const client = connect()
    const peer = await kept(client)
    client.transport.receive(get('/again'))
    expect(await peer.head()).toContain('GET /again ')
    await peer.send(OK)
    await sent(client, '\r\n\r\nok')
    expect(backend.accepted).toBe(1)
    expect(engine.stats.upstream).toBe(1)
  })

  it('that turns out closed is replaced, and the request sent again', async () => {
    const before = lines()
    const client = connect()
    const peer = await kept(client)
    client.transport.receive(get('/again'))
    await peer.head()
    peer.destroy(true)
    const fresh = await backend.next()
    expect(await fresh.head()).toContain('GET /again ')
    await fresh.send(OK)
    expect(await sent(client, '\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 /)
    expect(await loggedAfter(before, 2)).toContain(` 200 [${backend.address}]`)
  })

  it('that turns out closed is replaced for an empty chunked body too', async () => {
    const client = connect()
    const peer = await kept(client)
    client.transport.receive(chunked('/again', '0\r\n\r\n', 'PUT'))
    await peer.take('Content-Length: 0\r\n\r\n')
    peer.end()
    const fresh = await backend.next()
    await fresh.take('Content-Length: 0\r\n\r\n')
    await fresh.send(OK)
    expect(await sent(client, '\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('that turns out closed is not replaced once a POST is on it: 502', async () => {
    const client = connect()
    const peer = await kept(client)
    client.transport.receive(post('/again', 2, 'ab'))
    await peer.take('ab')
    peer.end()
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(backend.accepted).toBe(1)
  })

  it('that is closed while idle is forgotten', async () => {
    const client = connect()
    const peer = await kept(client)
    peer.end()
    await eventually('forgotten connection', () => engine.stats.upstream === 0)
    await kept(client)
    expect(backend.accepted).toBe(2)
  })

  it('that speaks while idle is closed', async () => {
    const client = connect()
    const peer = await kept(client)
    await peer.send('HTTP/1.1 408 Request Timeout\r\n\r\n')
    await peer.untilEnd()
    await kept(client)
    expect(backend.accepted).toBe(2)
  })

  it('is not kept after Connection: close or HTTP/1.0', async () => {
    const client = connect()
    client.transport.receive(get())
    for (const head of ['HTTP/1.1 200 OK\r\nConnection: close', 'HTTP/1.0 200 OK']) {
      const peer = await backend.next()
      await peer.head()
      client.transport.sent = ''
      await peer.send(`${head}\r\nContent-Length: 2\r\n\r\nok`)
      await sent(client, '\r\n\r\nok')
      await peer.untilEnd()
      client.transport.receive(get())
    }
    await (await backend.next()).head()
    expect(backend.accepted).toBe(3)
  })
})

describe('a request body', () => {
  it('leaves in one write with the head when it came with it', async () => {
    const client = connect()
    client.transport.receive(post('/', 5, 'hello'))
    const peer = await backend.next()
    expect(await peer.take('hello')).toMatch(
      /^POST \/ HTTP\/1\.1\r\nHost: [\s\S]*Content-Length: 5\r\n\r\nhello$/,
    )
    await peer.send(OK)
    await sent(client, '\r\n\r\nok')
  })

  it('goes on as it comes', async () => {
    const client = connect()
    client.transport.receive(post('/', 10, 'hello'))
    const peer = await backend.next()
    await peer.take('\r\n\r\nhello')
    client.transport.receive('world')
    await peer.take('world')
    await peer.send(OK)
    await sent(client, '\r\n\r\nok')
  })

  it('in chunks goes on in chunks, framed anew', async () => {
    const client = connect()
    client.transport.receive(chunked('/', '3;x=y\r\nabc\r\n'))
    const peer = await backend.next()
    expect(await peer.take('\r\n\r\n3\r\nabc\r\n')).toContain('\r\nTransfer-Encoding: chunked\r\n')
    client.transport.receive('2\r\nde\r\n0\r\nX: y\r\n\r\n')
    await peer.take('2\r\nde\r\n0\r\n\r\n')
    await peer.send(OK)
    await sent(client, '\r\n\r\nok')
  })

  it('answered early: the answer is passed on, the rest read and dropped, the next request served', async () => {
    const client = connect()
    client.transport.receive(post('/', 10, 'hello'))
    const peer = await backend.next()
    await peer.take('hello')
    await peer.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    expect(await sent(client, '\r\n\r\nno')).toMatch(/^HTTP\/1\.1 403 /)
    await peer.untilEnd()
    client.transport.receive(`world${get('/next')}`)
    const fresh = await backend.next()
    expect(await fresh.head()).toContain('GET /next ')
    await fresh.send(OK)
    await sent(client, '\r\n\r\nok')
  })

  it('answered early in parts while it still comes: both go on', async () => {
    const client = connect()
    client.transport.receive(post('/', 10, 'hello'))
    const peer = await backend.next()
    await peer.take('hello')
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nyo')
    await sent(client, '\r\n\r\nyo')
    client.transport.receive('world')
    await peer.take('world')
    await peer.send('u!')
    await sent(client, '\r\n\r\nyou!')
  })

  it('that the client breaks off: the backend connection is closed, 400 logged', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(post('/', 10, 'hello'))
    const peer = await backend.next()
    await peer.take('hello')
    client.transport.receiveEnd()
    await peer.untilEnd()
    expect(await loggedAfter(before)).toMatch(/^400 POST /)
    await closedOf(client)
    expect(client.transport.sent).toBe('')
  })

  it('broken off before the backend is connected: nothing reaches it', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(post('/', 10))
    client.transport.receiveEnd()
    expect(await loggedAfter(before)).toMatch(/^400 POST /)
    await closedOf(client)
    await eventually('end of the upstream connection', () => engine.stats.upstream === 0)
    expect(backend.received).toBe('')
  })

  it('with a bad chunk: 400, and the backend connection is closed without the end of the body', async () => {
    const client = connect()
    client.transport.receive(chunked('/', '3\r\nabc\r\n'))
    const peer = await backend.next()
    await peer.take('abc\r\n')
    client.transport.receive('zz\r\n')
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await peer.untilEnd()).toBe('')
  })

  it('that does not come within client_body_timeout: 408 logged, the backend connection closed', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(post('/impatient/', 10, 'hello'))
    const peer = await backend.next()
    await peer.take('hello')
    expect(await loggedAfter(before)).toMatch(/^408 POST /)
    await peer.untilEnd()
    expect(engine.errorLog).toContain('client timed out (110: Connection timed out) while')
  })

  it('that is there already does not count as late while the backend is being connected', async () => {
    const client = connect()
    client.transport.receive(post('/', 5, 'hello').replace('test', 'deaf'))
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 504 /)
    expect(engine.errorLog).toContain(
      'upstream timed out (110: Connection timed out) while connecting to upstream',
    )
  })

  it('that comes slowly is not held against the backend by proxy_send_timeout', async () => {
    const client = connect()
    client.transport.receive(post('/brief/', 10, 'hello'))
    const peer = await backend.next()
    await peer.take('hello')
    // Two other requests run into the same timeout meanwhile.
    for (let turn = 0; turn < 2; turn++) {
      const slow = connect()
      slow.transport.receive(get('/brief/'))
      expect(await sent(slow, '</html>')).toMatch(/^HTTP\/1\.1 504 /)
      await backend.next()
    }
    client.transport.receive('world')
    await peer.take('world')
    await peer.send(OK)
    expect(await sent(client, '\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('proxy_read_timeout', () => {
  it('before the head: 504', async () => {
    const client = connect()
    client.transport.receive(get('/brief/'))
    expect(await sent(client, '</html>')).toMatch(/^HTTP\/1\.1 504 /)
    expect(engine.errorLog).toContain(
      'upstream timed out (110: Connection timed out) while reading response header',
    )
    await (await backend.next()).untilEnd()
  })

  it('in the content: the response ends unfinished', async () => {
    const client = connect()
    client.transport.receive(get('/brief/'))
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    await closedOf(client)
    expect(client.transport.sent).toMatch(/\r\n\r\nhello$/)
    await peer.untilEnd()
  })

  it('does not run while the client is the one who takes nothing', async () => {
    const client = connect()
    client.transport.receive(get('/brief/'))
    const peer = await backend.next()
    await peer.head()
    client.transport.room = false
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    await sent(client, 'hello')
    for (let turn = 0; turn < 2; turn++) {
      const slow = connect()
      slow.transport.receive(get('/brief/'))
      await sent(slow, '</html>')
      await backend.next()
    }
    client.transport.drain()
    await peer.send('world')
    await sent(client, 'helloworld')
  })
})

describe('a client that goes away', () => {
  it.each(['half close', 'reset'])(
    'by %s before the answer: the backend connection is closed, 499 logged',
    async (how) => {
      const before = lines()
      const client = connect()
      client.transport.receive(get())
      const peer = await backend.next()
      await peer.head()
      if (how === 'reset') client.transport.break()
      else client.transport.receiveEnd()
      await peer.untilEnd()
      expect(await loggedAfter(before)).toMatch(/^499 GET /)
      expect(engine.errorLog).toContain(
        'client prematurely closed connection, so upstream connection is closed too',
      )
      await closedOf(client)
      expect(engine.stats.writing).toBe(0)
    },
  )

  it('in the middle of the answer: the backend connection is closed', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(get())
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    await sent(client, 'hello')
    client.transport.break()
    await peer.untilEnd()
    expect(await loggedAfter(before)).toMatch(/^200 GET \/ 5 /)
  })

  it('while connecting: 499, and nothing reaches the backend', async () => {
    const before = lines()
    const client = connect()
    client.transport.receive(get())
    client.transport.receiveEnd()
    expect(await loggedAfter(before)).toMatch(/^499 GET /)
    await closedOf(client)
    await eventually('end of the upstream connection', () => engine.stats.upstream === 0)
    expect(backend.received).toBe('')
  })
})

describe('backpressure', () => {
  it('of a client stops reading from the backend until it has room', async () => {
    const client = connect()
    client.transport.receive(get('/unbuffered/'))
    const peer = await backend.next()
    await peer.head()
    client.transport.room = false
    const size = 64 * 1024 * 1024
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
    let taken = 0
    const block = Buffer.alloc(1024 * 1024)
    // As much as the system takes while nobody reads.
    while (peer.socket.write(block)) taken += block.length
    taken += block.length
    await eventually('first content', () => client.transport.sent.length > 200)
    const held = client.transport.sent.length
    expect(held).toBeLessThan(1024 * 1024)
    client.transport.drain()
    await eventually('more content', () => client.transport.sent.length >= taken)
    client.transport.break()
    await peer.untilEnd()
  })

  it('of a backend stops reading from the client until it has room, and every byte arrives', async () => {
    backend.paused = true
    const client = connect()
    const size = 32 * 1024 * 1024
    client.transport.receive(post('/', size))
    const peer = await backend.next()
    backend.paused = false
    let given = 0
    const give = () => {
      while (client.transport.reading && given < size) {
        client.transport.receive(Buffer.alloc(Math.min(65536, size - given)))
        given += Math.min(65536, size - given)
      }
    }
    await eventually('paused client', () => {
      give()
      return !client.transport.reading && peer.socket.isPaused()
    })
    expect(given).toBeLessThan(size)
    const pausedAt = given
    peer.socket.resume()
    await eventually('whole body', () => {
      give()
      return peer.count > size
    })
    expect(given).toBeGreaterThan(pausedAt)
    await peer.send(OK)
    await sent(client, '\r\n\r\nok')
  })
})
