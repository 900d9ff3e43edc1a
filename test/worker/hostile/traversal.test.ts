// Whatever a client writes in place of a path, no file and no name outside of the folders that the configuration shows
// is ever sent.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOSTILE_TARGETS } from '../../corpus/hostile-targets.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { removeFolder } from '../../support/temporary.ts'
import { makeTree } from '../../support/tree.ts'

/** In the content and the names of what must stay hidden. */
const MARKER = 'kept-to-itself'

/** By where they stand, the locations that lead to files. */
const LOCATIONS: Record<string, string> = {
  '/': '',
  '/root/': 'root %BOX%;',
  '/root': '',
  '/alias/': 'alias %BOX%/html/;',
  '/bare': 'alias %BOX%/html;',
  '/files': 'alias %BOX%/html/;',
  '/try/': 'rewrite ^/try(.*)$ $1 break; try_files $uri $uri/ $uri.html /page.html;',
  '/try-alias': 'alias %BOX%/html/; try_files $uri $uri/ =404;',
  '/try-query/': 'try_files $arg_file $uri$arg_file /$arg_file/ $arg_file/ =404;',
  '/try-last/': 'try_files /none $arg_file;',
  '/try-last-alias/': 'alias %BOX%/html/; try_files /none $uri;',
  '/index-query/': 'alias %BOX%/html/; index $arg_file page$arg_file;',
  '/variable/': 'root %BOX%/$arg_folder/html; rewrite ^/variable(.*)$ $1 break;',
  '/rewritten/': 'rewrite ^/rewritten/(.*)$ /sub/$1 break;',
  '/rewritten-query/': 'rewrite ^ /$arg_file break;',
  '/last/': 'rewrite ^/last/(.*)$ /files$1 last;',
  '/outer': 'alias %BOX%/html/; location /outer/inner { alias %BOX%/html/sub/; }',
  '/outer/inner': '',
  '~ ^/regex(.*)$': 'alias %BOX%/html/$1;',
  '~ ^/regex-slash/(?<path>.*)$': 'alias %BOX%/html/$path;',
  '~ ^/regex-try(?<path>.*)$': 'alias %BOX%/html/; try_files $path $path/ =404;',
  '~ ^/capture/(.*)$': 'try_files /$1 /sub/$1 =404;',
  '/error/': 'error_page 404 = $arg_file; root %BOX%/none;',
}

const PREFIXES = [
  ...Object.keys(LOCATIONS).filter((name) => !name.startsWith('~')),
  ...['/regex', '/regex/', '/regex-slash/', '/regex-try', '/regex-try/', '/capture/', ''],
]

const CONF = serverConf(
  `root %BOX%/html; autoindex on; merge_slashes %MERGE%;
  ${Object.entries(LOCATIONS)
    .filter(([, directives]) => directives !== '')
    .map(([name, directives]) => `location ${name} { ${directives} }`)
    .join('\n')}`,
)

describe.each(['on', 'off'])('with merge_slashes %s', (merge) => {
  let engine: TestEngine
  let box: string
  beforeAll(async () => {
    box = makeTree({
      'box/html/page.html': 'page\n',
      'box/html/sub/index.html': 'index\n',
      'box/html/sub/deep/page.html': 'page\n',
      'box/root/page.html': 'page\n',
      'box/html-secret.txt': MARKER,
      'box/secret.txt': MARKER,
      [`box/secret/${MARKER}`]: '',
      'box/secret/secret.txt': MARKER,
      'secret.txt': MARKER,
      [`secret/${MARKER}`]: '',
      'secret/secret.txt': MARKER,
    })
    engine = await TestEngine.start(CONF, { BOX: `${box}/box`, MERGE: merge })
  })
  afterAll(async () => {
    await engine.stop()
    await removeFolder(box)
  })

  const ask = async (targets: readonly string[]): Promise<string[]> => {
    const leaks: string[] = []
    const one = async (target: string): Promise<void> => {
      const request = `GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`
      const { bytes } = await rawRequest(engine.port, Buffer.from(request, 'latin1'), { until: 'close' })
      const answer = bytes.toString('latin1')
      if (!/^HTTP\/1\.1 [2345]\d\d /.test(answer)) leaks.push(`${target}: no answer`)
      if (answer.includes(MARKER) || answer.includes('root:x:0:')) leaks.push(target)
    }
    for (let from = 0; from < targets.length; from += 32) {
      await Promise.all(targets.slice(from, from + 32).map(one))
    }
    return leaks
  }

  it('shows what it is to show', async () => {
    for (const target of [
      '/page.html',
      '/alias/page.html',
      '/files/page.html',
      '/try/page',
      '/capture/page.html',
    ]) {
      const request = `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`
      expect((await rawRequest(engine.port, request)).bytes.toString('latin1'), target).toMatch(
        /200 OK[\s\S]*page\n$/,
      )
    }
  })

  // Without merging only those with several slashes can mean something else.
  const targets = HOSTILE_TARGETS.filter((target) => merge === 'on' || /(?:\/|%2f){2}/i.test(`/${target}`))

  it.each(PREFIXES)('%s leads to nothing outside', async (prefix) => {
    expect(await ask(targets.map((target) => prefix + target))).toEqual([])
  })

  it('a folder named by the query leads to nothing outside', async () => {
    const folders = ['..', '../..', 'html/../..', '%2e%2e', '/etc', '', '.', '../box', '..%2f..']
    expect(
      await ask(
        folders.flatMap((folder) =>
          ['secret.txt', '../secret.txt', 'secret/', ''].map((file) => `/variable/${file}?folder=${folder}`),
        ),
      ),
    ).toEqual([])
  })
})

it('the corpus has at least 200 targets', () => {
  expect(HOSTILE_TARGETS.length).toBeGreaterThanOrEqual(200)
})
