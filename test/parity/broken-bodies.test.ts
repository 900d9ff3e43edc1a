// A request body whose chunks are broken, sent to what has no use for one.

import { afterAll } from 'vitest'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, request } from './requests.ts'

const TREE = makeTree({
  'file.txt': 'file\n',
  'folder/index.html': 'folder\n',
  'listed/a': 'a\n',
})
afterAll(() => removeFolder(TREE))

const HTTP = `${MODERN}${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    root ${TREE};
    location /text { return 200 "text\\n"; }
    location /text-404 { return 404 "text\\n"; }
    location /redirect { return 302 /elsewhere; }
    location /url { return http://elsewhere/; }
    location /code { return 403; }
    location /no-content { return 204; }
    location /page { error_page 403 /file.txt; return 403; }
    location /page-redirect { error_page 403 =302 /elsewhere; return 403; }
    location /page-text { error_page 403 = /text; return 403; }
    location /page-400 { error_page 400 /text; return 200 "text\\n"; }
    location /page-400-file { error_page 400 = /file.txt; return 302 /x; }
    location /denied { deny all; }
    location /user { auth_basic realm; auth_basic_user_file ${TREE}/file.txt; }
    location /named { try_files /none @named; }
    location @named { return 200 "named\\n"; }
    location /try { try_files /none =404; }
    location /listed { autoindex on; }
    location /only { limit_except GET { deny all; } }
  }
`

const TARGETS = [
  ...[
    '/text',
    '/text-404',
    '/redirect',
    '/url',
    '/code',
    '/no-content',
    '/page',
    '/page-redirect',
    '/page-text',
  ],
  ...[
    '/page-400',
    '/page-400-file',
    '/denied',
    '/user',
    '/named',
    '/try',
    '/file.txt',
    '/folder',
    '/folder/',
  ],
  ...['/listed/', '/none', '/only'],
]

const BROKEN: Record<string, string> = {
  'no size': 'xyz\r\n',
  'a size too long': '10000000000000000000000\r\n',
  'no end behind a chunk': '3\r\nabcd\r\n',
  'a second chunk without size': '3\r\nabc\r\n!\r\n',
}

function chunked(method: string, target: string, ...headers: string[]): string {
  return request(method, target, 'Transfer-Encoding: chunked', ...headers)
}

const cases: ParityCases = [
  ...TARGETS.flatMap((target) =>
    Object.entries(BROKEN).map(([what, body]) => ({
      name: `${what}: ${target}`,
      send: `${chunked('GET', target)}${body}${get('/text')}`,
      until: 'close' as const,
    })),
  ),
  ...['/text', '/file.txt', '/code', '/folder/', '/none'].flatMap((target) =>
    ['HEAD', 'POST'].map((method) => ({
      name: `${method} ${target}`,
      send: `${chunked(method, target)}xyz\r\n`,
      until: 'close' as const,
    })),
  ),
  ...['/text', '/file.txt', '/code'].map((target) => ({
    name: `whole chunks: ${target}`,
    send: `${chunked('GET', target)}3\r\nabc\r\n0\r\n\r\n${get('/text')}`,
    until: 2,
    logged: 2,
  })),
]

describeParity('broken chunks', HTTP, cases)
