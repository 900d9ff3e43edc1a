// Files while they are sent: slow clients, clients that leave, files that change; and what is never sent.

import { mkdirSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { Peer } from '../../../../support/peer.ts'
import { eventually } from '../../../../support/wait.ts'

const SIZE = 32 * 1024 * 1024
const CONF = serverConf(`
  location / { root %FOLDER%/site; }
  location /bare { alias %FOLDER%/site/; }
  location /slash/ { alias %FOLDER%/site/; }
  location ~ ^/regex(.*) { alias %FOLDER%/site/$1; }
  location ~ ^/folder/(.*) { alias %FOLDER%/site/$1/inside; }
  location /cut { root %FOLDER%/site; rewrite ^/cut(.*) /$1 break; }
  location /arg { root %FOLDER%/site/$arg_f; rewrite ^/arg(.*) $1 break; }
  location /cached { root %FOLDER%/site; open_file_cache max=10; rewrite ^/cached(.*) $1 break; }
`)
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`

let engine: TestEngine
let peers: Peer[]

beforeEach(async () => {
  peers = []
  engine = await TestEngine.start(CONF)
  mkdirSync(join(engine.folder, 'site/inside'), { recursive: true })
  writeFileSync(join(engine.folder, 'site/page.html'), 'inside')
  writeFileSync(join(engine.folder, 'secret'), 'OUTSIDE')
  mkdirSync(join(engine.folder, 'inside'))
  writeFileSync(join(engine.folder, 'site/large'), Buffer.alloc(SIZE, 'x'))
})
afterEach(async () => {
  for (const peer of peers) peer.destroy()
  await engine.stop()
})

async function connect(options = {}): Promise<Peer> {
  const peer = await Peer.connect(engine.port, options)
  peers.push(peer)
  return peer
}

function openDescriptors(name: string): number {
  const path = join(engine.folder, name)
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  }).length
}

/** Reads until nothing more would come without the client asking for more. */
async function begun(client: Peer): Promise<void> {
  client.socket.resume()
  await client.when('some content', () => client.count > 1000)
  client.socket.pause()
}

describe('a large file', () => {
  it('reaches a client that pauses, whole, and is closed then', async () => {
    const client = await connect({ keep: false, paused: true })
    await client.send(get('/large'))
    await begun(client)
    expect(openDescriptors('site/large')).toBe(1)
    client.socket.resume()
    await client.when('all of it', () => client.count >= SIZE)
    expect(await engine.logged(1)).toEqual([`200 GET /large ${SIZE}`])
    await eventually('the file closed', () => openDescriptors('site/large') === 0)
  })

  describe('of which every part is different', () => {
    const content = Buffer.alloc(12 * 1024 * 1024)
    for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(at, at)
    beforeEach(() => writeFileSync(join(engine.folder, 'site/numbers'), content))
    afterEach(() => eventually('the file closed', () => openDescriptors('site/numbers') === 0))

    interface Reader {
      client: Peer
      /** The response so far. */
      pieces: Buffer[]
    }

    /** Asks, and reads no more than the beginning. */
    async function ask(): Promise<Reader> {
      const client = await connect({ keep: false, paused: true })
      const pieces: Buffer[] = []
      client.socket.on('data', (bytes: Buffer) => pieces.push(bytes))
      await client.send('GET /numbers HTTP/1.0\r\nHost: test\r\n\r\n')
      await begun(client)
      return { client, pieces }
    }

    /** Reads on to the end: how much of the content came, if all of that is right, else -1. */
    async function rest({ client, pieces }: Reader): Promise<number> {
      client.socket.resume()
      await client.when('the end', () => client.ended)
      const response = Buffer.concat(pieces)
      const body = response.subarray(response.indexOf('\r\n\r\n') + 4)
      return body.equals(content.subarray(0, body.length)) ? body.length : -1
    }

    it('reaches many clients at once unharmed, while others leave', async () => {
      const readers = await Promise.all(Array.from({ length: 20 }, ask))
      for (const { client } of readers.splice(0, 10)) client.destroy(true)
      expect(await Promise.all(readers.map(rest))).toEqual(Array(10).fill(content.length))
    })

    it('stays what it is for a client that ends its side and reads on', async () => {
      const half = await ask()
      // Meanwhile all that there is room for has been sent to it.
      expect(await rest(await ask())).toBe(content.length)
      half.client.end()
      expect(await engine.logged(2)).toHaveLength(2)
      expect(await rest(await ask())).toBe(content.length)
      const came = await rest(half)
      expect(came).toBeGreaterThan(0)
      expect(came).toBeLessThan(content.length)
    })
  })

  it('that is held in memory reaches a client that pauses', async () => {
    writeFileSync(join(engine.folder, 'site/medium'), Buffer.alloc(1024 * 1024, 'y'))
    for (let use = 1; use <= 4; use++) {
      const client = await connect({ keep: false, paused: true })
      await client.send(get('/medium'))
      await begun(client)
      client.socket.resume()
      await client.when('all of it', () => client.count >= 1024 * 1024)
      expect(await engine.logged(use)).toHaveLength(use)
    }
    expect(engine.accessLog).toBe('200 GET /medium 1048576\n'.repeat(4))
  })

  it('that is held in memory is logged when the client has taken it, and not as more than it took', async () => {
    writeFileSync(join(engine.folder, 'site/medium'), Buffer.alloc(1024 * 1024, 'y'))
    const clients = [engine.connect(), engine.connect(), engine.connect(), engine.connect()]
    const [first, second, slow, gone] = clients.map(({ transport }) => transport)
    for (const quick of [first, second]) {
      quick!.receive(get('/medium'))
      await eventually('the whole', () => quick!.sent.length > 1024 * 1024)
    }
    expect(await engine.logged(2)).toHaveLength(2)
    for (const client of [slow, gone]) {
      client!.room = false
      client!.receive(get('/medium'))
      client!.take(1_000_000)
    }
    gone!.receiveEnd()
    slow!.drain()
    const [lost, whole] = (await engine.logged(4)).slice(2)
    expect(whole).toBe('200 GET /medium 1048576')
    const taken = 1_000_000 - (gone!.sent.length - 1024 * 1024)
    expect(lost).toBe(`200 GET /medium ${taken}`)
  })

  it('is closed when the client leaves', async () => {
    const client = await connect({ keep: false, paused: true })
    await client.send(get('/large'))
    await begun(client)
    client.destroy(true)
    await engine.logged(1)
    await eventually('the file closed', () => openDescriptors('site/large') === 0)
  })

  it('that becomes shorter ends the connection before its length', async () => {
    const client = await connect({ keep: false, paused: true })
    await client.send(get('/large'))
    await begun(client)
    truncateSync(join(engine.folder, 'site/large'), 100)
    client.socket.resume()
    await client.when('the end', () => client.ended || client.closed)
    expect(client.count).toBeLessThan(SIZE)
    await eventually('a message', () =>
      /\[alert\].*"\S+site\/large" was truncated at \d+/.test(engine.errorLog),
    )
    await eventually('the file closed', () => openDescriptors('site/large') === 0)
  })

  it('with a HEAD request sends no content', async () => {
    const client = await connect()
    await client.send('HEAD /large HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
    const answer = await client.untilEnd()
    expect(answer).toContain(`Content-Length: ${SIZE}\r\n`)
    expect(answer.endsWith('\r\n\r\n')).toBe(true)
    await eventually('the file closed', () => openDescriptors('site/large') === 0)
  })

  it('stays open with open_file_cache, for several clients at once', async () => {
    const clients = [await connect({ keep: false }), await connect({ keep: false })]
    for (const client of clients) await client.send(get('/cached/large'))
    for (const client of clients) await client.when('all of it', () => client.count >= SIZE)
    await eventually('one descriptor', () => openDescriptors('site/large') === 1)
  })
})

describe('what is outside is never sent', () => {
  const dots = ['..', '%2e%2e', '.%2e', '%2E.', '%252e%252e', '..%00', '..;', '..\\', '..%5c', '...']
  const bases = ['', '/bare', '/slash', '/slash/', '/regex', '/folder', '/cut', '/arg', '/cached', '/inside']
  const ends = ['/secret', '%2fsecret', '/./secret', '//secret', '/../secret', '/site/../secret']
  const targets = bases.flatMap((base) =>
    dots.flatMap((dot) => ends.flatMap((end) => [`${base}/${dot}${end}`, `${base}${dot}${end}`])),
  )

  it(`${targets.length} hostile targets`, async () => {
    const clients = targets
      .filter((target) => target.startsWith('/'))
      .map((target) => {
        const client = engine.connect()
        client.transport.receive(get(target))
        return { target, client }
      })
    for (const { target, client } of clients) {
      await eventually('an answer', () => client.transport.sent.includes('\r\n\r\n') || client.gone)
      expect([target, client.transport.sent.includes('OUTSIDE')]).toEqual([target, false])
      client.transport.break()
    }
  })
})
