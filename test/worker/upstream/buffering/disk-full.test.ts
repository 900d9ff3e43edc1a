// A disk that is full while a response is kept on it.

import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { PeerServer } from '../../../support/peer.ts'
import { eventually } from '../../../support/wait.ts'

const disk = vi.hoisted(() => ({ room: 100_000 }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  type Done = (error: NodeJS.ErrnoException | null, count: number) => void
  const writev = (descriptor: number, pieces: Buffer[], position: number, done: Done): void => {
    if (disk.room <= 0) {
      const error = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', errno: -28, syscall: 'write' })
      return void setImmediate(() => done(error, 0))
    }
    // As a system does: it takes what fits, and tells of the end next time.
    const bytes = Buffer.concat(pieces).subarray(0, disk.room)
    disk.room -= bytes.length
    fs.writev(descriptor, [bytes], position, done)
  }
  return { ...fs, writev, default: { ...fs, writev } }
})

let backend: PeerServer
let engine: TestEngine

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf('location / { proxy_pass http://%BACKEND%; }'), {
    BACKEND: backend.address,
  })
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

it('ends the response with a line of nginx, and frees everything', async () => {
  const client = engine.connect()
  client.transport.room = false
  client.transport.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await backend.next()
  await peer.head()
  void peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n${'x'.repeat(3_000_000)}`)
  const words =
    /\[crit\] .*pwritev?\(\) ".*\/\d{10}" failed \(28: No space left on device\) while reading upstream, client/
  await eventually('line', () => words.test(engine.errorLog))
  await peer.untilClosed().catch(() => {})
  client.transport.drain()
  await eventually('end of the connection', () => client.gone)
  expect((await engine.logged(1))[0]).toMatch(/^200 GET \/ \d+$/)
  expect(engine.stats.upstream).toBe(0)
})
