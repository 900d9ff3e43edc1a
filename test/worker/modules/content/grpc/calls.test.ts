// gRPC calls of every kind through weir, from @grpc/grpc-js to @grpc/grpc-js.

import { once } from 'node:events'
import { Metadata, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { type GrpcBackend, GrpcClient, startGrpcBackend } from '../../../../support/grpc.ts'
import { eventually } from '../../../../support/wait.ts'

let backend: GrpcBackend
let engine: TestEngine
let client: GrpcClient

beforeEach(async () => {
  backend = await startGrpcBackend()
  engine = await TestEngine.start(
    serverConf(
      `http2 on; client_max_body_size 0; location / { grpc_pass grpc://127.0.0.1:${backend.port}; }`,
    ),
  )
  client = new GrpcClient(`127.0.0.1:${engine.port}`)
})
afterEach(async () => {
  client.close()
  await engine.stop()
  backend.stop()
})

describe('a call', () => {
  it('of one message is answered, with its metadata and trailers', async () => {
    const metadata = new Metadata()
    metadata.set('x-from-client', 'hello')
    expect(await client.unary('a message', 10_000, metadata)).toMatchObject({
      code: status.OK,
      messages: ['a message'],
      trailers: { 'x-trailer': 'behind' },
    })
    expect(backend.calls[0]!.get('x-from-client')).toEqual(['hello'])
  })

  it('that fails has the status and words of the backend', async () => {
    expect(await client.unary('fail 5 no such thing')).toMatchObject({
      code: status.NOT_FOUND,
      details: 'no such thing',
      messages: [],
    })
  })

  it('with many messages to the backend arrives whole', async () => {
    const parts = Array.from({ length: 50 }, (_, index) => Buffer.alloc(100_000, index))
    expect(await client.upload(parts)).toMatchObject({ code: status.OK, messages: ['5000000'] })
  })

  it('with many messages from the backend arrives whole', async () => {
    let bytes = 0
    const call = client.download(3000)
    call.on('data', (part: Buffer) => (bytes += part.length))
    const [ended] = await once(call, 'status')
    expect([ended.code, bytes]).toEqual([status.OK, 3_000_000])
  })

  it('that goes both ways is answered message by message', async () => {
    const call = client.talk()
    for (const text of ['one', 'two', 'three']) {
      call.write(Buffer.from(text))
      const [reply] = await once(call, 'data')
      expect(reply.toString()).toBe(`re: ${text}`)
    }
    call.end()
    const [ended] = await once(call.resume(), 'status')
    expect(ended.code).toBe(status.OK)
  })

  it('beside a hundred others is answered with its own', async () => {
    const calls = Array.from({ length: 100 }, (_, index) => client.unary(`message ${index}`))
    const outcomes = await Promise.all(calls)
    expect(outcomes.map(({ messages }) => messages[0])).toEqual(calls.map((_, index) => `message ${index}`))
    await eventually('connections at rest', () => engine.stats.upstream <= 32)
  })

  it('whose client takes nothing is held back at the backend', async () => {
    const call = client.download(100_000)
    call.on('error', () => {})
    await once(call, 'readable')
    // A later call of the same client is answered, and the messages of this one still wait.
    for (let count = 0; count < 20; count++) await client.unary('a message')
    expect(backend.sent).toBeLessThan(50_000)
    call.cancel()
    await eventually('the end at the backend', () => backend.cancelled.includes('download'))
  })

  it('whose deadline passes is given up at the backend', async () => {
    expect(await client.unary('silence', 300)).toMatchObject({ code: status.DEADLINE_EXCEEDED })
    await eventually('the end at the backend', () => backend.cancelled.includes('unary'))
  })

  it('that the client cancels is given up at the backend', async () => {
    const call = client.talk()
    call.on('error', () => {})
    call.write(Buffer.from('one'))
    await once(call, 'data')
    call.cancel()
    await eventually('the end at the backend', () => backend.cancelled.includes('talk'))
  })
})

it('a backend that nobody is at is 14 UNAVAILABLE to the client', async () => {
  backend.stop()
  expect(await client.unary('a message')).toMatchObject({ code: status.UNAVAILABLE })
})
