// Bodies that come faster than anybody takes them: windows bound what is kept, of one stream and of many.

import { afterAll, expect, it } from 'vitest'
import { data, post } from '../../../support/http2-bytes.ts'
import type { Http2Raw } from '../../../support/http2-raw.ts'
import { PeerServer } from '../../../support/peer.ts'
import { eventually } from '../../../support/wait.ts'
import { nothingLeft, withHostileServer } from './setup.ts'

const peers = await PeerServer.start()
peers.paused = true
const server = withHostileServer(`
  client_max_body_size 0;
  location /peer { proxy_pass http://${peers.address}; proxy_request_buffering off; }
  location /bodiless { error_page 400 = /proxy; proxy_pass http://%HOLD%; }
  location /guarded { auth_request /hold; proxy_pass http://%BACKEND%; }
`)
afterAll(() => peers.stop())

const MIB = 1024 * 1024
const PART = Buffer.alloc(16_384, 'x')

/** What the client may send on a stream, as it has been told so far. */
function window(client: Http2Raw, stream: number): number {
  let first = 65_535
  const settings = client.find('SETTINGS', 0)!.payload
  for (let at = 0; at < settings.length; at += 6) {
    if (settings.readUInt16BE(at) === 4) first = settings.readUInt32BE(at + 2)
  }
  return client.frames
    .filter((one) => one.type === 'WINDOW_UPDATE' && one.stream === stream)
    .reduce((sum, one) => sum + one.payload.readUInt32BE(0), first)
}

/** Sends on a stream as long as its window opens; returns how much that was. */
async function pour(client: Http2Raw, stream: number, most: number): Promise<number> {
  let sent = 0
  for (let idle = 0; idle < 20 && sent < most; ) {
    const size = Math.min(PART.length, window(client, stream) - sent)
    if (size > 0) {
      await client.sendAll(data(stream, PART.subarray(0, size), 0))
      sent += size
      idle = 0
    } else {
      await client.pong()
      idle++
    }
  }
  return sent
}

it('a backend that reads nothing stops the client', async () => {
  const client = await server.connect()
  await client.pong()
  client.send(post(1, '/peer'))
  const sent = await pour(client, 1, 64 * MIB)
  // Sockets of the system hold some MiB.
  expect(sent).toBeLessThan(32 * MIB)
  client.destroy()
  peers.drop()
  await nothingLeft(server)
})

it('bodies that nobody has asked for yet are kept within their first windows', async () => {
  const client = await server.connect()
  await client.pong()
  const before = process.memoryUsage().arrayBuffers
  let sent = 0
  for (let stream = 1; stream < 200; stream += 2) {
    client.send(post(stream, '/guarded'))
    sent += await pour(client, stream, MIB)
  }
  expect(sent).toBeLessThan(100 * 70_000)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * MIB)
  client.destroy()
  await nothingLeft(server)
})

it('DATA of streams that were reset is thrown away, and the connection goes on', async () => {
  const client = await server.connect()
  await client.pong()
  client.send(post(1, '/stream', ['content-length', '5']))
  client.send(data(1, 'too much', 0))
  await client.frame('RST_STREAM', 1)
  const before = process.memoryUsage().arrayBuffers
  for (let count = 0; count < 64; count++) await client.sendAll(data(1, PART, 0))
  client.send(post(3, '/stream'), data(3, 'body'))
  expect((await client.response(3)).status).toBe(200)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB)
  client.destroy()
  await nothingLeft(server)
})

it('a body behind an answer that is complete is not taken in', async () => {
  const client = await server.connect()
  await client.pong()
  client.send(post(1, '/'))
  expect((await client.response(1)).status).toBe(200)
  await client.pong()
  for (let count = 0; count < 64; count++) await client.sendAll(data(1, PART, 0))
  await client.pong()
  expect(client.find('GOAWAY')).toBeUndefined()
  expect(window(client, 1)).toBeLessThan(MIB)
  client.destroy()
  await nothingLeft(server)
})

it('a body that was said to be none ends the request at its backend, also where another one answers', async () => {
  const client = await server.connect()
  client.send(post(1, '/bodiless', ['content-length', '0']))
  await eventually('the request', () => server.hold.current === 1)
  client.send(data(1, 'x', 0))
  expect((await client.response(1)).status).toBe(200)
  await eventually('its end', () => server.hold.current === 0)
  client.destroy()
  await nothingLeft(server)
})

it('frames that break off in the middle of DATA hold no more than has come', async () => {
  const before = process.memoryUsage().arrayBuffers
  const clients = await Promise.all(Array.from({ length: 50 }, () => server.connect()))
  // All but the last byte of the largest frames.
  for (const client of clients) client.send(post(1, '/guarded'), data(1, PART).subarray(0, -1))
  await eventually('requests', () => server.engine.stats.writing === clients.length)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB)
  for (const client of clients) client.destroy()
  await nothingLeft(server)
})
