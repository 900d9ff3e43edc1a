// Upgraded connections: bytes both ways until both sides have ended, one is gone, or neither says anything.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { type Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const SERVER = `
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection upgrade;
  access_log logs/access.log counted;
  location / { proxy_pass http://%BACKEND%; }
  location /brief/ { proxy_pass http://%BACKEND%; proxy_read_timeout 200ms; }
  location /deaf-client/ { proxy_pass http://%BACKEND%; send_timeout 200ms; proxy_read_timeout 100ms; }
  location /reset/ { proxy_pass http://%BACKEND%; send_timeout 200ms; reset_timedout_connection on; }
  location /deaf-backend/ { proxy_pass http://%BACKEND%; proxy_send_timeout 200ms; }
`
const HTTP = `log_format counted '$status $request_method $uri sent=$body_bytes_sent length=$request_length '
  'upstream sent=$upstream_bytes_sent received=$upstream_bytes_received';`
const UPGRADE = (target = '/') =>
  `GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'
/** Bytes of what the backend gets for `UPGRADE()`. */
const ASKED = 'GET / HTTP/1.1\r\nUpgrade: echo\r\nConnection: upgrade\r\nHost: \r\n\r\n'.length
const MIB = 1 << 20

let engine: TestEngine
let backend: PeerServer
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(SERVER, HTTP), { BACKEND: backend.address })
})
afterEach(async () => {
  for (const { transport } of clients) transport.break()
  clients = []
  backend.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
  expect([engine.stats.reading, engine.stats.writing, engine.stats.waiting]).toEqual([0, 0, 0])
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

const lines = () => engine.accessLog.split('\n').length - 1
const sent = ({ transport }: MemoryClient, text: string) =>
  eventually(JSON.stringify(text), () => transport.sent.includes(text))
const gone = (client: MemoryClient) => eventually('end of the connection', () => client.gone)
const timedOut = (who: string) =>
  new RegExp(
    `\\[info\\] \\S+ \\S+ ${who} timed out \\(110: Connection timed out\\) while proxying upgraded connection, `,
  )
const errors = (from: number) => engine.errorLog.slice(from)

interface Opened {
  client: MemoryClient
  peer: Peer
  /** Lines of the access log before. */
  before: number
  /** Length of the error log before. */
  errorsFrom: number
}

async function tunnel(target = '/', behindHead = ''): Promise<Opened> {
  const before = lines()
  const errorsFrom = engine.errorLog.length
  const client = engine.connect()
  clients.push(client)
  client.transport.receive(UPGRADE(target))
  const peer = await backend.next()
  expect(await peer.head()).toMatch(/\r\nUpgrade: echo\r\nConnection: upgrade\r\n/)
  await peer.send(SWITCH + behindHead)
  await sent(client, `\r\n\r\n${behindHead}`)
  return { client, peer, before, errorsFrom }
}

describe('after 101', () => {
  it('bytes pass both ways, whatever they are', async () => {
    const { client, peer } = await tunnel()
    expect(client.transport.sent).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(client.transport.sent).toMatch(/\r\nConnection: upgrade\r\n/)
    expect(client.transport.sent).toMatch(/\r\nUpgrade: echo\r\n/)
    client.transport.receive('GET / HTTP/1.1\r\n\0\xff')
    await peer.take('GET / HTTP/1.1\r\n\0\xff')
    await peer.send('HTTP/1.1 200 OK\r\n\r\n\0')
    await sent(client, 'HTTP/1.1 200 OK\r\n\r\n\0')
  })

  it('what came behind the head is passed on first', async () => {
    const { client } = await tunnel('/', 'early words')
    expect(client.transport.sent).toMatch(/\r\n\r\nearly words$/)
  })

  it('what the client sent ahead is passed on first', async () => {
    const client = engine.connect()
    clients.push(client)
    client.transport.receive(`${UPGRADE()}impatient`)
    const peer = await backend.next()
    await peer.head()
    await peer.send(SWITCH)
    await peer.take('impatient')
    client.transport.receive(' words')
    await peer.take(' words')
  })

  it('the client counts as being written to, and the backend as a connection', async () => {
    await tunnel()
    expect([engine.stats.active, engine.stats.writing, engine.stats.waiting]).toEqual([1, 1, 0])
    expect(engine.stats.connections).toBe(2)
  })
})

describe('the end of one side', () => {
  it('of the backend is passed on behind what it sent, and the client may go on', async () => {
    const { client, peer, before } = await tunnel('/', 'early')
    await peer.send('bye')
    peer.end()
    await eventually('the end', () => client.transport.calls.includes('end'))
    expect(client.transport.sent).toMatch(/\r\n\r\nearlybye$/)
    client.transport.receive('late words')
    await peer.take('late words')
    expect(lines()).toBe(before)
    client.transport.receiveEnd()
    await peer.untilEnd()
    const log = (await engine.logged(before + 1)).at(-1)
    const head = UPGRADE().length
    expect(log).toBe(
      `101 GET / sent=8 length=${head} upstream sent=${ASKED + backend.address.length + 10} received=${SWITCH.length + 8}`,
    )
    await gone(client)
  })

  it('of the client is passed on behind what it sent, and the backend may go on', async () => {
    const { client, peer, before } = await tunnel()
    client.transport.receive('bye')
    client.transport.receiveEnd()
    expect(await peer.untilEnd()).toBe('bye')
    await peer.send('late words')
    await sent(client, 'late words')
    expect(lines()).toBe(before)
    peer.end()
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^101 GET \/ sent=10 /)
    await gone(client)
  })

  it('is not the end of what the other has not taken yet', async () => {
    backend.paused = true
    const before = lines()
    const client = engine.connect()
    clients.push(client)
    client.transport.receive(UPGRADE())
    const peer = await backend.next()
    backend.paused = false
    peer.socket.write(SWITCH)
    peer.socket.end()
    await sent(client, '\r\n\r\n')
    await eventually('the end', () => client.transport.calls.includes('end'))
    let count = 0
    while (client.transport.reading && count < 64 * MIB) {
      client.transport.receive(Buffer.alloc(MIB, 'x'))
      count += MIB
    }
    expect(count).toBeLessThan(64 * MIB)
    peer.socket.resume()
    await eventually('room', () => client.transport.reading)
    client.transport.receiveEnd()
    await peer.untilEnd()
    expect(peer.count).toBe(peer.received.indexOf('\r\n\r\n') + 4 + count)
    await engine.logged(before + 1)
  })

  it('leaves the other the time of proxy_read_timeout to speak', async () => {
    const { client, peer, errorsFrom } = await tunnel('/brief/')
    peer.end()
    await gone(client)
    expect(errors(errorsFrom)).toMatch(timedOut('client'))
  })
})

describe('a side that is gone', () => {
  it('the client: the backend gets what it had sent, and its end', async () => {
    const { client, peer, before, errorsFrom } = await tunnel()
    client.transport.receive('last words')
    client.transport.break()
    expect(await peer.untilEnd()).toBe('last words')
    await gone(client)
    await engine.logged(before + 1)
    expect(errors(errorsFrom)).toMatch(
      /\[info\] [^\n]*recv\(\) failed \(104: Connection reset by peer\) while proxying upgraded/,
    )
  })

  it('the client, after its end: that is not worth a word', async () => {
    const { client, peer, before, errorsFrom } = await tunnel()
    client.transport.receiveEnd()
    await peer.untilEnd()
    client.transport.break()
    await gone(client)
    await engine.logged(before + 1)
    expect(errors(errorsFrom)).not.toContain('failed')
  })

  it('the backend: the client gets what it had sent, and its end', async () => {
    const { client, peer, before, errorsFrom } = await tunnel()
    client.transport.room = false
    await peer.send('last words')
    await sent(client, 'last words')
    peer.destroy(true)
    client.transport.drain()
    await engine.logged(before + 1)
    await gone(client)
    expect(client.transport.calls).toEqual(['close'])
    expect(errors(errorsFrom)).toMatch(
      /\[error\] [^\n]*recv\(\) failed \(104: Connection reset by peer\) while proxying upgraded/,
    )
  })
})

describe('proxy_read_timeout', () => {
  it('ends a tunnel in which neither side speaks', async () => {
    const { client, errorsFrom } = await tunnel('/brief/')
    await gone(client)
    expect(errors(errorsFrom)).toMatch(timedOut('upstream'))
  })

  it.each(['client', 'backend'])('is put off by what the %s says', async (who) => {
    const { client, peer } = await tunnel('/brief/')
    const start = performance.now()
    const speaking = setInterval(() => {
      if (who === 'backend') peer.socket.write('ping')
      else if (client.transport.reading) client.transport.receive('ping')
    }, 20)
    // Several times as long as the timeout.
    await eventually('time', () => performance.now() - start > 1000)
    expect(client.gone).toBe(false)
    clearInterval(speaking)
    await gone(client)
  })
})

describe('a side that takes nothing', () => {
  it('the client: the backend is not read', async () => {
    const { client, peer } = await tunnel()
    client.transport.room = false
    const block = Buffer.alloc(MIB, 'x')
    while (peer.socket.write(block));
    await eventually('first bytes', () => client.transport.sent.includes('x'))
    const held = client.transport.sent.length
    expect(held).toBeLessThan(4 * MIB)
    client.transport.drain()
    await eventually('more bytes', () => client.transport.sent.length >= held + 1000)
  })

  it('the backend: the client is not read', async () => {
    const { client, peer } = await tunnel()
    peer.socket.pause()
    let count = 0
    while (client.transport.reading && count < 64 * MIB) {
      client.transport.receive(Buffer.alloc(MIB, 'x'))
      count += MIB
    }
    expect(count).toBeLessThan(64 * MIB)
    peer.socket.resume()
    await peer.when('everything', () => peer.count >= count)
    await eventually('room', () => client.transport.reading)
  })

  it('the client: it is given up after send_timeout, not before', async () => {
    const { client, peer, before, errorsFrom } = await tunnel('/deaf-client/')
    client.transport.room = false
    await peer.send('words that nobody takes')
    await gone(client)
    expect(client.transport.calls).toEqual(['destroy'])
    expect(errors(errorsFrom)).toMatch(timedOut('client'))
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^101 GET \/deaf-client\/ sent=0 /)
  })

  it('the client: with reset_timedout_connection it is reset', async () => {
    const { client, peer } = await tunnel('/reset/')
    client.transport.room = false
    await peer.send('words that nobody takes')
    await gone(client)
    expect(client.transport.calls).toEqual(['reset'])
  })

  it('the backend: it is given up after proxy_send_timeout', async () => {
    const { client, peer, errorsFrom } = await tunnel('/deaf-backend/')
    peer.socket.pause()
    while (client.transport.reading) client.transport.receive(Buffer.alloc(MIB, 'x'))
    await gone(client)
    expect(errors(errorsFrom)).toMatch(timedOut('upstream'))
  })
})

describe('a reload', () => {
  it('leaves a tunnel as it is, under the configuration it began with', async () => {
    const { client, peer, before } = await tunnel()
    engine.load(serverConf('location / { return 404; } access_log off;', HTTP).replace('%BACKEND%', ''))
    client.transport.receive('still there?')
    await peer.take('still there?')
    peer.end()
    client.transport.receiveEnd()
    expect((await engine.logged(before + 1)).at(-1)).toMatch(/^101 GET \/ /)
    engine.load(serverConf(SERVER, HTTP))
  })
})

describe('without an upgrade', () => {
  it('a backend that switches unasked is 502', async () => {
    const client = engine.connect()
    clients.push(client)
    client.transport.receive('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
    const peer = await backend.next()
    await peer.head()
    await peer.send(SWITCH)
    await sent(client, '</html>')
    expect(client.transport.sent).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('a backend that switches before the request is complete is 502', async () => {
    const client = engine.connect()
    clients.push(client)
    engine.load(serverConf(`proxy_request_buffering off; ${SERVER}`, HTTP))
    client.transport.receive(UPGRADE().replace('\r\n\r\n', '\r\nContent-Length: 10\r\n\r\nhalf'))
    const peer = await backend.next()
    await peer.take('half')
    await peer.send(SWITCH)
    await sent(client, '</html>')
    expect(client.transport.sent).toMatch(/^HTTP\/1\.1 502 /)
    engine.load(serverConf(SERVER, HTTP))
  })

  it('a backend that declines answers as ever, and the connection goes on', async () => {
    const client = engine.connect()
    clients.push(client)
    client.transport.receive(UPGRADE())
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    await sent(client, '\r\n\r\nok')
    client.transport.receive('GET /next HTTP/1.1\r\nHost: test\r\n\r\n')
    expect(await peer.head()).toContain('GET /next ')
  })
})
