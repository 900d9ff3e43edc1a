// Exchanges that an older nginx cannot be compared on, or whose timing matters: interim responses, early answers,
// clients that leave, idle backend connections that turn out closed, and when the log line is there.

import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

const CONF = `
worker_processes 1;
events { worker_connections 1024; }
http {
  log_format brief '$status $request_uri';
  access_log logs/access.log brief;
  proxy_request_buffering off;
  upstream back { server %BACKEND%; keepalive 4; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://back; }
    location /uri { proxy_set_header X-Uri $uri; proxy_pass http://back; }
    location /text { return 200 "text"; }
  }
}
`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const get = (path: string, ...lines: string[]): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
const post = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`

describe('an exchange', () => {
  let backend: RawBackend
  let weir: RunningProxy

  beforeAll(async () => {
    backend = await RawBackend.start()
    weir = await startWeir(CONF, { vars: { BACKEND: backend.address } })
  })
  beforeEach(() => backend.reset())
  afterAll(async () => {
    await Promise.all([weir?.stop(), backend?.stop()])
  })

  const ask = async (bytes: string | string[], until: number | 'close' = 1): Promise<string> =>
    (await rawRequest(weir.port, bytes, { until })).bytes.toString('latin1')

  it.each(['100 Continue', '102 Processing', '103 Early Hints', '199 Whatever'])(
    'interim response %s of the backend is not the answer',
    async (status) => {
      const interim = `HTTP/1.1 ${status}\r\nLink: </a>\r\n\r\n`
      backend.answer = { bytes: [interim, interim + OK], gap: 5 }
      expect(await ask(get('/interim'))).toMatch(/(^|\r\n\r\n)HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/)
    },
  )

  it('101 without a request for it is no answer', async () => {
    backend.answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'
    expect(await ask(get('/101'))).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('interim responses without end are no answer', async () => {
    backend.answer = 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(200)
    expect(await ask(get('/endless'))).toMatch(/^HTTP\/1\.1 502 /)
  })

  it('an answer before the body has been sent reaches the client', async () => {
    backend.answer = { bytes: OK, when: 'head' }
    expect(await ask([post('/early', 1_000_000), 'x'.repeat(1000)])).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  it('an early answer does not mix with the next request', async () => {
    backend.answer = { bytes: OK, when: 'head' }
    const answer = await ask([post('/early', 4), 'body', get('/text')], 2)
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(answer).toMatch(/ok[\s\S]*text$/)
  })

  it('pipelined requests are answered in their order, however long the first takes', async () => {
    backend.answer = (request) => {
      const path = request.toString('latin1').split(' ')[1]!
      return path === '/slow'
        ? { bytes: ['HTTP/1.1 200 OK\r\n', 'Content-Length: 4\r\n\r\nslow'], gap: 50 }
        : OK
    }
    expect(await ask(get('/slow') + get('/text') + get('/quick'), 3)).toMatch(/slow[\s\S]*text[\s\S]*ok$/)
  })

  it('a client that leaves is logged with 499 and its backend connection is closed', async () => {
    backend.answer = {}
    const socket = connect(weir.port, '127.0.0.1', () => socket.write(get('/left')))
    await eventually('request at the backend', () => backend.requests.length === 1)
    socket.destroy()
    await eventually('line in the access log', () => weir.accessLog.includes('499 /left\n'))
    await eventually('closed backend connection', () => backend.open === 0)
  })

  it('line ends in a decoded URI do not make header lines for the backend', async () => {
    await ask(get('/uri%0d%0aX-Injected:%201%0d%0a%0d%0aGET%20/'))
    const received = backend.requests.map(({ bytes }) => bytes.toString('latin1'))
    expect(received).toHaveLength(1)
    expect(received[0]).toMatch(/\r\nX-Uri: [^\r\n]*X-Injected/)
  })

  it('half a body is never a whole request', async () => {
    const socket = connect(weir.port, '127.0.0.1', () => socket.write(`${post('/half', 10)}12345`))
    await eventually('connection to the backend', () => backend.open === 1)
    socket.destroy()
    await eventually('closed backend connection', () => backend.open === 0)
    expect(backend.requests).toEqual([])
  })

  it('idle backend connections are used again', async () => {
    for (let count = 0; count < 5; count++) await ask(get('/kept'))
    expect(backend.requests.map(({ connection }) => connection)).toEqual([0, 0, 0, 0, 0])
  })

  it.each(['end', 'reset'] as const)(
    'a kept backend connection that fails (%s) is no error of the client',
    async (after) => {
      await ask(get('/first'))
      // The kept connection takes the second request and dies; a new one answers it.
      backend.answer = (_, index) => (index === 1 ? { after } : OK)
      expect(await ask(get('/second'))).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      expect(backend.requests.map(({ connection }) => connection)).toEqual([0, 0, 1])
    },
  )

  it.each(['Connection: close', 'X: y'])(
    'its line is in the log when the client sees the end (%s)',
    async (line) => {
      for (let count = 0; count < 20; count++) {
        const path = `/logged-${line[0]}-${count}`
        const text = line[0] === 'C' ? get(path, line) : `GET ${path} HTTP/1.0\r\n\r\n`
        await ask(text, 'close')
        expect(weir.accessLog).toContain(`200 ${path}\n`)
      }
    },
  )
})
