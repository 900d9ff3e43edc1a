// Content of requests that go on to another server: what the first one was sent is sent to the next. The client is in memory, backends are real.

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
      `location / { proxy_pass http://two; }
       location /post { proxy_next_upstream error non_idempotent; proxy_pass http://two; }
       location /again { proxy_pass http://%FIRST%; error_page 502 = @second; }
       location @second { proxy_pass http://%SECOND%; }
       location /stream { proxy_request_buffering off; proxy_pass http://two; }`,
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
    ['PUT', '/', false],
    ['PUT', '/', true],
    ['POST', '/post', false],
    ['POST', '/post', true],
  ])('of %s to %s goes on whole (reset: %s)', async (method, target, reset) => {
    send(method, target, 10, 'hello')
    client.transport.receive('world')
    await failAfter('helloworld', reset)
    expect(await answered(await second.next(), 'helloworld')).toContain(
      'Content-Length: 10\r\n\r\nhelloworld',
    )
  })

  it('in chunks goes on with its length', async () => {
    send('PUT', '/', 'chunked', '3\r\nabc\r\n')
    client.transport.receive('2\r\nde\r\n0\r\n\r\n')
    await failAfter('abcde')
    expect(await answered(await second.next(), 'abcde')).toContain('Content-Length: 5\r\n\r\nabcde')
  })

  it.each([
    ['memory', 16_384],
    ['a file', 300_000],
  ])('from %s goes on, and to the location of an error page too', async (_, length) => {
    const content = Array.from({ length: length / 4 }, (_, index) => String(index % 10_000).padStart(4, '0'))
    send('PUT', '/again', length, content.slice(0, 100).join(''))
    client.transport.receive(content.slice(100).join(''))
    const failing = await first.next()
    await failing.when('whole request', () => failing.received.length > length)
    failing.destroy()
    const peer = await second.next()
    await peer.when('whole request', () => peer.received.length > length)
    await peer.send('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
    await answer('HTTP/1.1 404 ')
    const [head, body] = peer.received.split('\r\n\r\n')
    expect(head).toContain(`Content-Length: ${length}`)
    expect(body).toBe(content.join(''))
  })

  it('of POST does not: 502', async () => {
    send('POST', '/', 5, 'hello')
    await failAfter('hello')
    expect(await answer('</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(second.accepted).toBe(0)
  })

  it('that goes on as it comes does not: 502', async () => {
    send('PUT', '/stream', 10, '')
    const peer = await first.next()
    client.transport.receive('hello')
    await peer.take('hello')
    peer.destroy()
    client.transport.receive('world')
    expect(await answer('</html>')).toMatch(/^HTTP\/1\.1 502 /)
    expect(second.accepted).toBe(0)
  })

  it('that goes on as it comes does, as long as only what came with the head is on its way', async () => {
    send('PUT', '/stream', 10, 'hello')
    await failAfter('hello')
    const peer = await second.next()
    await peer.take('hello')
    client.transport.receive('world')
    await answered(peer, 'world')
  })

  it('that goes on as it comes and is there whole is taken as if it had been read: with its length', async () => {
    send('PUT', '/stream', 'chunked', '3\r\nabc\r\n0\r\n\r\n')
    await failAfter('abc')
    expect(await answered(await second.next(), 'abc')).toContain('Content-Length: 3\r\n\r\nabc')
  })
})
