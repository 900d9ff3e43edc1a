// What an upgraded connection costs at most in memory, as README has it: one that waits, and one on which both sides send
// and neither reads.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { Peer, PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const KB = 1024
const MB = 1024 * KB
/** README: with its part of the heap; what waits to be taken, in each direction. */
const WAITING = 32 * KB
const UNTAKEN = 256 * KB
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'

let backend: PeerServer
let engine: TestEngine
const ends: Peer[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  const conf = serverConf('location / { proxy_pass http://%BACKEND%; }')
  engine = await TestEngine.start(conf, { BACKEND: backend.address })
})
afterEach(async () => {
  for (const end of ends.splice(0)) end.destroy(true)
  backend.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that are alive: those of buffers, and with `heap` those of the heap. */
function held(heap: boolean): number {
  collect()
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + (heap ? heapUsed : 0)
}

async function tunnel(): Promise<{ client: Peer; peer: Peer }> {
  const client = await Peer.connect(engine.port, { keep: false })
  ends.push(client)
  await client.send(UPGRADE)
  const peer = await backend.next()
  await peer.head()
  await peer.send(SWITCH)
  await client.when('the head', () => client.count > 0)
  return { client, peer }
}

it('one that waits', async () => {
  await tunnel()
  const before = held(true)
  const count = 200
  for (let index = 0; index < count; index++) await tunnel()
  // Both ends of each are in this process too.
  expect((held(true) - before) / count).toBeLessThan(WAITING)
})

it('one on which both sides send and neither reads', async () => {
  const count = 10
  const tunnels: { client: Peer; peer: Peer }[] = []
  for (let index = 0; index < count; index++) tunnels.push(await tunnel())
  const all = tunnels.flatMap(({ client, peer }) => [client, peer])
  for (const { socket } of all) socket.pause()
  const piece = Buffer.alloc(MB, 'x')
  const before = held(false)
  for (const { socket } of all) for (let index = 0; index < 32; index++) socket.write(piece)
  let last = -1
  let still = 0
  await eventually('standstill', () => {
    const now = all.reduce((sum, { socket }) => sum + socket.writableLength, 0)
    still = now === last ? still + 1 : 0
    last = now
    return still > 20
  })
  expect(last).toBeGreaterThan(count * MB)
  expect((held(false) - before) / count).toBeLessThan(2 * UNTAKEN)
})
