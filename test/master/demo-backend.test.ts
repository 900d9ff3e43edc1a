// The demo's backend on its own: what each of its answers shows.

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createBackend } from '../../src/master/demo/backend.ts'

let server: Server
let origin: string
beforeAll(async () => {
  server = createBackend('one')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test('any path answers with request line, fields in their own spelling, and body', async () => {
  const headers = { 'X-Real-IP': '192.0.2.1', Accept: '*/*' }
  const response = await fetch(`${origin}/a/b?c=%20d`, { method: 'POST', body: 'hello', headers })
  const text = await response.text()
  expect(response.headers.get('x-backend')).toBe('one')
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(text).toMatch(/^POST \/a\/b\?c=%20d HTTP\/1\.1\n/)
  expect(text).toContain('\nX-Real-IP: 192.0.2.1\n')
  expect(text).toMatch(/\n\nhello$/)
})

test('Accept: application/json gives the same as JSON', async () => {
  const headers = { Accept: 'application/json', 'X-Real-IP': '192.0.2.1' }
  const response = await fetch(`${origin}/a`, { method: 'PUT', body: 'hello', headers })
  const seen = (await response.json()) as Record<string, unknown>
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(seen).toMatchObject({ method: 'PUT', url: '/a', httpVersion: '1.1', length: 5, body: 'hello' })
  expect(seen.headers).toContain('X-Real-IP: 192.0.2.1')
})

test('a body above the limit is cut, and the rest counted', async () => {
  const body = Buffer.alloc(1024 * 1024 + 7, 'x')
  const text = await (await fetch(`${origin}/`, { method: 'POST', body })).text()
  expect(text).toMatch(/x\n\(7 more bytes\)\n$/)
})

test.each([
  ['/status/418', 418],
  ['/status/204', 204],
  ['/status/101', 400],
  ['/status/nonsense', 400],
])('%s answers %i', async (path, status) => {
  expect((await fetch(origin + path)).status).toBe(status)
})

test.each([0, 1, 65536, 65537, 1048576])('/bytes/%i has that length', async (count) => {
  const response = await fetch(`${origin}/bytes/${count}`)
  expect(response.headers.get('content-length')).toBe(`${count}`)
  expect((await response.arrayBuffer()).byteLength).toBe(count)
})

test('/slow answers like any path, later', async () => {
  expect(await (await fetch(`${origin}/slow?ms=1`)).text()).toMatch(/^GET \/slow\?ms=1 /)
})

test('/stream sends its lines without a length', async () => {
  const response = await fetch(`${origin}/stream?lines=2`)
  expect(response.headers.get('content-length')).toBeNull()
  expect(await response.text()).toBe('line 1 of 2\nline 2 of 2\n')
})

test('a WebSocket gets its messages back, text as text and bytes as bytes', async () => {
  const socket = new WebSocket(origin.replace('http', 'ws'))
  await once(socket, 'open')
  socket.send('hello')
  expect(await once(socket, 'message')).toEqual([Buffer.from('hello'), false])
  socket.send(Buffer.from([1, 2]))
  expect(await once(socket, 'message')).toEqual([Buffer.from([1, 2]), true])
  socket.close()
  await once(socket, 'close')
})
