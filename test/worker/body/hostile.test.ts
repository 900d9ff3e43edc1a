// Bodies made to cost more than they are worth, and a disk without room.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { removeFolder, temporaryFolder } from '../../support/temporary.ts'
import { eventually } from '../../support/wait.ts'

let backend: PeerServer
let engine: TestEngine
let client: MemoryClient

beforeEach(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(`
      location / { proxy_pass http://%BACKEND%; client_max_body_size 100k; client_body_buffer_size 16k; }
      location /pass { proxy_pass http://%BACKEND%; client_max_body_size 100k; proxy_request_buffering off; }`),
    { BACKEND: backend.address },
  )
  client = engine.connect()
})
afterEach(async () => {
  client.transport.break()
  backend.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
  await engine.stop()
  await backend.stop()
})

const head = (target: string) => `POST ${target} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`

async function answered(status: number): Promise<void> {
  await eventually(`answer ${status}`, () => client.transport.sent.startsWith(`HTTP/1.1 ${status} `))
}

async function feed(bytes: string): Promise<void> {
  await eventually('room', () => client.transport.reading || client.transport.sent !== '')
  if (client.transport.sent === '') client.transport.receive(bytes)
}

describe('a body in chunks', () => {
  it.each([1, 1000])('of 10 000 bytes, %s at a time, is one body of that length', async (together) => {
    client.transport.receive(head('/'))
    for (let sent = 0; sent < 10_000; sent += together) {
      client.transport.receive(`1\r\n${String(sent % 10)}\r\n`.repeat(together))
    }
    expect(backend.accepted).toBe(0)
    client.transport.receive('0\r\n\r\n')
    const peer = await backend.next()
    await peer.when('whole request', () => peer.received.split('\r\n\r\n')[1]?.length === 10_000)
    expect(peer.received).toContain('\r\nContent-Length: 10000\r\n')
  })

  it.each(['/', '/pass'])('that never ends is refused when it is too large (%s)', async (target) => {
    client.transport.receive(head(target))
    let chunks = 0
    for (; client.transport.sent === '' && chunks < 1000; chunks++)
      await feed(`400\r\n${'x'.repeat(1024)}\r\n`)
    await answered(413)
    expect(chunks).toBe(101)
    expect(engine.errorLog).toContain('client intended to send too large chunked body: 102400+1024 bytes')
  })

  it.each(['/', '/pass'])(
    'of one chunk that is announced too large is refused at its first byte (%s)',
    async (target) => {
      client.transport.receive(`${head(target)}fffffffff\r\n`)
      expect(client.transport.sent).toBe('')
      client.transport.receive('x')
      await answered(413)
      expect(backend.received).not.toContain('x\r\n')
    },
  )

  it.each(['/', '/pass'])('with extensions that do not end is refused (%s)', async (target) => {
    client.transport.receive(`${head(target)}5;`)
    for (let index = 0; index < 5 && client.transport.sent === ''; index++) await feed('a=b;'.repeat(256))
    await answered(400)
  })
})

describe('a length', () => {
  it('that is too large is refused before anything is read or asked for', async () => {
    client.transport.receive(
      'POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 102401\r\n\r\n',
    )
    await answered(413)
    expect(engine.errorLog).toContain('client intended to send too large body: 102401 bytes, client: ')
    expect(backend.accepted).toBe(0)
  })
})

describe('a disk without room', () => {
  it('ends the request with 500, and leaves nothing', async ({ skip }) => {
    const folder = await temporaryFolder()
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk]).status !== 0) {
      await removeFolder(folder)
      skip('no small file system can be mounted here')
    }
    try {
      engine.load(
        serverConf(
          `location / { proxy_pass http://%BACKEND%; client_max_body_size 0; client_body_temp_path ${disk}; }`,
        ),
      )
      client.transport.break()
      client = engine.connect()
      client.transport.receive('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 400000\r\n\r\n')
      for (let at = 0; at < 400_000; at += 100_000) await feed('x'.repeat(100_000))
      await answered(500)
      expect(engine.errorLog).toMatch(
        /\[crit\] .* pwrite\(\) "\S+" failed \(28: No space left on device\), client: /,
      )
      expect(backend.accepted).toBe(0)
      expect(readdirSync(disk)).toEqual([])
      await eventually('room on the disk again', () => spawnSync('umount', [disk]).status === 0)
    } finally {
      spawnSync('umount', [disk])
      await removeFolder(folder)
    }
  })
})
