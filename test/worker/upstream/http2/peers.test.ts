// HTTP/2 towards real backends: node:http2 by TLS and without, and HTTP/1 backends that are none.

import { once } from 'node:events'
import { createSecureServer, createServer, type Http2SecureServer, type Http2Server } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { Authority } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { RawBackend } from '../../../support/raw-backend.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function listen(server: Http2Server | Http2SecureServer): Promise<number> {
  server.on('request', (request, response) => {
    let bytes = 0
    request.on('data', (part: Buffer) => (bytes += part.length))
    request.on('end', () => {
      response.setHeader('x-protocol', request.httpVersion)
      response.end(`${request.method} ${request.url} ${bytes} ${'.'.repeat(200_000)}`)
    })
  })
  server.on('session', (session) => closers.push(() => session.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => (server as Server).close())
  return (server.address() as AddressInfo).port
}

async function start(body: string): Promise<string> {
  const engine = await TestEngine.start(serverConf(`proxy_http_version 2; ${body}`))
  closers.push(() => engine.stop())
  return `http://127.0.0.1:${engine.port}`
}

it('node:http2 is asked and answers', async () => {
  const port = await listen(createServer())
  const base = await start(`location / { proxy_pass http://127.0.0.1:${port}; }`)
  for (let count = 0; count < 3; count++) {
    const response = await fetch(`${base}/a?b=c`, { method: 'POST', body: 'x'.repeat(100_000) })
    expect([response.status, response.headers.get('x-protocol')]).toEqual([200, '2.0'])
    expect(await response.text()).toBe(`POST /a?b=c 100000 ${'.'.repeat(200_000)}`)
  }
  const head = await fetch(`${base}/a`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

it('a head that is longer than a frame arrives whole', async () => {
  const server = createServer()
  const port = await listen(server)
  const lengths: number[] = []
  server.on('request', ({ headers }) => lengths.push(String(headers['x-long']).length))
  const base = await start(
    `large_client_header_buffers 4 64k; location / { proxy_pass http://127.0.0.1:${port}; }`,
  )
  // The code of this character has eight bits: Huffman makes nothing shorter of it.
  const response = await fetch(base, { headers: { 'x-long': 'X'.repeat(40_000) } })
  expect([response.status, lengths]).toEqual([200, [40_000]])
})

it('node:http2 by TLS is offered h2 and nothing else', async () => {
  const authority = await Authority.create()
  closers.push(() => authority.remove())
  const { cert, key } = await authority.issue('a.test')
  const offered: string[][] = []
  const port = await listen(
    createSecureServer({
      cert,
      key,
      ALPNCallback({ protocols }) {
        offered.push(protocols)
        return 'h2'
      },
    }),
  )
  const base = await start(`location / { proxy_pass https://127.0.0.1:${port}; }`)
  const response = await fetch(`${base}/a`)
  expect(await response.text()).toBe(`GET /a 0 ${'.'.repeat(200_000)}`)
  expect(offered).toEqual([['h2']])
})

it('a backend that speaks HTTP/1 only is 502', async () => {
  const backend = await RawBackend.start()
  backend.answer = { bytes: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', when: 'connect' }
  closers.push(() => backend.stop())
  const base = await start(`location / { proxy_pass http://127.0.0.1:${backend.port}; }`)
  expect((await fetch(base)).status).toBe(502)
})
