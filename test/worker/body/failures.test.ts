// Bodies whose file cannot be made or written, and clients that leave while one is in use: status, log line, and that
// nothing is left over, neither descriptors nor files.

import { readdirSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const LOCATIONS = `
  client_body_buffer_size 8k;
  client_max_body_size 0;
  location / { proxy_pass http://%BACKEND%; }
  location /only { client_body_in_file_only on; proxy_pass http://%BACKEND%; }
  location /clean { client_body_in_file_only clean; proxy_pass http://%BACKEND%; }
  location /levels { client_body_temp_path levels 1 2; proxy_pass http://%BACKEND%; }
  location /blocked { client_body_temp_path blocked 1; proxy_pass http://%BACKEND%; }
  location /page { error_page 500 = @page; client_body_temp_path gone; proxy_pass http://%BACKEND%; }
  location @page { proxy_pass http://%BACKEND%; }
`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const BODY = 'x'.repeat(100_000)

let backend: PeerServer
let engine: TestEngine
let client: MemoryClient

beforeEach(async () => {
  backend = await PeerServer.start()
  const conf = serverConf(LOCATIONS)
  engine = await TestEngine.start(conf, { BACKEND: backend.address })
  client = engine.connect()
})
afterEach(async () => {
  client.transport.break()
  backend.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
  await engine.stop()
  await backend.stop()
})

const folder = (name = 'client_body_temp') => join(engine.folder, name)
const files = (name?: string) => readdirSync(folder(name))

/** Descriptors of this process to files in the engine's folder other than logs. */
function open(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(engine.folder) && !path.includes('/logs/') ? [path] : []
    } catch {
      return []
    }
  })
}

function send(target: string, body = BODY, length = body.length): void {
  client.transport.receive(`POST ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n`)
  for (let at = 0; at < body.length; at += 10_000) client.transport.receive(body.slice(at, at + 10_000))
}

/** As `send`, a body that waits for the engine to read on. */
async function sendMuch(length: number): Promise<void> {
  client.transport.receive(`POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n`)
  for (let at = 0; at < length; at += 1_000_000) {
    await eventually('room', () => client.transport.reading)
    client.transport.receive('x'.repeat(1_000_000))
  }
}

async function answered(status: number): Promise<void> {
  await eventually(`answer ${status}`, () => client.transport.sent.startsWith(`HTTP/1.1 ${status} `))
}

async function passesOn(): Promise<void> {
  const peer = await backend.next()
  await peer.when('whole request', () => peer.received.endsWith(BODY))
  await peer.send(OK)
  await answered(200)
}

async function nothingLeft(name?: string): Promise<void> {
  await eventually('closed files', () => open().length === 0)
  expect(files(name)).toEqual([])
}

describe('a file', () => {
  it('has no name while it is in use, and is gone afterwards', async () => {
    send('/', BODY, BODY.length + 1)
    await eventually('open file', () => open().some((path) => path.endsWith(' (deleted)')))
    expect(files()).toEqual([])
    client.transport.receive('y')
    const peer = await backend.next()
    await peer.when('whole request', () => peer.received.endsWith(`${BODY}y`))
    await peer.send(OK)
    await answered(200)
    await nothingLeft()
  })

  it('stays with in_file_only on, with what was sent', async () => {
    send('/only')
    await passesOn()
    await eventually('closed files', () => open().length === 0)
    expect(files()).toHaveLength(1)
    expect(await readFile(join(folder(), files()[0]!), 'latin1')).toBe(BODY)
  })

  it('goes with the request with in_file_only clean', async () => {
    send('/clean', BODY, BODY.length + 1)
    await eventually('file', () => files().length === 1)
    client.transport.receive('y')
    const peer = await backend.next()
    await peer.when('whole request', () => peer.received.endsWith('y'))
    await peer.send(OK)
    await answered(200)
    await eventually('file gone', () => files().length === 0)
  })

  it('is in folders named by the end of its number', async () => {
    send('/levels')
    await passesOn()
    const name = /temporary file (\S+),/.exec(engine.errorLog)![1]!
    expect(name).toMatch(/levels\/(\d)\/(\d\d)\/\d{7}\2\1$/)
  })

  it('takes the next number where one is taken', async () => {
    send('/only')
    await passesOn()
    const last = Number(files()[0])
    const taken = String(last + 1).padStart(10, '0')
    await writeFile(join(folder(), taken), 'taken')
    client.transport.sent = ''
    send('/only')
    const peer = await backend.poll()
    expect(peer).toBeNull()
    await eventually('second file', () => files().length === 3)
    await eventually('log', () => engine.errorLog.includes(String(last + 2 + 123_455).padStart(10, '0')))
  })
})

describe('a folder', () => {
  it('that is gone: 500 and the reason', async () => {
    await rm(folder(), { recursive: true })
    send('/')
    await answered(500)
    expect(engine.errorLog).toMatch(
      /\[crit\] .* open\(\) "\S+client_body_temp\/\d{10}" failed \(2: No such file or directory\), client: /,
    )
    expect(backend.accepted).toBe(0)
    await eventually('closed files', () => open().length === 0)
  })

  it('that cannot be written to: 500 and the reason', async () => {
    // Root may write anywhere: a file in the place of a level's folder stands for what it may not.
    await chmod(folder('blocked'), 0o500)
    for (let digit = 0; digit < 10; digit++) await writeFile(join(folder('blocked'), String(digit)), '')
    send('/blocked')
    await answered(500)
    expect(engine.errorLog).toMatch(/\[crit\] .* open\(\) "\S+" failed \(20: Not a directory\)/)
    await eventually('closed files', () => open().length === 0)
  })

  it('that is gone, with an error page by another backend: that gets no content', async () => {
    await rm(folder('gone'), { recursive: true })
    send('/page')
    const peer = await backend.next()
    expect(await peer.head()).toContain('\r\nContent-Length: 0\r\n')
    await peer.send(OK)
    await answered(200)
  })

  it('that is made again is used again', async () => {
    await rm(folder(), { recursive: true })
    send('/')
    await answered(500)
    await mkdir(folder())
    client.transport.break()
    client = engine.connect()
    send('/')
    await passesOn()
    await nothingLeft()
  })
})

describe('a client that sends faster than the disk takes it', () => {
  it('waits', async () => {
    client.transport.receive('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 900000\r\n\r\n')
    client.transport.receive('x'.repeat(200_000))
    expect(client.transport.reading).toBe(false)
    await eventually('room', () => client.transport.reading)
  })
})

describe('a client that leaves', () => {
  it.each(['end', 'reset'])('while its body goes to a file (%s): 400 logged, nothing left', async (how) => {
    send('/', BODY, BODY.length * 2)
    await eventually('open file', () => open().length === 1)
    if (how === 'end') client.transport.receiveEnd()
    else client.transport.break()
    await eventually('line', () => /^400 POST|400 /m.test(engine.accessLog))
    expect(backend.accepted).toBe(0)
    await nothingLeft()
  })

  it('while its body is on its way from the file: 499 logged, nothing left', async () => {
    backend.paused = true
    await sendMuch(20_000_000)
    const peer = await backend.next()
    await eventually('reading of the file', () => open().length === 1)
    client.transport.break()
    await eventually('line', () => /499/.test(engine.accessLog))
    peer.destroy()
    await nothingLeft()
  })
})

describe('a backend', () => {
  it('that leaves while the body is on its way from the file: 502, nothing left', async () => {
    backend.paused = true
    await sendMuch(20_000_000)
    const peer = await backend.next()
    peer.destroy(true)
    await answered(502)
    await nothingLeft()
  })

  it('that answers before it has all of the file: the answer is passed on, nothing left', async () => {
    backend.paused = true
    await sendMuch(20_000_000)
    const peer = await backend.next()
    await peer.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    await answered(403)
    await nothingLeft()
  })
})
