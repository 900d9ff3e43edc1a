// Files that are compressed on their way: small and large ones, asked for in parts, by HEAD, and over and over again.

import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { rawRequest } from '../../../../support/raw-client.ts'

const LARGE = 'a line of a large file, and a number: 0123456789\n'.repeat(60_000)
const SMALL = LARGE.slice(0, 3000)

let engine: TestEngine

beforeAll(async () => {
  engine = await TestEngine.start(serverConf('root %FOLDER%/files; gzip on;'))
  mkdirSync(`${engine.folder}/files`)
  writeFileSync(`${engine.folder}/files/small.html`, SMALL)
  writeFileSync(`${engine.folder}/files/large.html`, LARGE)
})
afterAll(() => engine?.stop())

async function get(target: string, ...lines: string[]): Promise<{ head: string; content: Buffer }> {
  const request = `GET ${target} HTTP/1.0\r\nHost: test\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
  const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
  const end = bytes.indexOf('\r\n\r\n') + 4
  return { head: bytes.toString('latin1', 0, end), content: bytes.subarray(end) }
}

const OLD = 'gzip_http_version 1.0;'

describe('a file', () => {
  beforeAll(() => {
    engine.load(serverConf(`root %FOLDER%/files; gzip on; ${OLD}`))
  })
  it.each([
    ['/small.html', SMALL],
    ['/large.html', LARGE],
  ])('%s comes compressed, again and again', async (target, text) => {
    for (let time = 0; time < 3; time++) {
      const { head, content } = await get(target, 'Accept-Encoding: gzip')
      expect(head).toContain('\r\nContent-Encoding: gzip\r\n')
      expect(head).toMatch(/\r\nETag: W\/"/)
      expect(head).not.toMatch(/Accept-Ranges|Content-Length/)
      expect(gunzipSync(content).toString() === text).toBe(true)
    }
  })
  it('of which a part is wanted comes whole, or the part as it is', async () => {
    const whole = await get('/small.html', 'Accept-Encoding: gzip', 'Range: bytes=0-9')
    expect(whole.head).toContain('200 OK')
    expect(gunzipSync(whole.content).toString()).toBe(SMALL)
    const part = await get('/small.html', 'Range: bytes=0-9')
    expect(part.head).toContain('206 Partial Content')
    expect(part.content.toString()).toBe(SMALL.slice(0, 10))
  })
})

/** Text that is no easy prey. */
function hardText(length: number): string {
  const words: string[] = []
  for (let state = 7, size = 0; size < length; size += words.at(-1)!.length + 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    words.push((state >>> 12).toString(36))
  }
  return words.join(' ')
}

describe('a large file at the slowest level', () => {
  beforeAll(() => writeFileSync(`${engine.folder}/files/huge.html`, hardText(8 * 1024 * 1024)))

  it.each([
    ['gzip', 'gzip on; gzip_comp_level 9;'],
    ['br', 'brotli on; brotli_comp_level 11;'],
    ['zstd', 'zstd on; zstd_comp_level 22;'],
  ])('as %s does not keep others waiting', async (coding, directives) => {
    engine.load(serverConf(`root %FOLDER%/files; location /huge.html { ${directives} }`))
    const slow = connect(engine.port, '127.0.0.1')
    let ended = false
    slow.resume().on('close', () => {
      ended = true
    })
    slow.write(
      `GET /huge.html HTTP/1.1\r\nHost: test\r\nAccept-Encoding: ${coding}\r\nConnection: close\r\n\r\n`,
    )
    try {
      for (let time = 0; time < 5; time++) {
        const { content } = await get('/small.html')
        expect(content.toString()).toBe(SMALL)
        expect(ended).toBe(false)
      }
    } finally {
      slow.destroy()
    }
  })
})
