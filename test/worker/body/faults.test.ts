// Every system call for a temporary file fails, one at a time, for bodies of requests and for responses: status, log line,
// and that nothing is left. No privileges are needed for it, unlike for a small file system.

import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

type Call = 'open' | 'mkdir' | 'writev' | 'read'

/** What the next calls about temporary files do; `after`: so many of them are as usual first. */
const fault = vi.hoisted(() => ({ call: '' as string, code: '', errno: 0, after: 0, short: 0, calls: 0 }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  type Done = (error: NodeJS.ErrnoException | null, count?: number) => void
  /** Whether this call is to fail; `done` is told later, as by the system. */
  const fails = (call: Call, done: Done): boolean => {
    if (fault.call !== call) return false
    if (fault.calls++ < fault.after) return false
    const { code, errno } = fault
    setImmediate(() => {
      if (code === '') done(null, 0)
      else done(Object.assign(new Error(code), { code, errno, syscall: call }), 0)
    })
    return true
  }
  const faulty = {
    open(path: string, flags: number, mode: number, done: Done): void {
      if (!path.includes('temp') || !fails('open', done)) fs.open(path, flags, mode, done)
    },
    mkdir(path: string, mode: number, done: Done): void {
      if (!fails('mkdir', done)) fs.mkdir(path, mode, done)
    },
    writev(descriptor: number, pieces: Buffer[], position: number, done: Done): void {
      if (fails('writev', done)) return
      // A system may take less than it is given.
      const bytes = fault.short > 0 ? [Buffer.concat(pieces).subarray(0, fault.short)] : pieces
      fs.writev(descriptor, bytes, position, done)
    },
    read(descriptor: number, buffer: Buffer, at: number, length: number, position: number, done: Done): void {
      if (fails('read', done)) return
      fs.read(
        descriptor,
        buffer,
        at,
        fault.short > 0 ? Math.min(fault.short, length) : length,
        position,
        done,
      )
    },
  }
  return { ...fs, ...faulty, default: { ...fs, ...faulty } }
})

function setFault(call: Call | '', code = '', errno = 0, after = 0, short = 0): void {
  Object.assign(fault, { call, code, errno, after, short, calls: 0 })
}

let backend: PeerServer
let engine: TestEngine
let clients: MemoryClient[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(`
      client_max_body_size 0;
      client_body_temp_path body_temp 2 2;
      proxy_temp_path response_temp 2 2;
      location / { proxy_pass http://%BACKEND%; }
      location /page { error_page 500 =200 /instead; proxy_pass http://%BACKEND%; }
      location /instead { return 200 "instead"; }`),
    { BACKEND: backend.address },
  )
})
afterEach(async () => {
  setFault('')
  for (const { transport } of clients) transport.break()
  clients = []
  backend.drop()
  await eventually('end of all connections', () => engine.stats.connections === 0)
  await eventually('end of all files', () => open().length === 0)
  for (const folder of ['body_temp', 'response_temp']) expect(names(folder)).toEqual([])
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

/** Files in a folder of temporary files and those below it. */
function names(folder: string): string[] {
  return readdirSync(join(engine.folder, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\d{10}$/.test(name),
  )
}

/** Open temporary files. */
function open(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(engine.folder) && path.includes('_temp') ? [path] : []
    } catch {
      return []
    }
  })
}

function connect(): MemoryClient {
  const client = engine.connect()
  clients.push(client)
  return client
}

const FAULTS: [call: Call, code: string, errno: number, after: number, words: RegExp][] = [
  ['open', 'EACCES', -13, 0, /open\(\) "\S+" failed \(13: Permission denied\)/],
  ['open', 'EMFILE', -24, 0, /open\(\) "\S+" failed \(24: Too many open files\)/],
  ['open', 'EROFS', -30, 0, /open\(\) "\S+" failed \(30: Read-only file system\)/],
  ['open', 'ENOSPC', -28, 0, /open\(\) "\S+" failed \(28: No space left on device\)/],
  ['writev', 'ENOSPC', -28, 0, /pwrite\(\) "\S+" failed \(28: No space left on device\)/],
  ['writev', 'ENOSPC', -28, 1, /pwrite\(\) "\S+" failed \(28: No space left on device\)/],
  ['writev', 'EIO', -5, 1, /pwrite\(\) "\S+" failed \(5: Input\/output error\)/],
  ['writev', 'EDQUOT', -122, 0, /pwrite\(\) "\S+" failed \(122: \S.*\)/],
  ['writev', 'EFBIG', -27, 0, /pwrite\(\) "\S+" failed \(27: File too large\)/],
  ['read', 'EIO', -5, 0, /pread\(\) "\S+" failed \(5: Input\/output error\)/],
  ['read', 'EIO', -5, 1, /pread\(\) "\S+" failed \(5: Input\/output error\)/],
]
/** Numbers of files are new each time, and so are the folders that are named by their last digits. */
FAULTS.push(['mkdir', 'EACCES', -13, 0, /mkdir\(\) "\S+\/\d\d" failed \(13: Permission denied\)/])
FAULTS.push(['mkdir', 'ENOSPC', -28, 1, /mkdir\(\) "\S+\/\d\d\/\d\d" failed \(28: No space left on device\)/])
const BODY = 'x'.repeat(400_000)
const fresh = (from: number) => engine.errorLog.slice(from)

async function post(target: string): Promise<MemoryClient> {
  const client = connect()
  client.transport.receive(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY.length}\r\n\r\n`)
  for (let at = 0; at < BODY.length && client.transport.sent === ''; at += 50_000) {
    await eventually('room', () => client.transport.reading || client.transport.sent !== '')
    if (client.transport.sent === '') client.transport.receive(BODY.slice(at, at + 50_000))
  }
  return client
}

describe('a body of a request', () => {
  it.each(FAULTS)(
    'whose %s fails with %s (%d, after %d): 500 and the reason',
    async (call, code, errno, after, words) => {
      const from = engine.errorLog.length
      setFault(call, code, errno, after)
      const { transport } = await post('/')
      await eventually('answer', () => transport.sent.startsWith('HTTP/1.1 500 '))
      expect(fresh(from)).toMatch(
        new RegExp(`\\[crit\\] .*${words.source}.*, client: 192.0.2.1, .*"POST / HTTP/1.1"`),
      )
      if (call !== 'read') expect(backend.poll()).toBeNull()
    },
  )

  it('whose file cannot be written gets the page of the location', async () => {
    setFault('writev', 'ENOSPC', -28)
    const { transport } = await post('/page')
    await eventually('page', () => transport.sent.endsWith('instead'))
    expect(transport.sent).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('whose file has become shorter ends with 500', async () => {
    const from = engine.errorLog.length
    setFault('read', '', 0, 1)
    const { transport } = await post('/')
    await eventually('answer', () => transport.sent.startsWith('HTTP/1.1 500 '))
    expect(fresh(from)).toMatch(/\[crit\] .*pread\(\) "\S+" has fewer bytes than were written/)
  })

  it('that is written and read a little at a time goes on whole', async () => {
    setFault('', '', 0, 0, 1999)
    const { transport } = await post('/')
    const peer = await backend.next()
    await peer.when('all of it', () => peer.received.endsWith(`\r\n\r\n${BODY}`))
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await eventually('answer', () => transport.sent.startsWith('HTTP/1.1 200 '))
  })
})

/** A response for a client that takes nothing, and its backend. */
async function ask() {
  const client = connect()
  client.transport.room = false
  client.transport.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await backend.next()
  await peer.head()
  const sent = peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length * 3}\r\n\r\n${BODY}`)
  void sent.then(() => peer.send(BODY)).then(() => peer.send(BODY))
  return client
}

describe('a response', () => {
  it.each(FAULTS)(
    'whose %s fails with %s (%d, after %d) breaks off with the reason',
    async (call, code, errno, after, words) => {
      const from = engine.errorLog.length
      const logged = engine.accessLog.split('\n').length - 1
      setFault(call, code, errno, after)
      const client = await ask()
      const matches = new RegExp(`\\[crit\\] .*${words.source} while reading upstream, client: 192.0.2.1, `)
      await eventually('line', () => {
        // A read of the file comes when the client reads.
        if (call === 'read' && open().length > 0) client.transport.drain()
        return matches.test(fresh(from))
      })
      client.transport.drain()
      await eventually('end of the connection', () => client.gone)
      expect(client.transport.sent.length).toBeLessThan(BODY.length * 3)
      expect(client.transport.sent).not.toContain('HTTP/1.1 500')
      expect((await engine.logged(logged + 1)).at(-1)).toMatch(/^200 GET \/ \d+$/)
    },
  )

  it('whose file has become shorter breaks off', async () => {
    const from = engine.errorLog.length
    setFault('read', '', 0, 1)
    const client = await ask()
    await eventually('a file', () => open().length > 0)
    client.transport.drain()
    await eventually('end of the connection', () => client.gone)
    expect(fresh(from)).toMatch(
      /\[crit\] .*pread\(\) "\S+" has fewer bytes than were written while reading upstream/,
    )
  })

  it('that is written and read a little at a time comes whole', async () => {
    setFault('', '', 0, 0, 1999)
    const { transport } = await ask()
    await eventually('a file', () => open().length > 0)
    transport.drain()
    await eventually('all of it', () => transport.sent.endsWith(BODY.repeat(3)))
  })
})
