// `gzip_static` beside nginx: when the compressed file is sent in place of the other, what its head says, and what is
// in the log where it cannot be had.

import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll } from 'vitest'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, MODERN, type ParityCases, request } from './requests.ts'

const TEXT = 'a text with some words, some words in it, some words\n'.repeat(20)
const packed = (text: string) => gzipSync(text).toString('latin1')

const tree = makeTree({
  'both.html': TEXT,
  'both.html.gz': packed(TEXT),
  'page.txt': TEXT,
  'page.txt.gz': packed(TEXT),
  'only.html.gz': packed(TEXT),
  'plain.html': TEXT,
  'empty.html': '',
  'empty.html.gz': '',
  'folder.html': TEXT,
  'folder.html.gz/': '',
  'secret.html': TEXT,
  'secret.html.gz': packed(TEXT),
  'loop.html': TEXT,
  'loop.html.gz': '-> loop.html.gz',
  'dangling.html': TEXT,
  'dangling.html.gz': '-> nowhere',
  'linked.html': TEXT,
  'linked.html.gz': '-> both.html.gz',
  'pipe.html': TEXT,
  'real/x.html': TEXT,
  'real.gz': packed(TEXT),
  'd/index.html': TEXT,
  'd/index.html.gz': packed(TEXT),
  'd.gz': packed(TEXT),
  'twice.gz': packed(TEXT),
  'twice.gz.gz': packed(packed(TEXT)),
  '\xc3\xbc b.html': TEXT,
  '\xc3\xbc b.html.gz': packed(TEXT),
  'large.html': TEXT.repeat(500),
  'large.html.gz': Array.from({ length: 40_000 }, (_, line) => `line ${line.toString(36)}`).join('\n'),
  'error.html': 'an error\n',
  'error.html.gz': packed('an error\n'),
})
execFileSync('mkfifo', [`${tree}/pipe.html.gz`])
chmodSync(`${tree}/secret.html.gz`, 0)
afterAll(() => removeFolder(tree))

const CONF = `
  log_format static '$request_uri $status body=$body_bytes_sent type=$sent_http_content_type vary=$sent_http_vary encoding=$sent_http_content_encoding';
  access_log logs/access.log static;${MODERN}
  types { text/html html; text/plain txt; application/x-gz gz; }
  default_type application/x-default;
  gzip_static on;
  server {
    listen 127.0.0.1:%PORT%;
    server_name static.test;
    root ${tree};
    location /vary/ { alias ${tree}/; gzip_vary on; }
    location /off/ { alias ${tree}/; gzip_static off; gzip_vary on; }
    location /always/ { alias ${tree}/; gzip_static always; gzip_vary on; }
    location /ALWAYS/ { alias ${tree}/; gzip_static ALWAYS; gunzip on; gzip_vary on;
      location /ALWAYS/off/ { alias ${tree}/; gzip_static off; } }
    location /gunzip/ { alias ${tree}/; gzip_static always; gunzip on; }
    location /gzip/ { alias ${tree}/; gzip on; gzip_vary on; }
    location /old/ { alias ${tree}/; gzip_http_version 1.0; }
    location /proxied/ { alias ${tree}/; gzip_proxied any; gzip_vary on; }
    location /lm/ { alias ${tree}/; gzip_proxied no_last_modified no_etag; }
    location /msie/ { alias ${tree}/; gzip_disable msie6 "^Odd"; }
    location /noetag/ { alias ${tree}/; etag off; expires 1h; add_header X-Added yes; }
    location /held/ { alias ${tree}/; open_file_cache max=100; open_file_cache_errors on; gzip_vary on; }
    location /nolog/ { alias ${tree}/; log_not_found off; }
    location /try/ { root ${tree}; try_files /both.html /page.txt =404; }
    location ~ ^/regex/(.*)$ { alias ${tree}/$1; gzip_vary on; }
    location /variable/ { root ${tree}/$arg_folder; rewrite ^/variable/(.*)$ /variable/$1 break; try_files /both.html =404; }
    location /errors/ { error_page 404 /error.html; alias ${tree}/nothing/; }
    location /errors/coded/ { error_page 404 =200 /error.html; alias ${tree}/nothing/; }
    location /backend { proxy_pass http://%BACKEND%; }
    location /if/ { alias ${tree}/; if ($arg_x) { add_header X-If yes; } }
  }
`

const accept = (target: string, ...more: string[]) => get(target, 'Accept-Encoding: gzip', ...more)

const FILES = [
  'both.html',
  'page.txt',
  'only.html',
  'plain.html',
  'missing.html',
  'empty.html',
  'folder.html',
  'secret.html',
  'loop.html',
  'dangling.html',
  'linked.html',
  'pipe.html',
  'real/x.html',
  'both.html/x',
  'd',
  'd/',
  'real',
  'twice.gz',
  'both.html.gz',
  '%C3%BC%20b.html',
  'large.html',
  `${'n'.repeat(254)}`,
  `${'n'.repeat(300)}`,
]

const files: ParityCases = ['/', '/vary/', '/always/', '/held/'].flatMap((folder) =>
  FILES.flatMap((file) => [
    { name: `${folder}${file.slice(0, 30)} ${file.length}, accepted`, send: accept(folder + file) },
    { name: `${folder}${file.slice(0, 30)} ${file.length}, not accepted`, send: get(folder + file) },
  ]),
)

const folders: ParityCases = [
  '/off/',
  '/ALWAYS/',
  '/ALWAYS/off/',
  '/gunzip/',
  '/gzip/',
  '/old/',
  '/proxied/',
  '/lm/',
  '/msie/',
  '/noetag/',
  '/nolog/',
  '/regex/',
  '/if/',
].flatMap((folder) => [
  { name: `${folder}both.html`, send: accept(`${folder}both.html`) },
  { name: `${folder}both.html, not accepted`, send: get(`${folder}both.html`) },
  { name: `${folder}only.html`, send: accept(`${folder}only.html`) },
  { name: `${folder}missing.html`, send: accept(`${folder}missing.html`) },
  { name: `${folder}plain.html`, send: accept(`${folder}plain.html`) },
  { name: `${folder}plain.html, not accepted`, send: get(`${folder}plain.html`) },
  { name: `${folder}both.html by a proxy`, send: accept(`${folder}both.html`, 'Via: 1.1 proxy') },
  { name: `${folder}both.html to MSIE 6`, send: accept(`${folder}both.html`, 'User-Agent: MSIE 6.0; x') },
  { name: `${folder}both.html to an odd one`, send: accept(`${folder}both.html`, 'User-Agent: odd') },
  { name: `${folder}both.html, argument`, send: accept(`${folder}both.html?x=1`) },
  {
    name: `${folder}both.html to HTTP/1.0`,
    send: `GET ${folder}both.html HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n`,
    until: 'close' as const,
  },
])

const HEADED = request('HEAD', '/both.html', 'Accept-Encoding: gzip')
const etag = (text: string) => `"6553f100-${text.length.toString(16)}"`

const requests: ParityCases = [
  { name: 'HEAD', send: HEADED },
  { name: 'HEAD, vary', send: request('HEAD', '/vary/both.html', 'Accept-Encoding: gzip') },
  { name: 'HEAD, always', send: request('HEAD', '/always/both.html') },
  { name: 'HEAD, gunzip', send: request('HEAD', '/gunzip/both.html') },
  { name: 'HEAD, empty', send: request('HEAD', '/empty.html', 'Accept-Encoding: gzip') },
  ...['POST', 'PUT', 'OPTIONS', 'DELETE'].map((method) => ({
    name: method,
    send: request(method, '/both.html', 'Accept-Encoding: gzip', 'Content-Length: 2').concat('ab'),
  })),
  { name: 'a body', send: `${accept('/both.html', 'Content-Length: 2')}ab` },
  {
    name: 'a chunked body',
    send: `${accept('/both.html', 'Transfer-Encoding: chunked')}2\r\nab\r\n0\r\n\r\n`,
  },
  { name: 'two requests', send: [accept('/both.html'), accept('/vary/plain.html')], until: 2, logged: 2 },
  { name: 'range', send: accept('/both.html', 'Range: bytes=0-3') },
  { name: 'range of what is not compressed', send: get('/both.html', 'Range: bytes=0-3') },
  { name: 'range, always', send: get('/always/both.html', 'Range: bytes=2-') },
  { name: 'since then', send: accept('/both.html', 'If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT') },
  { name: 'since before', send: accept('/both.html', 'If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT') },
  {
    name: 'not changed since',
    send: accept('/both.html', 'If-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT'),
  },
  {
    name: 'changed since',
    send: accept('/vary/both.html', 'If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT'),
  },
  { name: 'its tag', send: accept('/vary/both.html', `If-None-Match: ${etag(packed(TEXT))}`) },
  { name: 'its weak tag', send: accept('/both.html', `If-None-Match: W/${etag(packed(TEXT))}`) },
  { name: 'the tag of the other', send: accept('/both.html', `If-None-Match: ${etag(TEXT)}`) },
  { name: 'If-Match', send: accept('/both.html', `If-Match: ${etag(packed(TEXT))}`) },
  { name: 'If-Match, the tag of the other', send: accept('/both.html', `If-Match: ${etag(TEXT)}`) },
  { name: 'try_files', send: accept('/try/x') },
  { name: 'try_files, not accepted', send: get('/try/x') },
  { name: 'a root with a variable', send: accept('/variable/x') },
  { name: 'a root that leads nowhere', send: accept('/variable/x?folder=none') },
  { name: 'error_page', send: accept('/errors/x') },
  { name: 'error_page, not accepted', send: get('/errors/x') },
  { name: 'error_page with a code', send: accept('/errors/coded/x') },
  { name: 'a backend', send: accept('/backend') },
  ...['gzip;q=0', 'gzip;q=0.1', '*', 'deflate', 'x-gzip', 'br, GZIP'].map((value) => ({
    name: `Accept-Encoding: ${value}`,
    send: get('/vary/both.html', `Accept-Encoding: ${value}`),
  })),
]

describeParity('gzip_static, files', CONF, files)
describeParity('gzip_static, locations', CONF, folders)
describeParity('gzip_static, requests', CONF, requests)
describeRefusals('gzip_static refuses', [
  'gzip_static yes;',
  'gzip_static 1;',
  'gzip_static;',
  'gzip_static on always;',
  'gzip_static on; gzip_static off;',
  'server { location / { if ($args) { gzip_static on; } } }',
  'server { if ($args) { gzip_static on; } }',
  'server { location / { limit_except GET { gzip_static on; } } }',
])
