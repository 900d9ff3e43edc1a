// A page in a real browser talks over a WebSocket to an echo behind weir: on plain connections and over TLS.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { Browser, chromiumMissing } from '../support/browser.ts'
import { Authority } from '../support/certificates.ts'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'

/** What the page found out. */
interface Result {
  messages: string[]
  bytes: number
  protocol: string
  close: { code: number; reason: string; clean: boolean }
  error: boolean
}

/** Says a few things, takes what comes back, and has the backend close; then tells `/result`. */
const page = (path: string) => `<!doctype html>
<title>WebSocket</title>
<script>
  const result = { messages: [], bytes: 0, protocol: '', close: null, error: false }
  const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '${path}', ['first.example', 'echo.example'])
  socket.binaryType = 'arraybuffer'
  socket.onopen = () => {
    result.protocol = socket.protocol
    socket.send('hello')
    socket.send('gr\\u00fc\\u00df \\u{1f600}')
    socket.send(new Uint8Array(200000).fill(7))
    socket.send('bye')
  }
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') result.messages.push(data)
    else result.bytes += new Uint8Array(data).every((byte) => byte === 7) ? data.byteLength : NaN
  }
  socket.onerror = () => { result.error = true }
  socket.onclose = ({ code, reason, wasClean }) => {
    result.close = { code, reason, clean: wasClean }
    fetch('/result', { method: 'POST', body: JSON.stringify(result) })
  }
</script>`

const server = (listen: string, more = '') => `server {
    listen 127.0.0.1:${listen};
    ${more}
    proxy_set_header X-Protocol $server_protocol;
    location / { proxy_pass http://%BACKEND%; }
    location /guide/ {
      proxy_pass http://%BACKEND%;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }`

const conf = (tls: string) => `worker_processes 2;
events { worker_connections 64; }
http {
  log_format protocols '$status $server_protocol $scheme $uri';
  access_log logs/access.log protocols;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  ${server('%PORT%')}
  ${server('%PORT2% ssl', tls)}
  ${server('%PORT3% ssl', `${tls} http2 on;`)}
}`

if (chromiumMissing !== null) console.warn(`browsers are not tested: ${chromiumMissing}`)

describe.skipIf(chromiumMissing !== null)('a WebSocket of a browser', () => {
  let backend: Server
  let sockets: WebSocketServer
  let proxy: RunningProxy
  let authority: Authority
  let result: Result | null = null
  /** The version of HTTP that the page came by, as the backend is told. */
  let seen = ''

  beforeAll(async () => {
    backend = createServer((request, response) => {
      if (request.url === '/result') {
        let text = ''
        request.on('data', (chunk: Buffer) => (text += chunk))
        request.on('end', () => {
          result = JSON.parse(text) as Result
          response.end()
        })
        return
      }
      seen = String(request.headers['x-protocol'])
      response.setHeader('Content-Type', 'text/html')
      response.end(page(request.url!.replace(/^\/page/, '')))
    })
    sockets = new WebSocketServer({ server: backend, handleProtocols: () => 'echo.example' })
    sockets.on('connection', (socket) => {
      socket.on('message', (message, isBinary) => {
        socket.send(message, { binary: isBinary })
        if (!isBinary && String(message) === 'bye') socket.close(4001, 'as you wish')
      })
    })
    await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done))
    const vars = { BACKEND: `127.0.0.1:${(backend.address() as AddressInfo).port}` }
    authority = await Authority.create()
    const { certFile, keyFile } = await authority.issue('localhost', { names: ['127.0.0.1'] })
    proxy = await startWeir(conf(`ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};`), { vars })
  })
  afterAll(async () => {
    await Promise.all([proxy?.stop(), authority?.remove()])
    for (const socket of sockets.clients) socket.terminate()
    backend.closeAllConnections()
    backend.close()
  })

  it.each([
    ['with proxy_upgrade auto', 'http', 0, '/echo', 'HTTP/1.1'],
    ['with the fields that guides show', 'http', 0, '/guide/echo', 'HTTP/1.1'],
    ['over TLS', 'https', 1, '/echo', 'HTTP/1.1'],
    ['over TLS, with the fields that guides show', 'https', 1, '/guide/echo', 'HTTP/1.1'],
    ['over TLS, beside a page that comes by HTTP/2', 'https', 2, '/echo', 'HTTP/2.0'],
  ])('%s', { timeout: 60_000 }, async (_what, scheme, port, path, protocol) => {
    result = null
    seen = ''
    const browser = await Browser.open(`${scheme}://127.0.0.1:${proxy.ports[port]}/page${path}`)
    try {
      await eventually('the result', () => result !== null, 45_000).catch((error: Error) => {
        throw new Error(`${error.message}\n${browser.output}\n${proxy.errorLog}`)
      })
      expect(result).toEqual({
        messages: ['hello', 'grüß \u{1f600}', 'bye'],
        bytes: 200_000,
        protocol: 'echo.example',
        close: { code: 4001, reason: 'as you wish', clean: true },
        error: false,
      })
      expect(seen).toBe(protocol)
      await eventually('the access log', () => proxy.accessLog.includes(`101 HTTP/1.1 ${scheme} ${path}\n`))
    } finally {
      await browser.close()
    }
  })
})
