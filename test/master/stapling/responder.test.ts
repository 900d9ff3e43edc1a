import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askResponder } from '../../../src/master/stapling/responder.ts'
import type { LookUp } from '../../../src/shared/names/found.ts'
import { freePort } from '../../support/temporary.ts'

let server: Server
let answer = ''
let asked = ''
let ends = true

beforeAll(async () => {
  server = createServer((socket: Socket) => {
    socket.on('error', () => {})
    socket.once('data', (bytes) => {
      asked = bytes.toString('latin1')
      if (ends) socket.end(answer)
      else socket.write(answer)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
afterAll(() => new Promise((done) => server.close(done)))

const port = () => (server.address() as { port: number }).port
const nobody: LookUp = (_name, done) =>
  queueMicrotask(() => done({ failure: '3: Host not found', gone: true }))
const request = Buffer.from('request?>')

/** The response, or what went wrong; with the addresses that were asked. */
async function ask(
  text: string,
  host = '127.0.0.1',
  lookUp = nobody,
  uri = '/',
): Promise<[string, string[]]> {
  answer = text
  const peers: string[] = []
  const responder = { host, ip: host === '127.0.0.1' ? host : null, port: port(), uri }
  const told = await askResponder(responder, request, lookUp, (peer) => peers.push(peer)).then(
    (bytes) => bytes.toString(),
    (error: Error) => error.message,
  )
  return [told, peers]
}

const head = (type: string, length = 2) =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`

describe('an OCSP responder', () => {
  it('is asked by GET, with the request in the path', async () => {
    expect((await ask(`${head('application/ocsp-response')}ok`, '127.0.0.1', nobody, '/a'))[0]).toBe('ok')
    expect(asked).toMatch(
      /^GET \/a\/cmVxdWVzdD8%2B HTTP\/1\.1\r\nhost: 127\.0\.0\.1\r\nconnection: close\r\n\r\n$/i,
    )
  })

  it('is asked at each of its addresses, until one answers', async () => {
    const all: LookUp = (name, done) =>
      queueMicrotask(() =>
        done({ addresses: name === 'ocsp.example' ? ['127.0.0.2', '127.0.0.1'] : [], ttl: null }),
      )
    const [told, peers] = await ask(`${head('application/ocsp-response')}ok`, 'ocsp.example', all)
    expect(told).toBe('ok')
    expect(peers).toEqual([`127.0.0.2:${port()}`, `127.0.0.1:${port()}`])
    expect(asked).toContain('ocsp.example')
  })

  it('that cannot be found is told of', async () => {
    expect(await ask('', 'ocsp.example')).toEqual([
      'ocsp.example could not be resolved (3: Host not found)',
      [],
    ])
  })

  it('that nobody can connect to is told of', async () => {
    const responder = { host: '127.0.0.1', ip: '127.0.0.1', port: await freePort(), uri: '/' }
    await expect(askResponder(responder, request, nobody, () => {})).rejects.toThrow(
      'connect() failed (111: Connection refused)',
    )
  })

  it.each([
    ['nothing', '', 'OCSP responder prematurely closed connection'],
    ['no HTTP', 'what?\r\n\r\n', 'OCSP responder sent invalid response'],
    ['a page', `${head('text/html')}no`, 'OCSP responder sent invalid "Content-Type" header: "text/html"'],
    [
      'half of it',
      `${head('application/ocsp-response', 9)}ok`,
      'OCSP responder prematurely closed connection',
    ],
    [
      'too much',
      head('application/ocsp-response', 20_000) + 'x'.repeat(20_000),
      'OCSP responder sent invalid response',
    ],
    [
      'too long a head',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      'OCSP responder sent invalid response',
    ],
  ])('that sends %s is told of', async (_what, text, words) => {
    expect((await ask(text))[0]).toBe(words)
  })

  it('that never stops sending is left', async () => {
    ends = false
    const endless = `HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n${'x'.repeat(100_000)}`
    expect((await ask(endless))[0]).toBe('OCSP responder sent invalid response')
    ends = true
  })
})
