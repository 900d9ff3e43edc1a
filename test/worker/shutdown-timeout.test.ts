// worker_shutdown_timeout: what a worker that ends does about connections that do not.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../support/engine.ts'
import { Peer, PeerServer } from '../support/peer.ts'
import { eventually } from '../support/wait.ts'

const CONF = (timeout: string) => `${timeout}
  ${serverConf(`
  location / { proxy_pass http://%BACKEND%; }
`)}`
const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`

let engine: TestEngine
let backend: PeerServer
let clients: Peer[] = []
let drained = false

beforeAll(async () => {
  backend = await PeerServer.start()
})
beforeEach(() => {
  drained = false
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  clients = []
  backend.drop()
  await engine?.stop()
})
afterAll(() => backend?.stop())

async function start(timeout: string): Promise<void> {
  engine = await TestEngine.start(CONF(timeout), { BACKEND: backend.address })
}

async function connect(bytes = ''): Promise<Peer> {
  const client = await Peer.connect(engine.port)
  clients.push(client)
  if (bytes !== '') await client.send(bytes)
  return client
}

async function tunnel(): Promise<{ client: Peer; peer: Peer }> {
  const client = await connect(UPGRADE)
  const peer = await backend.next()
  await peer.head()
  await peer.send(SWITCH)
  await client.head()
  return { client, peer }
}

const drain = () => engine.engine.drain(() => (drained = true))

describe('worker_shutdown_timeout', () => {
  it('closes tunnels when it is over, which are logged with their bytes', async () => {
    await start('worker_shutdown_timeout 300ms;')
    const { client, peer } = await tunnel()
    await peer.send('words')
    await client.take('words')
    drain()
    await client.send('still here')
    await peer.take('still here')
    expect(drained).toBe(false)
    await Promise.all([client.untilEnd(), peer.untilEnd()])
    await eventually('end of the drain', () => drained)
    expect(engine.accessLog).toBe('101 GET /ws 5\n')
    expect(engine.errorLog).toContain('worker_shutdown_timeout is over, 1 connections are closed')
  })

  it('closes what else is in flight', async () => {
    await start('worker_shutdown_timeout 200ms;')
    const waiting = await connect(get('/waits'))
    const peer = await backend.next()
    await peer.head()
    const partial = await connect(get('/partial'))
    const other = await backend.next()
    await other.head()
    await other.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    await partial.take('half')
    const head = await connect('GET / HT')
    await eventually('the head', () => engine.stats.reading === 1)
    drain()
    await Promise.all([waiting, partial, head, peer, other].map((end) => end.untilEnd()))
    await eventually('end of the drain', () => drained)
    expect(waiting.received).toBe('')
    expect(engine.accessLog.trim().split('\n').sort()).toEqual(['000 GET /waits 0', '200 GET /partial 4'])
    const { reading, writing, active, connections } = engine.stats
    expect([reading, writing, active, connections, engine.stats.waiting]).toEqual([0, 0, 0, 0, 0])
  })

  it('closes a client that does not take its response', async () => {
    await start('worker_shutdown_timeout 200ms;')
    const client = await connect()
    client.socket.pause()
    await client.send(get('/large'))
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
    peer.socket.write(Buffer.alloc(20_000_000))
    await eventually('a full pipe', () => peer.socket.writableLength > 0)
    drain()
    await eventually('end of the drain', () => drained)
  })

  it('is not waited for when everything has ended before', async () => {
    await start('worker_shutdown_timeout 1h;')
    const { client, peer } = await tunnel()
    drain()
    client.end()
    await peer.untilEnd()
    peer.end()
    await eventually('end of the drain', () => drained)
    expect(engine.errorLog).not.toContain('worker_shutdown_timeout')
  })

  it('without it a tunnel is waited for', async () => {
    await start('')
    const { client, peer } = await tunnel()
    drain()
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    await client.send('still here')
    await peer.take('still here')
    expect(drained).toBe(false)
    client.end()
    peer.end()
    await eventually('end of the drain', () => drained)
  })

  it.each([
    ['worker_shutdown_timeout;', 'invalid number of arguments in "worker_shutdown_timeout" directive'],
    ['worker_shutdown_timeout soon;', '"worker_shutdown_timeout" directive invalid value'],
    [
      'worker_shutdown_timeout 1s; worker_shutdown_timeout 1s;',
      '"worker_shutdown_timeout" directive is duplicate',
    ],
    ['events { worker_shutdown_timeout 1s; }', '"worker_shutdown_timeout" directive is not allowed here'],
  ])('%s is refused', async (text, message) => {
    await start('')
    expect(() => engine.load(`${text} ${text.startsWith('events') ? '' : 'events {}'}`)).toThrow(message)
  })
})
