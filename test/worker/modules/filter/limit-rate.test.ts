// How fast limited responses are: what has come by some moment is never more than the rate allows, and all comes.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { Peer, PeerServer } from '../../../support/peer.ts'
import { eventually } from '../../../support/wait.ts'

const RATE = 20_000
const LONG = 'x'.repeat(50_000)

let backend: PeerServer
let engine: TestEngine

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(
    serverConf(`
      location /files/ { root %FOLDER%; limit_rate ${RATE}; }
      location /proxied { proxy_pass http://%BACKEND%; limit_rate ${RATE}; }
      location /accelerated { proxy_pass http://%BACKEND%; }
      location /zipped { proxy_pass http://%BACKEND%; gzip on; gzip_types *; gzip_min_length 1; limit_rate ${RATE}; }
      location /after/ { root %FOLDER%; limit_rate ${RATE}; limit_rate_after 30000; }
      location /text { return 200 "${'y'.repeat(3000)}"; limit_rate 1000; }
      location /never { root %FOLDER%; limit_rate 1; rewrite ^ /files/long break; }
    `),
    { BACKEND: backend.address },
  )
  for (const folder of ['files', 'after']) {
    mkdirSync(join(engine.folder, folder))
    writeFileSync(join(engine.folder, folder, 'long'), LONG)
    writeFileSync(join(engine.folder, folder, 'longer'), LONG.repeat(2))
  }
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

/** Asks for `target` and reads to the end of the connection; checks the pace all the way. */
async function paced(
  target: string,
  rate: number,
  free: number,
  serve?: () => Promise<void>,
): Promise<string> {
  const client = await Peer.connect(engine.port)
  const started = Date.now()
  let worst = 0
  client.socket.on('data', () => {
    // Whole seconds, the one that the request came in and the one that has begun among them.
    const seconds = Math.floor(Date.now() / 1000) - Math.floor(started / 1000) + 1
    worst = Math.max(worst, client.count - free - rate * seconds)
  })
  await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  await serve?.()
  const received = await client.untilEnd()
  client.destroy()
  expect(worst).toBeLessThanOrEqual(0)
  return received.slice(received.indexOf('\r\n\r\n') + 4)
}

async function answer(head: string, body: string): Promise<void> {
  const peer = await backend.next()
  await peer.head()
  await peer.send(`HTTP/1.1 200 OK\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`)
}

describe.concurrent('limit_rate', () => {
  it('holds back a file in memory', async () => {
    expect(await paced('/files/long', RATE, 0)).toBe(LONG)
  })
  it('holds back a file that is read', async () => {
    expect(await paced('/files/longer', RATE * 2, RATE * 2)).toHaveLength(LONG.length * 2)
  })
  it('lets pass what limit_rate_after names', async () => {
    expect(await paced('/after/long', RATE, 30_000)).toBe(LONG)
  })
  it('holds back a text of the configuration', async () => {
    expect(await paced('/text', 1000, 0)).toHaveLength(3000)
  })
})

describe('limit_rate of a proxied response', () => {
  afterEach(() => backend.drop())

  it('holds back the content', async () => {
    expect(await paced('/proxied', RATE, 0, () => answer('', LONG))).toBe(LONG)
  })
  it('holds back what X-Accel-Limit-Rate says', async () => {
    const serve = () => answer('X-Accel-Limit-Rate: 30000\r\n', LONG)
    expect(await paced('/accelerated', 30_000, 0, serve)).toBe(LONG)
  })
  it('with trailers ends with them', async () => {
    // The framing of chunks comes on top.
    const received = await paced('/proxied', RATE, 100, async () => {
      const peer = await backend.next()
      await peer.head()
      const chunk = `${(25_000).toString(16)}\r\n${'z'.repeat(25_000)}\r\n`
      await peer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`)
    })
    expect(received.endsWith('\r\n0\r\n\r\n')).toBe(true)
    expect(received.match(/z/g)).toHaveLength(25_000)
  })
})

describe('a client of a limited response', () => {
  it('that goes away ends the request', async () => {
    const before = engine.accessLog.split('\n').length
    const client = await Peer.connect(engine.port)
    await client.send('GET /never HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.when('some', () => client.count > 0)
    client.destroy(true)
    await eventually('line', () => engine.accessLog.split('\n').length > before)
    expect(engine.accessLog).toMatch(/^(200|499) GET \/files\/long \d\n/m)
  })
})
