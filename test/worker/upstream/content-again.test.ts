// Content of requests that go on to another server: what the first one was sent is sent to the next, and the rest
// follows as it comes. The client is in memory, backends are real.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { type Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let first: PeerServer
let second: PeerServer
let engine: TestEngine
let client: MemoryClient

beforeAll(async () => {
  first = await PeerServer.start()
  second = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(
      `client_body_timeout 150ms;
       location / { proxy_pass http://two; }
       location /slow { proxy_pass http://two; client_body_timeout 60s; }
       location /post { proxy_next_upstream error non_idempotent; proxy_pass http://two; client_body_timeout 60s; }`,
      'upstream two { server %FIRST% max_fails=0; server %SECOND% max_fails=0 backup; }',
    ),
    { FIRST: first.address, SECOND: second.address },
  )
})
afterEach(() => {
  client.transport.break()
  first.drop()
  second.drop()
})
afterAll(async () => {
  await engine?.stop()
  await Promise.all([first?.stop(), second?.stop()])
})

function send(method: string, target: string, length: number | 'chunked', body: string): void {
  const framing = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  client = engine.connect()
  client.transport.receive(`${method} ${target} HTTP/1.1\r\nHost: test\r\n${framing}\r\n\r\n${body}`)
}

async function answer(end: string): Promise<string> {
  await eventually(end, () => client.transport.sent.includes(end))
  return client.transport.sent
}

/** The first server's connection once it has `text`; it fails then. */
async function failAfter(text: string, reset = false): Promise<void> {
  const peer = await first.next()
  await peer.take(text)
  peer.destroy(reset)
}

async function answered(peer: Peer, text: string): Promise<string> {
  const taken = await peer.take(text)
  await peer.send(OK)
  expect(await answer('\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 /)
  return taken
}

describe('content', () => {
  it.each([
    ['PUT', '/slow', false],
    ['PUT', '/slow', true],
    ['POST', '/post', false],
    ['POST', '/post', true],
  ])('of %s to %s that is there in part goes on whole (reset: %s)', async (method, target, reset) => {
    send(method, target, 10, 'hello')
    await failAfter('hello', reset)
    const peer = await second.next()
    await peer.take('\r\n\r\nhello')
    client.transport.receive('world')
    expect(await answered(peer, 'world')).toBe('world')
  })

  it('that comes while the next server is connected waits for it', async () => {
    send('PUT', '/slow', 10, 'hello')
    const peer = await first.next()
    await peer.take('hello')
    peer.destroy()
    await eventually('end of the attempt', () => peer.closed)
    client.transport.receive('world')
    expect(await answered(await second.next(), 'world')).toContain('\r\n\r\nhello')
  })

  it('in chunks goes on in chunks', async () => {
    send('PUT', '/slow', 'chunked', '3\r\nabc\r\n')
    await failAfter('3\r\nabc\r\n')
    const peer = await second.next()
    await peer.take('\r\n\r\n3\r\nabc\r\n')
    client.transport.receive('2\r\nde\r\n')
    await peer.take('2\r\nde\r\n')
    client.transport.receive('0\r\n\r\n')
    await answered(peer, '0\r\n\r\n')
  })

  it('in chunks that is complete goes on complete', async () => {
    send('PUT', '/slow', 'chunked', '3\r\nabc\r\n0\r\n\r\n')
    await failAfter('0\r\n\r\n')
    await answered(await second.next(), '3\r\nabc\r\n0\r\n\r\n')
  })

  it('of 16 KiB goes on', async () => {
    const content = 'x'.repeat(16_383)
    send('PUT', '/slow', 16_384, content)
    await failAfter(content)
    const peer = await second.next()
    await peer.take(content)
    client.transport.receive('y')
    await answered(peer, 'y')
  })

  it.each<[string, number | 'chunked', string]>([
    ['of more than 16 KiB', 16_385, 'x'],
    ['in chunks of more than 16 KiB', 'chunked', `4001\r\n${'x'.repeat(0x4001)}\r\n0\r\n\r\n`],
  ])('%s does not: 502', async (_, length, content) => {
    send('PUT', '/slow', length, content)
    await failAfter(content.slice(-3))
    if (length !== 'chunked') client.transport.receive('x'.repeat(length - 1))
    expect(await answer('</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(second.accepted).toBe(0)
  })

  it('of POST does not: 502', async () => {
    send('POST', '/slow', 5, 'hello')
    await failAfter('hello')
    expect(await answer('</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(second.accepted).toBe(0)
  })

  it('that does not come to an end ends the request, whichever server has it: 408', async () => {
    send('PUT', '/', 10, 'hello')
    await failAfter('hello')
    const peer = await second.next()
    await peer.take('hello')
    await eventually('408', () => / 408 PUT |^408 PUT /m.test(engine.accessLog))
    await peer.untilEnd()
  })
})
