// Two thousand clients at once that are slow with their heads or bodies: the timeouts end them all, and whoever asks
// properly is served all the while.

import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

const EACH = 1000
const CONF = `
worker_processes 2;
events { worker_connections 8192; }
http {
  log_format short '$status $request_method';
  access_log logs/access.log short;
  client_header_timeout 2s;
  client_body_timeout 2s;
  server {
    listen 127.0.0.1:%PORT%;
    location / { return 200 "served"; }
    location /upload { proxy_pass http://%BACKEND%; }
  }
}
`
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const HEAD = 'GET /slow HTTP/1.1\r\nHost: a\r\nX-Slow: '
const UPLOAD = 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbeginning'

let backend: Server
let weir: RunningProxy
const held: Socket[] = []

beforeAll(async () => {
  // Takes what comes and never answers.
  backend = createServer((socket) => {
    held.push(socket)
    socket.on('error', () => {}).resume()
  })
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done))
  const { port } = backend.address() as { port: number }
  weir = await startWeir(CONF, { vars: { BACKEND: `127.0.0.1:${port}` } })
})
afterAll(async () => {
  for (const socket of held) socket.destroy()
  await new Promise((done) => backend.close(done))
  await weir?.stop()
})

/** A client that sends `first`, and a byte whenever it is told to; counts what comes back. */
class SlowClient {
  readonly #socket: Socket
  answered = 0
  gone = false

  constructor(port: number, first: string) {
    this.#socket = connect(port, '127.0.0.1', () => this.#socket.write(first))
    this.#socket.on('data', (bytes) => (this.answered += bytes.length))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => (this.gone = true))
    held.push(this.#socket)
  }

  trickle(): void {
    if (!this.gone) this.#socket.write('x')
  }
}

it('2000 slow clients are cut off while others are served', { timeout: 30_000 }, async () => {
  const heads = Array.from({ length: EACH }, () => new SlowClient(weir.port, HEAD))
  const uploads = Array.from({ length: EACH }, () => new SlowClient(weir.port, UPLOAD))
  const slow = [...heads, ...uploads]
  const trickling = setInterval(() => {
    for (const client of heads) client.trickle()
  }, 300)
  let served = 0
  try {
    while (slow.some((client) => !client.gone)) {
      const { bytes } = await rawRequest(weir.port, GET, { until: 'close' })
      expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nserved$/s)
      served++
    }
  } finally {
    clearInterval(trickling)
  }
  expect(served).toBeGreaterThan(1)
  expect(slow.reduce((sum, client) => sum + client.answered, 0)).toBe(0)
  const count = (line: string) => weir.accessLog.split('\n').filter((logged) => logged === line).length
  await eventually('a line for each', () => count('408 GET') === EACH && count('408 POST') === EACH)
  expect(count('200 GET')).toBe(served)
  expect(weir.errorLog).not.toMatch(/\[(alert|crit|emerg)\]/)
})
