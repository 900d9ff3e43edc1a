// `brotli_static` and `zstd_static`, which of several compressed files is sent, and targets that lead out of folders.

import { unlinkSync, writeFileSync } from 'node:fs'
import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOSTILE_TARGETS } from '../../../../corpus/hostile-targets.ts'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { rawRequest } from '../../../../support/raw-client.ts'
import { removeFolder } from '../../../../support/temporary.ts'
import { makeTree } from '../../../../support/tree.ts'

const TEXT = 'a text with some words, some words, some words in it\n'.repeat(20)
const OUTSIDE = 'what nobody is to see'
const br = brotliCompressSync(TEXT).toString('latin1')
const zstd = zstdCompressSync(TEXT).toString('latin1')
const gz = gzipSync(TEXT).toString('latin1')

const tree = makeTree({
  'html/all.html': TEXT,
  'html/all.html.br': br,
  'html/all.html.zst': zstd,
  'html/all.html.gz': gz,
  'html/zg.html': TEXT,
  'html/zg.html.zst': zstd,
  'html/zg.html.gz': gz,
  'html/gz.html': TEXT,
  'html/gz.html.gz': gz,
  'html/none.html': TEXT,
  'html/folder.html': TEXT,
  'html/folder.html.br/': '',
  'html/folder.html.gz': gz,
  'outside.html': OUTSIDE,
  'outside.html.br': OUTSIDE,
  'outside.html.zst': OUTSIDE,
  'outside.html.gz': OUTSIDE,
  'html.gz': OUTSIDE,
  'html.br': OUTSIDE,
  'html.zst': OUTSIDE,
})

const ALL = 'gzip_static on; brotli_static on; zstd_static on;'
const ALWAYS = 'gzip_static always; brotli_static always; zstd_static always;'
const CONF = serverConf(
  `
  root ${tree}/html;
  location /all/ { alias ${tree}/html/; ${ALL} }
  location /vary/ { alias ${tree}/html/; ${ALL} gzip_vary on; }
  location /always/ { alias ${tree}/html/; ${ALWAYS} gzip_vary on; }
  location /fallback/ { alias ${tree}/html/; brotli_static on; zstd_static on; gzip_static always; gzip_vary on; }
  location /br/ { alias ${tree}/html/; brotli_static on; brotli on; gzip_http_version 1.1; }
  location /br_always/ { alias ${tree}/html/; brotli_static always; gzip_vary on; }
  location /zstd/ { alias ${tree}/html/; zstd_static on; zstd on; }
  location /files { alias ${tree}/html/; ${ALWAYS} }
  location /tried { alias ${tree}/html/; ${ALWAYS} try_files $uri $arg_file =404; }
  location ~ ^/regex/(.*)$ { alias ${tree}/html/$1; ${ALWAYS} }
  location /rooted { root ${tree}/html; rewrite ^/rooted(.*)$ $1 break; ${ALWAYS} }
`,
  'types { text/html html; }',
)

const unpack: Record<string, (content: Buffer) => Buffer> = {
  br: (content) => brotliDecompressSync(content),
  zstd: (content) => zstdDecompressSync(content),
  gzip: (content) => gunzipSync(content),
  '': (content) => content,
}

let engine: TestEngine
beforeAll(async () => {
  engine = await TestEngine.start(CONF)
})
afterAll(async () => {
  await engine?.stop()
  await removeFolder(tree)
})

async function ask(
  target: string,
  codings: string,
  version = '1.1',
): Promise<{ head: string; coding: string; text: string }> {
  const accept = codings === '' ? '' : `Accept-Encoding: ${codings}\r\n`
  const request = `GET ${target} HTTP/${version}\r\nHost: test\r\n${accept}Connection: close\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
  const end = bytes.indexOf('\r\n\r\n') + 4
  const head = bytes.toString('latin1', 0, end)
  const coding = /\r\nContent-Encoding: (\S+)/.exec(head)?.[1] ?? ''
  const content = bytes.subarray(end)
  return {
    head,
    coding,
    text: (head.includes('chunked') ? content : unpack[coding]!(content)).toString('latin1'),
  }
}

describe('of several files', () => {
  it.each([
    ['/all/all.html', 'br', 'br'],
    ['/all/all.html', 'zstd', 'zstd'],
    ['/all/all.html', 'gzip', 'gzip'],
    ['/all/all.html', '', ''],
    ['/all/all.html', 'identity', ''],
    ['/all/all.html', 'gzip, deflate, br, zstd', 'br'],
    ['/all/all.html', 'gzip, zstd', 'zstd'],
    ['/all/all.html', 'gzip, br;q=0.5, zstd;q=0.9', 'gzip'],
    ['/all/all.html', 'gzip;q=0.2, br;q=0.5, zstd;q=0.9', 'zstd'],
    ['/all/all.html', 'br;q=0, zstd;q=0, gzip;q=0', ''],
    ['/all/zg.html', 'gzip, br, zstd', 'zstd'],
    ['/all/zg.html', 'gzip;q=0.5, br, zstd;q=0.1', 'gzip'],
    ['/all/gz.html', 'gzip, br, zstd', 'gzip'],
    ['/all/gz.html', 'br, zstd', ''],
    ['/all/none.html', 'gzip, br, zstd', ''],
    ['/all/folder.html', 'gzip, br, zstd', 'gzip'],
    ['/br/all.html', 'gzip, br, zstd', 'br'],
    ['/br/all.html', 'gzip, zstd', ''],
    ['/zstd/all.html', 'gzip, br, zstd', 'zstd'],
    ['/always/all.html', '', 'br'],
    ['/always/all.html', 'gzip', 'gzip'],
    ['/always/zg.html', 'br', 'zstd'],
    ['/always/zg.html', 'br;q=0, zstd;q=0', 'zstd'],
    ['/always/none.html', 'gzip', ''],
    ['/fallback/all.html', '', 'gzip'],
    ['/fallback/all.html', 'gzip;q=0.1, zstd;q=0.2', 'zstd'],
    ['/fallback/gz.html', 'br', 'gzip'],
  ])('%s for a client that accepts "%s" comes as "%s"', async (target, codings, expected) => {
    const { head, coding, text } = await ask(target, codings)
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    expect(coding).toBe(expected)
    expect(text).toBe(TEXT)
  })

  it.each([
    ['/vary/all.html', '', true],
    ['/vary/all.html', 'br', true],
    ['/vary/gz.html', 'br', true],
    ['/vary/none.html', 'br', false],
    ['/all/all.html', 'br', false],
    ['/always/all.html', 'br', true],
    ['/br_always/all.html', 'br', false],
    ['/br_always/all.html', '', false],
    ['/fallback/all.html', '', true],
  ])(
    '%s for a client that accepts "%s" says that others get another: %s',
    async (target, codings, varies) => {
      const { head } = await ask(target, codings)
      expect(head.includes('\r\nVary: Accept-Encoding\r\n')).toBe(varies)
    },
  )
})

describe('a compressed file', () => {
  it('has the type of the other, its own time, tag and length, and no ranges', async () => {
    const { head } = await ask('/all/all.html', 'br')
    expect(head).toContain('\r\nContent-Type: text/html\r\n')
    expect(head).toContain(`\r\nContent-Length: ${br.length}\r\n`)
    expect(head).toContain('\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n')
    expect(head).toContain(`\r\nETag: "6553f100-${br.length.toString(16)}"\r\nContent-Encoding: br\r\n`)
    expect(head).not.toContain('Accept-Ranges')
  })
  it('is for HTTP/1.0 clients too, except gzip', async () => {
    expect((await ask('/all/all.html', 'br, gzip', '1.0')).coding).toBe('br')
    expect((await ask('/all/all.html', 'gzip', '1.0')).coding).toBe('')
  })
  it('is found as soon as it is there, and not missed when it is gone', async () => {
    writeFileSync(`${tree}/html/new.html`, TEXT)
    expect((await ask('/all/new.html', 'zstd')).coding).toBe('')
    writeFileSync(`${tree}/html/new.html.zst`, zstd, 'latin1')
    expect((await ask('/all/new.html', 'zstd')).coding).toBe('zstd')
    unlinkSync(`${tree}/html/new.html`)
    expect((await ask('/all/new.html', 'zstd')).text).toBe(TEXT)
  })
})

describe('no hostile target reaches a compressed file beside the folder', () => {
  const targets = [
    ...HOSTILE_TARGETS,
    '../outside.html',
    '..',
    '../html',
    '',
    '../',
    'x/../../outside.html',
    '.',
    'all.html%00',
  ]
  it.each(['/', '/all/', '/files', '/files/', '/tried', '/tried/', '/regex/', '/rooted', '/rooted/'])(
    'below %s',
    async (prefix) => {
      for (const target of targets) {
        const tried = prefix.startsWith('/tried') ? [`${prefix}?file=/${target}`] : []
        for (const whole of [prefix + target, ...tried]) {
          const request = `GET ${whole} HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip, br, zstd\r\nConnection: close\r\n\r\n`
          const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
          expect(bytes.includes(OUTSIDE), whole).toBe(false)
        }
      }
    },
  )
})
