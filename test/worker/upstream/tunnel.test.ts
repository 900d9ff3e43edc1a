// Upgraded connections: bytes both ways until either side ends.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { type Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const SERVER = `
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection upgrade;
  location / { proxy_pass http://%BACKEND%; }
  location /brief/ { proxy_pass http://%BACKEND%; proxy_read_timeout 200ms; }
`
const UPGRADE = (target = '/') =>
  `GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'

let engine: TestEngine
let backend: PeerServer
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(SERVER), { BACKEND: backend.address })
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

async function tunnel(
  target = '/',
  behindHead = '',
): Promise<{ client: MemoryClient; peer: Peer; before: number }> {
  const before = lines()
  const client = engine.connect()
  clients.push(client)
  client.transport.receive(UPGRADE(target))
  const peer = await backend.next()
  expect(await peer.head()).toMatch(/\r\nUpgrade: echo\r\nConnection: upgrade\r\n/)
  await peer.send(SWITCH + behindHead)
  await sent(client, `\r\n\r\n${behindHead}`)
  return { client, peer, before }
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

  it('the end of the backend ends the connection, and is logged with its bytes', async () => {
    const { client, peer, before } = await tunnel()
    await peer.send('bye')
    await sent(client, 'bye')
    peer.end()
    await eventually('end of the connection', () => client.gone)
    expect((await engine.logged(before + 1)).at(-1)).toBe('101 GET / 3')
  })

  it('the end of the client ends the backend connection', async () => {
    const { client, peer, before } = await tunnel()
    client.transport.receiveEnd()
    await peer.untilEnd()
    expect((await engine.logged(before + 1)).at(-1)).toBe('101 GET / 0')
    await eventually('end of the connection', () => client.gone)
  })

  it('a reset of the client ends the backend connection', async () => {
    const { client, peer } = await tunnel()
    client.transport.break()
    await peer.untilEnd()
    await eventually('end of the connection', () => client.gone)
  })

  it('a backend that says nothing for proxy_read_timeout ends it', async () => {
    const { client } = await tunnel('/brief/')
    await eventually('end of the connection', () => client.gone)
    expect(engine.errorLog).toContain(
      'upstream timed out (110: Connection timed out) while proxying upgraded connection',
    )
  })

  it('a client that takes nothing stops the backend from being read', async () => {
    const { client, peer } = await tunnel()
    client.transport.room = false
    const block = Buffer.alloc(1 << 20, 'x')
    while (peer.socket.write(block));
    await eventually('first bytes', () => client.transport.sent.includes('x'))
    const held = client.transport.sent.length
    expect(held).toBeLessThan(4 << 20)
    client.transport.drain()
    await eventually('more bytes', () => client.transport.sent.length >= held + 1000)
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
