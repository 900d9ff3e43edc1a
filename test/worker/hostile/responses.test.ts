// What a lying backend, or one that goes away at the worst moment, can do: no client gets an answer that is not its
// own, and no request reaches a backend in part as if it were whole.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const CONF = serverConf(
  `proxy_request_buffering off;
   location / { proxy_pass http://%BACKEND%; }
   location /two/ { proxy_pass http://two; }`,
  'upstream two { server %BACKEND%; server %BACKEND2%; }',
)
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const FORGED = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'

let backend: PeerServer
let other: PeerServer
let engine: TestEngine
let client: MemoryClient

beforeAll(async () => {
  backend = await PeerServer.start()
  other = await PeerServer.start()
  engine = await TestEngine.start(CONF, { BACKEND: backend.address, BACKEND2: other.address })
})
afterEach(async () => {
  client.transport.break()
  backend.drop()
  other.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
})
afterAll(async () => {
  await engine?.stop()
  await Promise.all([backend?.stop(), other?.stop()])
})

const head = (method: string, target: string, lines = '') =>
  `${method} ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

async function sent(text: string): Promise<void> {
  await eventually(JSON.stringify(text), () => client.transport.sent.includes(text))
}

/** Resolves in the turn of the event loop in which `check` holds, before connections that began in it are made. */
async function turnOf(check: () => boolean): Promise<void> {
  for (let turn = 0; !check(); turn++) {
    if (turn > 1_000_000) throw new Error('the turn never came')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('a kept connection', () => {
  it('does not answer a request that has not been sent to it', async () => {
    client = engine.connect()
    client.transport.receive(head('GET', '/'))
    const first = await backend.next()
    await first.head()
    await first.send(OK)
    await sent('ok')
    client.transport.receive(head('POST', '/', 'Content-Length: 4\r\n'))
    await first.send(FORGED)
    const second = await backend.next()
    client.transport.receive('body')
    expect(await second.take('body')).toContain('POST / ')
    await second.send(OK.replace('ok', 'no'))
    await sent('no')
    expect(client.transport.sent).not.toContain('forged')
  })
})

describe('a request body that comes between two attempts', () => {
  it('reaches the second whole', async () => {
    client = engine.connect()
    client.transport.receive(head('PUT', '/two/', CHUNKED))
    const first = await eventually('attempt', () => backend.poll() ?? other.poll())
    await eventually('wait for the body', () => engine.stats.upstream === 1)
    first.end()
    await turnOf(() => engine.errorLog.includes('upstream prematurely closed'))
    client.transport.receive('4\r\nlost\r\n')
    const second = await eventually('attempt', () => backend.poll() ?? other.poll())
    await eventually('connection', () => second.socket.readyState === 'open')
    client.transport.receive('3\r\nend\r\n0\r\n\r\n')
    expect(await second.take('0\r\n\r\n')).toContain('4\r\nlost\r\n3\r\nend\r\n')
    await second.send(OK)
    await sent('ok')
  })
})

describe('a backend that switches protocols', () => {
  const UPGRADE = 'Connection: upgrade\r\nUpgrade: x\r\n'
  const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'

  it('amid the body of a request gets no tunnel', async () => {
    client = engine.connect()
    client.transport.receive(`${head('POST', '/', `${UPGRADE}Content-Length: 8\r\n`)}half`)
    const peer = await backend.next()
    await peer.head()
    await peer.send(SWITCHING)
    await sent('HTTP/1.1 502 ')
    client.transport.receive('rest')
    await eventually('end of the connection to the backend', () => engine.stats.upstream === 0)
    expect(peer.received).not.toContain('rest')
    expect(client.transport.sent).not.toContain('HTTP/1.1 101')
  })

  it('behind the body of a request gets one', async () => {
    client = engine.connect()
    client.transport.receive(`${head('POST', '/', `${UPGRADE}Content-Length: 4\r\n`)}body`)
    const peer = await backend.next()
    await peer.take('body')
    await peer.send(SWITCHING)
    await sent('HTTP/1.1 101 ')
    client.transport.receive('tunnel')
    await peer.take('tunnel')
  })
})
