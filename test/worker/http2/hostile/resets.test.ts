// Streams that are opened and given up in great number: by the client (CVE-2023-44487), and by the server whom the
// client brings to it (CVE-2025-8671). What was started for them is stopped, and the connection does not last.

import { expect, it } from 'vitest'
import { data, frame, get, headers, post, rstStream, windowUpdate } from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import { flood, nothingLeft, withHostileServer } from './setup.ts'

const server = withHostileServer()

/** Streams to a write, and writes: more than any client has a reason for. */
const BATCH = 100
const MOST = 200

const ATTACKS: [name: string, one: (stream: number) => Buffer[]][] = [
  ['resets each', (stream) => [get(stream, '/hold'), rstStream(stream)]],
  [
    'resets each in the middle of its body',
    (stream) => [post(stream, '/stream'), data(stream, 'x', 0), rstStream(stream)],
  ],
  ['resets each with an answer of our own', (stream) => [get(stream, '/files/none'), rstStream(stream)]],
  [
    'makes the server reset each by a window update of 0',
    (stream) => [get(stream, '/hold'), windowUpdate(stream, 0)],
  ],
  [
    'makes the server reset each by a window too large',
    (stream) => [get(stream, '/hold'), windowUpdate(stream, 2 ** 31 - 1)],
  ],
  [
    'makes the server reset each by DATA behind its end',
    (stream) => [get(stream, '/hold'), data(stream, 'x')],
  ],
  [
    'makes the server reset each by HEADERS behind its end',
    (stream) => [get(stream, '/hold'), headers(stream, block(['a', 'b']))],
  ],
  [
    'makes the server reset each by PRIORITY of a wrong size',
    (stream) => [get(stream, '/hold'), frame('PRIORITY', 0, stream, '1234')],
  ],
  [
    'makes the server reset each by a body of a wrong length',
    (stream) => [post(stream, '/stream', ['content-length', '3']), data(stream, 'x', 0), data(stream, 'xyz')],
  ],
  ['has more of them refused', (stream) => [get(stream, '/hold')]],
]

it.each(ATTACKS)('a client that opens streams and %s is stopped', { timeout: 30_000 }, async (_name, one) => {
  const { hold } = server
  hold.most = 0
  const client = await server.connect()
  const batches = await flood(server, client, MOST, (number) => {
    const first = 2 * BATCH * number + 1
    return Buffer.concat(Array.from({ length: BATCH }, (_, index) => one(first + 2 * index)).flat())
  })
  expect(batches).toBeLessThan(MOST)
  // The default of http2_max_concurrent_streams; what has been given up takes a moment to be gone at the backend.
  expect(hold.most).toBeLessThan(1000)
  client.destroy()
  const goaway = client.lastGoaway()
  if (goaway !== null)
    expect(goaway.code).toMatch(/ENHANCE_YOUR_CALM|PROTOCOL_ERROR|STREAM_CLOSED|FRAME_SIZE_ERROR/)
  await nothingLeft(server)
})

it('a client that now and then cancels what it has asked for is served on', async () => {
  const client = await server.connect()
  for (let stream = 1; stream < 1200; stream += 6) {
    client.send(get(stream, '/hold'), rstStream(stream), get(stream + 2))
    expect((await client.response(stream + 2)).status).toBe(200)
  }
  expect(client.find('GOAWAY')).toBeUndefined()
  client.destroy()
  await nothingLeft(server)
})
