// What a connection of HTTP/2 may cost at most in memory, as README has it.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { HoldingBackend } from '../../support/holding-backend.ts'
import { data, get, headers, PREFACE, post, settings, settingsAck } from '../../support/http2-bytes.ts'

const KIB = 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

let engine: TestEngine
let hold: HoldingBackend

beforeAll(async () => {
  hold = await HoldingBackend.start()
  const body = `http2 on; location / { return 200 ok; }
    location /hold { proxy_pass http://%HOLD%; }
    location /guarded { auth_request /hold; proxy_pass http://%HOLD%; }`
  engine = await TestEngine.start(serverConf(body), { HOLD: hold.address })
})
afterAll(async () => {
  await engine.stop()
  await hold.stop()
})

const turns = async (): Promise<void> => {
  for (let count = 0; count < 5; count++) await new Promise((done) => setImmediate(done))
}

/** Bytes in use once what is of no use is gone. */
async function used(): Promise<number> {
  await turns()
  for (let count = 0; count < 3; count++) collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function costOf(count: number, make: () => Promise<MemoryClient>): Promise<number> {
  const clients = [await make()]
  const before = await used()
  for (let index = 0; index < count; index++) clients.push(await make())
  const cost = ((await used()) - before) / count
  for (const { transport } of clients) transport.break()
  await turns()
  return cost
}

async function connected(): Promise<MemoryClient> {
  const client = engine.connect()
  client.transport.receive(Buffer.concat([PREFACE, settings(), settingsAck()]))
  await turns()
  return client
}

it('a connection that waits', async () => {
  const make = async (): Promise<MemoryClient> => {
    const client = await connected()
    client.transport.receive(get(1))
    await turns()
    return client
  }
  expect(await costOf(200, make)).toBeLessThan(12 * KIB)
})

it('a header block that is not complete', async () => {
  const make = async (): Promise<MemoryClient> => {
    const client = await connected()
    client.transport.receive(headers(1, Buffer.alloc(16_000, 0x82), 1))
    for (let count = 0; count < 3; count++) {
      client.transport.receive(
        Buffer.concat([Buffer.from([0, 0x3e, 0x80, 9, 0, 0, 0, 0, 1]), Buffer.alloc(16_000)]),
      )
    }
    return client
  }
  expect(await costOf(8, make)).toBeLessThan(160 * KIB)
})

it('bodies that nobody has asked for, in the smallest pieces', async () => {
  const piece = Buffer.concat(Array<Buffer>(512).fill(data(1, 'x', 0)))
  const make = async (): Promise<MemoryClient> => {
    const client = await connected()
    client.transport.receive(post(1, '/guarded'))
    for (let count = 0; count < 128; count++) client.transport.receive(Buffer.from(piece))
    await turns()
    return client
  }
  // Twice http2_body_preread_size, beside the request itself.
  expect(await costOf(4, make)).toBeLessThan(256 * KIB)
})
