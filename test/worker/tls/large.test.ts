// Large responses over TLS: a client that reads keeps up, whatever OpenSSL does between two turns, so nothing of them is
// kept in files; one that does not read leaves its backend free all the same.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Authority } from '../../support/certificates.ts'
import { TestEngine } from '../../support/engine.ts'
import { eventually } from '../../support/wait.ts'

const SIZE = 8 * 1024 * 1024
const content = Buffer.alloc(SIZE)
for (let at = 0; at < SIZE; at += 4) content.writeUInt32LE(at, at)
const DIGEST = createHash('sha1').update(content).digest('hex')

let authority: Authority
let backend: Server
let engine: TestEngine
/** Responses that the backend has handed over whole. */
let finished = 0

beforeAll(async () => {
  authority = await Authority.create()
  const { certFile, keyFile } = await authority.issue('localhost')
  backend = createServer((_request, response) => {
    response.on('finish', () => finished++)
    response.end(content)
  }).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const { port } = backend.address() as AddressInfo
  engine = await TestEngine.start(
    `error_log logs/error.log info; events {} http { access_log off; server { listen 127.0.0.1:%PORT% ssl; http2 on;
      ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};
      location / { proxy_pass http://127.0.0.1:${port}; } } }`,
  )
})
afterEach(() => {
  finished = 0
})
afterAll(async () => {
  backend.closeAllConnections()
  backend.close()
  await engine.stop()
  await authority.remove()
})

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

describe('a large response over TLS', () => {
  it('arrives unharmed, and nothing of it is kept in a file', async () => {
    const socket = connect({
      port: engine.port,
      host: '127.0.0.1',
      ca: authority.cert,
      servername: 'localhost',
    })
    socket.write(REQUEST)
    const pieces: Buffer[] = []
    socket.on('data', (bytes: Buffer) => pieces.push(bytes))
    await once(socket, 'end')
    socket.end()
    const all = Buffer.concat(pieces)
    const body = all.subarray(all.indexOf('\r\n\r\n') + 4)
    expect(createHash('sha1').update(body).digest('hex')).toBe(DIGEST)
    expect(engine.errorLog).not.toContain('buffered to a temporary file')
  })

  it('arrives unharmed by HTTP/2 too', async () => {
    const session = connectHttp2(`https://localhost:${engine.port}`, { ca: authority.cert })
    const stream = session.request({ ':path': '/' })
    const hash = createHash('sha1')
    stream.on('data', (bytes: Buffer) => hash.update(bytes))
    await once(stream, 'end')
    session.close()
    expect(hash.digest('hex')).toBe(DIGEST)
  })

  it('that its client does not read leaves the backend free', async () => {
    const socket = connect({
      port: engine.port,
      host: '127.0.0.1',
      ca: authority.cert,
      servername: 'localhost',
    })
    await once(socket, 'secureConnect')
    socket.pause()
    socket.write(REQUEST)
    await eventually('the end of the backend', () => finished === 1)
    const hash = createHash('sha1')
    let head = ''
    socket.on('data', (bytes: Buffer) => {
      if (head.includes('\r\n\r\n')) return hash.update(bytes)
      const text = head + bytes.toString('latin1')
      const end = text.indexOf('\r\n\r\n') + 4
      if (end >= 4) hash.update(bytes.subarray(end - head.length))
      head = text
    })
    socket.resume()
    await once(socket, 'end')
    socket.end()
    expect(hash.digest('hex')).toBe(DIGEST)
  })
})
