// Compression that Debian's nginx does not have, and what cannot be seen side by side: which coding is taken of several,
// responses that come piece by piece, clients and backends that go away.

import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  zstdDecompressSync,
} from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { Peer, PeerServer } from '../../../../support/peer.ts'
import { type RawAnswer, rawRequest } from '../../../../support/raw-client.ts'
import { eventually } from '../../../../support/wait.ts'

const TEXT = 'a text with some words, some words, some words in it. '.repeat(4)
const CONF = `
  gzip on; brotli on; zstd on; gzip_vary on;
  default_type text/html;
  location /text { return 200 "${TEXT}"; }
  location /brotli { gzip off; zstd off; brotli_comp_level 11; brotli_window 16k; return 200 "${TEXT}"; }
  location /zstd { gzip off; brotli off; zstd_comp_level 22; return 200 "${TEXT}"; }
  location /json { default_type application/json; brotli_types application/json; zstd_min_length 1k; return 200 "${TEXT}"; }
  location /long { zstd_min_length 1k; brotli_min_length 1k; return 200 "${TEXT}"; }
  location /if { gzip off; brotli off; zstd off; if ($arg_br) { brotli on; return 200 "${TEXT}"; } return 200 "${TEXT}"; }
  location /none { gzip off; brotli off; zstd off; return 200 "${TEXT}"; }
  location /back { proxy_pass http://%BACKEND%; }
  location /level { gzip_comp_level 9; brotli_comp_level 9; zstd_comp_level 19; proxy_pass http://%BACKEND%; }
  location /gunzip { gunzip on; gzip off; zstd off; proxy_pass http://%BACKEND%; }
`
const HTTP = `log_format ratio '$uri gzip=$gzip_ratio br=$brotli_ratio zstd=$zstd_ratio $status'; access_log logs/ratio.log ratio;`

const unpack: Record<string, (content: Buffer) => Buffer> = {
  gzip: (content) => gunzipSync(content),
  br: (content) => brotliDecompressSync(content),
  zstd: (content) => zstdDecompressSync(content),
}

let engine: TestEngine
let backend: PeerServer
const peers: Peer[] = []

beforeAll(async () => {
  backend = await PeerServer.start()
  engine = await TestEngine.start(serverConf(CONF, HTTP), { BACKEND: backend.address })
})
afterEach(() => {
  for (const peer of peers.splice(0)) peer.destroy()
  backend.drop()
})
afterAll(async () => {
  await engine?.stop()
  await backend?.stop()
})

const get = (target: string, ...headers: string[]) =>
  `GET ${target} HTTP/1.1\r\nHost: test\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`
const accepting = (target: string, codings: string) => get(target, `Accept-Encoding: ${codings}`)

/** A response's head, its coding, and its content as it came and unpacked. */
function read({ bytes }: RawAnswer): { head: string; coding: string; content: Buffer; text: string } {
  const end = bytes.indexOf('\r\n\r\n') + 4
  const head = bytes.toString('latin1', 0, end)
  const coding = /\r\nContent-Encoding: (\S+)/.exec(head)?.[1] ?? ''
  const content = head.includes('chunked') ? joined(bytes.subarray(end)) : bytes.subarray(end)
  return { head, coding, content, text: (unpack[coding]?.(content) ?? content).toString('latin1') }
}

/** What there is of chunked content, as far as its chunks are complete. */
function joined(chunks: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = chunks.indexOf('\r\n', at)
    const size = Number.parseInt(chunks.toString('latin1', at, line), 16)
    if (!(size > 0) || line + 2 + size > chunks.length) return Buffer.concat(parts)
    parts.push(chunks.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}

const exchange = async (request: string) => read(await rawRequest(engine.port, request))

describe('the coding that is taken', () => {
  it.each([
    ['/text', 'gzip, br, zstd', 'zstd'],
    ['/text', 'zstd;q=0.9, br, gzip', 'br'],
    ['/text', 'gzip, br;q=0.999, zstd;q=0.5', 'gzip'],
    ['/text', 'gzip;q=0.2, br;q=0.3, zstd;q=0.1', 'br'],
    ['/text', 'gzip, br', 'br'],
    ['/text', 'gzip', 'gzip'],
    ['/text', 'gzip;q=0.5, br;q=0, zstd;q=0', 'gzip'],
    ['/text', 'br;q=2, zstd;q=x', ''],
    ['/text', 'deflate, *', ''],
    ['/text', 'brotli, xzstd', ''],
    ['/json', 'gzip, br, zstd', 'br'],
    ['/json', 'gzip, zstd', ''],
    ['/long', 'gzip;q=0.1, br, zstd', 'gzip'],
    ['/brotli', 'gzip, br, zstd', 'br'],
    ['/zstd', 'gzip, br, zstd', 'zstd'],
    ['/if', 'br', ''],
    ['/if?br=1', 'br', 'br'],
    ['/none', 'gzip, br, zstd', ''],
  ])('%s for %s: %s', async (target, codings, coding) => {
    const answer = await exchange(accepting(target, codings))
    expect(answer.coding).toBe(coding)
    expect(answer.text).toBe(TEXT)
    expect(answer.head.includes('\r\nVary: Accept-Encoding\r\n')).toBe(!/none|if$/.test(target))
  })
  it('HTTP/1.0 and Via keep gzip away, not the others', async () => {
    const via = (codings: string) => get('/text', 'Via: 1.1 x', `Accept-Encoding: ${codings}`)
    expect((await exchange(via('gzip'))).coding).toBe('')
    expect((await exchange(via('gzip, br;q=0.1'))).coding).toBe('br')
  })
})

describe('ratio variables', () => {
  it('tell how much smaller the response of their coding became', async () => {
    const { content } = await exchange(accepting('/text', 'gzip'))
    const ratio = (TEXT.length / content.length).toFixed(2)
    await eventually('the log', () =>
      engine.read('logs/ratio.log').includes(`/text gzip=${ratio} br=- zstd=- 200`),
    )
  })
})

async function connect(): Promise<Peer> {
  const peer = await Peer.connect(engine.port)
  peers.push(peer)
  return peer
}

const CODINGS = ['gzip', 'br', 'zstd'] as const
const decoders = {
  gzip: () => createGunzip(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
}
const HTML = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n'

describe.each(CODINGS)('a response in %s', (coding) => {
  it.each([['/back'], ['/level']])('of many pieces comes whole: %s', async (target) => {
    const pieces = Array.from({ length: 40 }, (_, index) => `${index} ${TEXT.repeat(200)}`)
    const content = pieces.join('')
    const answer = rawRequest(engine.port, accepting(target, coding))
    const peer = await backend.next()
    await peer.head()
    await peer.send(`${HTML}Content-Length: ${content.length}\r\n\r\n`)
    for (const piece of pieces) await peer.send(piece)
    const result = read(await answer)
    expect(result.coding).toBe(coding)
    expect(result.text === content).toBe(true)
  })
  it('is flushed with every piece, and kept connections go on', async () => {
    const client = await connect()
    await client.send(accepting('/back', coding))
    const peer = await backend.next()
    await peer.head()
    await peer.send(`${HTML}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`)
    const decoder = decoders[coding]()
    let text = ''
    decoder.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    let taken = 0
    const decoded = (): string => {
      const bytes = Buffer.from(client.received, 'latin1')
      const content = joined(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4))
      decoder.write(content.subarray(taken))
      taken = content.length
      return text
    }
    await eventually('the first piece', () => decoded() === 'first')
    await peer.send('6\r\nsecond\r\n')
    await eventually('the second piece', () => decoded() === 'firstsecond')
    await peer.send('0\r\n\r\n')
    await client.take('0\r\n\r\n')
    decoder.destroy()
    await client.send(get('/none'))
    await client.take(TEXT)
  })
})
