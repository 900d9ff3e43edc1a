// Static files beside nginx: which file a URI stands for, over a tree with odd names, and how it is answered.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { afterAll } from 'vitest'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeParity, type ParityCase } from './compare.ts'

const LONG = 'n'.repeat(200)

const tree = makeTree({
  'a.html': 'the page\n',
  'a.txt': 'the text\n',
  'A.HTML': 'capitals\n',
  empty: '',
  'no-extension': 'plain\n',
  'two.tar.gz': 'not packed\n',
  'dot.': 'ends in a dot\n',
  '.hidden': 'hidden\n',
  '.html': 'a name that is an extension\n',
  'd/.html': 'another\n',
  'd/..html': 'a third\n',
  '...': 'three dots\n',
  '..two': 'two dots in front\n',
  'with blank.txt': 'blank\n',
  '100%.txt': 'percent\n',
  '%41.txt': 'escaped name\n',
  'question?.txt': 'question\n',
  'hash#.txt': 'hash\n',
  'plus+.txt': 'plus\n',
  'quote".txt': 'quote\n',
  'back\\slash.txt': 'backslash\n',
  'semi;colon&and=.txt': 'punctuation\n',
  '\xc3\xbc.txt': 'UTF-8\n',
  '\xfc.txt': 'latin1\n',
  '\xff\xfe/\xe4.html': 'bytes\n',
  [`${LONG}.txt`]: 'long\n',
  'd/inside.html': 'inside\n',
  'd/e/deep.txt': 'deep\n',
  'd \xc3\xbc%/x': 'odd folder\n',
  'small.bin': '\x00\x01\xff'.repeat(1000),
  'edge.bin': 'e'.repeat(65536),
  'big.bin': Array.from({ length: 30_000 }, (_, line) => `line ${line.toString(36)}.\n`).join(''),
  'link.html': '-> a.html',
  'link-to-folder': '-> d',
  dangling: '-> nowhere',
  loop: '-> loop',
  secret: 'nobody may\n',
})
chmodSync(`${tree}/secret`, 0)
mkdirSync(`${tree}/closed`)
writeFileSync(`${tree}/closed/x`, 'x')
chmodSync(`${tree}/closed`, 0)

afterAll(async () => {
  chmodSync(`${tree}/closed`, 0o755)
  await removeFolder(tree)
})

const LOGS = `error_log logs/error.log;
  log_format parity '$status body=$body_bytes_sent [$document_root] [$request_filename] $uri';
  access_log logs/access.log parity;
  types { text/html html htm; text/x-plain txt; application/x-tar-packed gz; }
  default_type application/x-default;`

function get(target: string, more = '', method = 'GET'): string {
  return `${method} ${target} HTTP/1.1\r\nHost: h\r\n${more}Connection: close\r\n\r\n`
}

function cases(targets: readonly string[], method = 'GET', more = ''): ParityCase[] {
  return targets.map((target) => ({
    name: `${method} ${target.length > 60 ? `${target.slice(0, 57)}...` : target}`,
    send: get(target, more, method),
    until: 'close',
  }))
}

const NAMES = [
  '/a.html',
  '/a.txt',
  '/A.HTML',
  '/empty',
  '/no-extension',
  '/two.tar.gz',
  '/dot.',
  '/.hidden',
  '/.html',
  '/d/.html',
  '/d/..html',
  '/...',
  '/..two',
  '/with%20blank.txt',
  '/100%25.txt',
  '/%2541.txt',
  '/%41.txt',
  '/question%3F.txt',
  '/hash%23.txt',
  '/plus+.txt',
  '/quote%22.txt',
  '/back%5Cslash.txt',
  '/semi;colon&and=.txt',
  '/%C3%BC.txt',
  '/%FC.txt',
  '/%FF%FE/%E4.html',
  `/${LONG}.txt`,
  '/d/inside.html',
  '/d//inside.html',
  '/d/./e/../inside.html',
  '/a.html?query=1',
  '/small.bin',
  '/edge.bin',
  '/big.bin',
  '/link.html',
  '/link-to-folder/inside.html',
  '/secret',
  '/closed/x',
]

const REFUSED = [
  '/none',
  '/none.html',
  '/d/none/deeper',
  '/a.html/below',
  '/a.html/',
  '/dangling',
  '/loop',
  `/${'m'.repeat(300)}`,
  '/%C3%A4',
  '/nul%00l',
  '/../etc/passwd',
  '/d/%2e%2e/%2e%2e/x',
  '/d%2F..%2Fa.html',
  '/',
  '/d/',
  '/none/',
]

const FOLDERS = [
  '/d',
  '/d?a=b&c=d',
  '/d/e',
  '/link-to-folder',
  '/d%20%C3%BC%25',
  '/d%20%C3%BC%25?q=%20',
  '/%FF%FE',
  '/closed',
]

describeParity(
  'static files',
  `${LOGS}
  server {
    listen 127.0.0.1:%PORT%;
    root ${tree};
    location /quiet { log_not_found off; }
    location /page { error_page 404 405 =200 /a.html; }
    location /page404 { error_page 404 /a.html; }
    location /relative { absolute_redirect off; alias ${tree}; }
    location ~ ^/typed { types { } default_type x/y; root ${tree}; rewrite ^/typed(.*) $1 break; }
  }`,
  [
    ...cases(NAMES),
    ...cases(REFUSED),
    ...cases(FOLDERS),
    ...cases(['/a.html', '/empty', '/big.bin', '/none', '/d', '/d/'], 'HEAD'),
    ...cases(['/a.html', '/none', '/d', '/d/'], 'PUT'),
    ...cases(['/a.html'], 'DELETE'),
    ...cases(['/a.html'], 'OPTIONS'),
    ...cases(['/a.html', '/none', '/d', '/d/'], 'POST', 'Content-Length: 0\r\n'),
    ...cases([
      '/quiet/none',
      '/page/none',
      '/page404/none',
      '/relative/d',
      '/relative/d/e?x',
      '/typed/a.html',
    ]),
    {
      name: 'POST to a page for errors',
      send: get('/page/x', 'Content-Length: 0\r\n', 'POST'),
      until: 'close',
    },
    {
      name: 'GET with a body',
      send: `GET /a.html HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc${get('/a.txt')}`,
      until: 'close',
      logged: 2,
    },
    {
      name: 'several on one connection',
      send: `${['/a.html', '/empty', '/none', '/edge.bin', '/small.bin']
        .map((target) => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)
        .join('')}${get('/a.txt')}`,
      until: 'close',
      logged: 6,
    },
    {
      name: 'a range of a large file',
      send: get('/big.bin', 'Range: bytes=70000-150000\r\n'),
      until: 'close',
    },
    { name: 'a range of a held file', send: get('/edge.bin', 'Range: bytes=-10\r\n'), until: 'close' },
    { name: 'HTTP/1.0', send: 'GET /edge.bin HTTP/1.0\r\n\r\n', until: 'close' },
  ],
)

describeParity(
  'root and alias',
  `${LOGS}
  root html;
  server {
    listen 127.0.0.1:%PORT%;
    location /default { }
    location /slash { root ${tree}/; }
    location /relative { root html/inner/; }
    location /variable { root ${tree}/$arg_folder; rewrite ^/variable(.*) $1 break; }
    location /all-variable { root $arg_folder; rewrite ^/all-variable(.*) $1 break; }
    location /alias/ { alias ${tree}/; }
    location /bare { alias ${tree}; }
    location /folder/ { alias ${tree}/d/; location /folder/e/ { } location /folder/own { root ${tree}; } }
    location = /one { alias ${tree}/a.txt; }
    location ^~ /first/ { alias ${tree}/d/e/; }
    location ~ ^/regex/(.*)$ { alias ${tree}/$1; }
    location ~ ^/whole { alias ${tree}/a.html; }
    location ~ ^/named/(?<file>.+)$ { alias ${tree}/d/$file; }
    location /with-variable/ { alias ${tree}/$arg_folder/; }
    location /rewritten/ { alias ${tree}/; rewrite ^/rewritten/x /rewritten/a.html break; }
    location /rooted/ { root ${tree}; rewrite ^/rooted(.*) $1 break; }
    location /if/ { root html; if ($arg_in) { root ${tree}/d; } rewrite ^/if(.*) $1 break; }
    location /say/ { alias ${tree}/; return 200 "$document_root|$request_filename"; }
    location /say-if/ { if ($arg_in) { root /in; } return 200 "$document_root|$request_filename"; }
    location ~ ^/say-regex/(.*) { alias /x/$1; return 200 "$document_root|$request_filename"; }
    location /say-real/ { alias ${tree}/link-to-folder/; return 200 "$realpath_root"; }
    location /say-slash { root /; return 200 "$document_root|$request_filename"; }
  }`,
  cases([
    '/default/x',
    '/slash/x',
    '/relative/x',
    '/variable/inside.html?folder=d',
    '/variable/a.html',
    `/all-variable/a.html?folder=${tree}`,
    '/all-variable/a.html?folder=relative',
    '/alias/a.html',
    '/alias/d',
    '/alias/d?x=y',
    '/alias/none',
    '/alias/',
    '/alias',
    '/bare/a.html',
    '/bare',
    '/bareness',
    '/folder/inside.html',
    '/folder/e/deep.txt',
    '/folder/own/x',
    '/one',
    '/first/deep.txt',
    '/regex/a.html',
    '/regex/d',
    '/regex/d/',
    '/regex/%C3%BC.txt',
    '/whole',
    '/whole/whatever.txt',
    '/named/inside.html',
    '/with-variable/inside.html?folder=d',
    '/rewritten/a.txt',
    '/rewritten/x',
    '/rooted/d/inside.html',
    '/if/inside.html',
    '/if/inside.html?in=1',
    '/say/some%20thing',
    '/say-if/x',
    '/say-if/x?in=1',
    '/say-regex/y',
    '/say-real/y',
    '/say-slash',
  ]),
)

describeParity(
  'open_file_cache',
  `${LOGS}
  open_file_cache max=100 inactive=1h;
  server {
    listen 127.0.0.1:%PORT%;
    root ${tree};
    location /errors { open_file_cache_errors on; open_file_cache_valid 1h; alias ${tree}; }
    location /twice { open_file_cache max=2; open_file_cache_min_uses 2; alias ${tree}; }
    location /off { open_file_cache off; alias ${tree}; }
  }`,
  ['', '/errors', '/twice', '/off'].flatMap((base) =>
    ['/a.html', '/big.bin', '/d', '/none', '/loop', '/empty'].map((name) => ({
      name: `${base}${name} three times`,
      send: `GET ${base}${name} HTTP/1.1\r\nHost: h\r\n\r\n`.repeat(2) + get(base + name),
      until: 'close' as const,
      logged: 3,
    })),
  ),
)
