// Files in memory are compressed once for each coding and level, not for each request, and anew when they have changed.

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { rawRequest } from '../../../../support/raw-client.ts'
import { eventually } from '../../../../support/wait.ts'

const LARGE = 'a line of a large file, and a number: 0123456789\n'.repeat(10_000)
const SMALL = LARGE.slice(0, 3000)
const CONF = `
  root %FOLDER%/files; open_file_cache max=100; open_file_cache_valid 0;
  gzip on; gzip_http_version 1.0;
  location /best/ { alias %FOLDER%/files/; gzip_comp_level 9; }
  location /br/ { alias %FOLDER%/files/; brotli on; gzip off; }
  location /zstd/ { alias %FOLDER%/files/; zstd on; gzip off; }
  location /off/ { alias %FOLDER%/files/; gzip off; }
  location /failing/ { error_page 404 /small.html; }
`
const HTTP = `log_format ratio '$uri $gzip_ratio $brotli_ratio $zstd_ratio'; access_log logs/ratio.log ratio;`

const unpack: Record<string, (content: Buffer) => Buffer> = {
  gzip: (content) => gunzipSync(content),
  br: (content) => brotliDecompressSync(content),
  zstd: (content) => zstdDecompressSync(content),
}

const count = vi.hoisted(() => ({ compressed: 0 }))
vi.mock('node:zlib', async (load) => {
  const zlib = await load<typeof import('node:zlib')>()
  const counted =
    <P extends unknown[], R>(compress: (...parameters: P) => R) =>
    (...parameters: P): R => {
      count.compressed++
      return compress(...parameters)
    }
  return {
    ...zlib,
    gzipSync: counted(zlib.gzipSync),
    createGzip: counted(zlib.createGzip),
    brotliCompressSync: counted(zlib.brotliCompressSync),
    createBrotliCompress: counted(zlib.createBrotliCompress),
    zstdCompressSync: counted(zlib.zstdCompressSync),
    createZstdCompress: counted(zlib.createZstdCompress),
  }
})

let engine: TestEngine

beforeAll(async () => {
  engine = await TestEngine.start(serverConf(CONF, HTTP))
  mkdirSync(`${engine.folder}/files`)
})
afterAll(() => engine?.stop())
beforeEach(() => {
  count.compressed = 0
})

let changes = 1_700_000_000
function put(name: string, text: string): void {
  writeFileSync(`${engine.folder}/files/${name}`, text)
  changes++
  utimesSync(`${engine.folder}/files/${name}`, changes, changes)
}

async function ask(
  target: string,
  version = '1.0',
): Promise<{ head: string; content: Buffer; text: string }> {
  const lines = `Host: test\r\nAccept-Encoding: gzip, br, zstd\r\nConnection: close\r\n`
  const { bytes } = await rawRequest(engine.port, `GET ${target} HTTP/${version}\r\n${lines}\r\n`, {
    until: 'close',
  })
  const end = bytes.indexOf('\r\n\r\n') + 4
  const head = bytes.toString('latin1', 0, end)
  const content = bytes.subarray(end)
  const coding = /\r\nContent-Encoding: (\S+)/.exec(head)?.[1] ?? ''
  const plain = version === '1.0' ? (unpack[coding]?.(content) ?? content) : content
  return { head, content, text: plain.toString() }
}

const withoutDate = (head: string): string => head.replace(/Date: .*\r\n/, '')

describe('a file in memory', () => {
  it.each([
    ['/small.html', SMALL],
    ['/large.html', LARGE],
    ['/br/small.html', SMALL],
    ['/br/large.html', LARGE],
    ['/zstd/small.html', SMALL],
    ['/zstd/large.html', LARGE],
  ])('%s is compressed once, and answered with the same bytes each time', async (target, text) => {
    put(target.slice(target.lastIndexOf('/') + 1), text)
    // Larger ones are in memory from the second request on.
    await ask(target)
    const first = await ask(target)
    expect(first.text === text).toBe(true)
    const before = count.compressed
    expect(before).toBeGreaterThan(0)
    for (let time = 0; time < 3; time++) {
      const again = await ask(target)
      expect(withoutDate(again.head)).toBe(withoutDate(first.head))
      expect(again.content.equals(first.content)).toBe(true)
    }
    expect(count.compressed).toBe(before)
  })
  it('has no length, and comes in chunks to HTTP/1.1 clients', async () => {
    put('chunks.html', SMALL)
    const first = await ask('/chunks.html', '1.1')
    const second = await ask('/chunks.html', '1.1')
    expect(count.compressed).toBe(1)
    expect(second.head).toMatch(/\r\nTransfer-Encoding: chunked\r\n[\s\S]*\r\nETag: W\/"/)
    expect(second.head).not.toMatch(/Content-Length|Accept-Ranges/)
    expect(second.content.equals(first.content)).toBe(true)
  })
  it('is compressed for each level by itself', async () => {
    put('levels.html', LARGE.slice(0, 10_000))
    await ask('/levels.html')
    await ask('/best/levels.html')
    expect(count.compressed).toBe(2)
    await ask('/levels.html')
    await ask('/best/levels.html')
    expect(count.compressed).toBe(2)
    const { head } = await ask('/off/levels.html')
    expect(head).not.toContain('Content-Encoding')
  })
  it('is compressed anew when it has changed', async () => {
    put('changing.html', SMALL)
    expect((await ask('/changing.html')).text).toBe(SMALL)
    put('changing.html', `${SMALL}changed`)
    expect((await ask('/changing.html')).text).toBe(`${SMALL}changed`)
    expect(count.compressed).toBe(2)
  })
  it('is kept compressed as an error page too', async () => {
    put('small.html', SMALL)
    await ask('/small.html')
    const { head, text } = await ask('/failing/x')
    expect(head).toContain(' 404 ')
    expect(text).toBe(SMALL)
    expect(count.compressed).toBe(1)
  })
  it('has its ratio in the log each time', async () => {
    put('ratio.html', SMALL)
    await ask('/ratio.html')
    await ask('/ratio.html')
    const lines = await eventually('two lines', () => {
      const found = engine
        .read('logs/ratio.log')
        .split('\n')
        .filter((line) => line.startsWith('/ratio.html'))
      return found.length === 2 ? found : null
    })
    expect(lines[0]).toMatch(/^\/ratio\.html \d+\.\d\d - -$/)
    expect(lines[1]).toBe(lines[0])
  })
})
