// How responses leave: several of them in one piece, content as the windows and the connection have room for it, and
// backends waiting where they have none.

import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import {
  data,
  get,
  INITIAL_WINDOW_SIZE,
  MAX_FRAME_SIZE,
  PREFACE,
  post,
  settings,
  windowUpdate,
} from '../../support/http2-bytes.ts'
import { Http2Raw } from '../../support/http2-raw.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { eventually } from '../../support/wait.ts'

const LARGE = randomBytes(3_000_000)
const DIGEST = createHash('sha256').update(LARGE).digest('hex')

const CONF = serverConf(`
  http2 on;
  root %FOLDER%;
  client_max_body_size 0;
  proxy_max_temp_file_size 0;
  location / { return 200 ok; }
  location /file { }
  location /proxy { proxy_pass http://%BACKEND%; }
  location /slow { proxy_request_buffering off; proxy_pass http://127.0.0.1:%SLOW%; }
  location /stream { proxy_pass http://%BACKEND%; proxy_buffering off; proxy_request_buffering off; }
`)

let engine: TestEngine
let backend: RawBackend
/** A backend that reads when it is told to. */
let slow: Server
const slowSockets: Socket[] = []

beforeAll(async () => {
  backend = await RawBackend.start()
  slow = createServer({ pauseOnConnect: true }, (socket) => slowSockets.push(socket))
  await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done))
  const { port } = slow.address() as AddressInfo
  engine = await TestEngine.start(CONF, { BACKEND: backend.address, SLOW: port })
  writeFileSync(join(engine.folder, 'file'), LARGE)
  writeFileSync(join(engine.folder, 'file-small'), LARGE.subarray(0, 1000))
})
afterAll(async () => {
  await engine.stop()
  await backend.stop()
  for (const socket of slowSockets) socket.destroy()
  slow.close()
})

const digest = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex')

/** Frames in what a transport was given: type, stream, flags, length of each. */
function framesOf(sent: string): { type: number; flags: number; stream: number; length: number }[] {
  const bytes = Buffer.from(sent, 'latin1')
  const frames = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3)
    frames.push({ type: bytes[at + 3]!, flags: bytes[at + 4]!, stream: bytes.readUInt32BE(at + 5), length })
    at += 9 + length
  }
  return frames
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(() => setImmediate(done)))

async function leave({ transport }: MemoryClient): Promise<void> {
  transport.break()
  await turn()
}

describe('one piece', () => {
  it('responses made in one turn leave together, each head with its content', async () => {
    const client = engine.connect()
    const { transport } = client
    transport.receive(Buffer.concat([PREFACE, settings()]))
    await turn()
    const before = transport.sends.length
    const [length] = [transport.sent.length]
    transport.receive(Buffer.concat([get(1), get(3), get(5)]))
    await turn()
    expect(transport.sends.length).toBe(before + 1)
    const frames = framesOf(transport.sent.slice(length))
    expect(frames.map(({ type, stream, flags }) => [type, stream, flags])).toEqual([
      [1, 1, 4],
      [0, 1, 1],
      [1, 3, 4],
      [0, 3, 1],
      [1, 5, 4],
      [0, 5, 1],
    ])
    await leave(client)
  })

  it('a request whose body comes in the same piece is not reset for having been answered before it', async () => {
    const client = engine.connect()
    const { transport } = client
    transport.receive(Buffer.concat([PREFACE, settings(), post(1), data(1, 'body'), post(3)]))
    await turn()
    const resets = framesOf(transport.sent).filter(({ type }) => type === 3)
    // The third stream's body has not come: NO_ERROR tells the client to keep it.
    expect(resets.map(({ stream }) => stream)).toEqual([3])
    expect(transport.sent.endsWith('\0\0\x04\x03\0\0\0\0\x03\0\0\0\0')).toBe(true)
    await leave(client)
  })
})

describe('windows of the client', () => {
  it.each(['/file', '/proxy', '/stream'])(
    '%s goes out as far as they are open, and no further',
    async (path) => {
      backend.reset(
        Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\n\r\n`), LARGE]),
      )
      const client = await Http2Raw.connect(engine.port, {
        windows: 'as they are',
        settings: [[INITIAL_WINDOW_SIZE, 100_000]],
      })
      client.send(get(1, path))
      // The connection's window is the smaller one.
      await client.when('65535 bytes', () => client.received >= 65_535)
      await client.pong()
      expect(client.received).toBe(65_535)
      client.send(windowUpdate(0, 1_000_000))
      await client.when('100000 bytes', () => client.received >= 100_000)
      await client.pong()
      expect(client.received).toBe(100_000)
      client.send(windowUpdate(1, 1))
      await client.when('one more', () => client.received > 100_000)
      await client.pong()
      expect(client.received).toBe(100_001)
      client.send(settings([INITIAL_WINDOW_SIZE, 2 ** 30]), windowUpdate(0, 2 ** 30))
      expect(digest((await client.response(1)).body)).toBe(DIGEST)
      client.destroy()
    },
  )

  it('a response that waits for its window holds up no other', async () => {
    const client = await Http2Raw.connect(engine.port, {
      windows: 'as they are',
      settings: [[INITIAL_WINDOW_SIZE, 0]],
    })
    client.send(get(1, '/file-small'), get(3, '/file-small'), windowUpdate(3, 5000))
    expect((await client.response(3)).length).toBe(1000)
    expect(client.responses.get(1)!.ended).toBe(false)
    client.send(windowUpdate(1, 5000))
    expect((await client.response(1)).length).toBe(1000)
    client.destroy()
  })

  it('a SETTINGS_INITIAL_WINDOW_SIZE that becomes smaller is paid back first', async () => {
    const client = await Http2Raw.connect(engine.port, {
      windows: 'as they are',
      settings: [[INITIAL_WINDOW_SIZE, 500]],
    })
    client.send(get(1, '/file-small'))
    await client.when('500 bytes', () => client.received === 500)
    client.send(settings([INITIAL_WINDOW_SIZE, 100]), windowUpdate(1, 450))
    await client.pong()
    expect(client.received).toBe(550)
    client.send(windowUpdate(1, 450))
    expect((await client.response(1)).length).toBe(1000)
    client.destroy()
  })

  it('frames are as long as http2_chunk_size, whatever the client would take', async () => {
    const client = await Http2Raw.connect(engine.port, { settings: [[MAX_FRAME_SIZE, 1_000_000]] })
    client.send(get(1, '/file'))
    await client.response(1)
    const lengths = client.frames.filter(({ type }) => type === 'DATA').map(({ payload }) => payload.length)
    expect(Math.max(...lengths)).toBe(8192)
    client.destroy()
  })
})

describe('a client that does not read', () => {
  it('stops what is sent, until it reads on', async () => {
    const client = engine.connect()
    const { transport } = client
    const open = settings([INITIAL_WINDOW_SIZE, 2 ** 30])
    transport.receive(Buffer.concat([PREFACE, open, windowUpdate(0, 2 ** 30)]))
    await turn()
    transport.room = false
    transport.receive(get(1, '/file'))
    await eventually('some of the file', () => transport.sent.length > 20_000)
    await turn()
    const before = transport.sent.length
    expect(before).toBeLessThan(1_200_000)
    await turn()
    expect(transport.sent.length).toBe(before)
    transport.drain()
    await eventually('the file', () => transport.sent.length > LARGE.length)
    await leave(client)
  })
})

describe('windows of ours', () => {
  it.each(['/proxy', '/stream'])('%s takes a large body with few window updates', async (path) => {
    backend.reset()
    const client = await Http2Raw.connect(engine.port)
    client.send(post(1, path, ['content-length', String(LARGE.length)]))
    let room = 65_536
    let updates = 0
    for (let at = 0; at < LARGE.length; ) {
      await client.when('room', () => {
        const all = client.frames.filter(({ type, stream }) => type === 'WINDOW_UPDATE' && stream === 1)
        room += all.slice(updates).reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)
        updates = all.length
        return room >= 16_384 || room >= LARGE.length - at
      })
      const end = Math.min(LARGE.length, at + Math.min(16_384, room))
      client.send(data(1, LARGE.subarray(at, end), end === LARGE.length ? 1 : 0))
      room -= end - at
      at = end
    }
    expect((await client.response(1)).status).toBe(200)
    const { bytes } = backend.requests[0]!
    expect(
      createHash('sha256')
        .update(bytes.subarray(bytes.length - LARGE.length))
        .digest('hex'),
    ).toBe(DIGEST)
    expect(updates).toBeLessThan((2 * LARGE.length) / 65_536 + 2)
    // A long body that is taken gets a larger window.
    const opened = client.frames.filter(({ type, stream }) => type === 'WINDOW_UPDATE' && stream === 1)
    const all = opened.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_536)
    expect(all - LARGE.length).toBeGreaterThan(300_000)
    expect(all - LARGE.length).toBeLessThan(1_200_000)
    client.destroy()
  })

  it('content that the backend does not take stops the client, until it does', async () => {
    let taken = 0
    const client = await Http2Raw.connect(engine.port)
    client.send(post(1, '/slow'))
    const piece = data(1, Buffer.alloc(16_384), 0)
    let room = 65_536
    let sent = 0
    const updates = () => client.frames.filter(({ type, stream }) => type === 'WINDOW_UPDATE' && stream === 1)
    for (;;) {
      while (room - sent >= 16_384) {
        client.send(piece)
        sent += 16_384
      }
      await client.pong()
      const opened = updates().reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_536)
      if (opened === room) break
      room = opened
    }
    // What the sockets on the way hold, and the window.
    expect(sent).toBeLessThan(64_000_000)
    slowSockets[0]!.on('data', (bytes) => (taken += bytes.length)).resume()
    await client.when(
      'room',
      () => updates().reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_536) > room,
    )
    await eventually('the content', () => taken > sent - 65_536)
    client.destroy()
  })
})
