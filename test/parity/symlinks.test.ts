// `disable_symlinks`: which links on the way to a file are followed, by whatever looks for files.

import { lchownSync, symlinkSync } from 'node:fs'
import { afterAll } from 'vitest'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, type ParityCases, request } from './requests.ts'

const TREE = makeTree({
  'html/file.txt': 'file\n',
  'html/folder/index.html': 'folder\n',
  'html/folder/file.txt': 'in folder\n',
  'html/folder/deep/file.txt': 'deep\n',
  'html/folder/link': '-> file.txt',
  'html/listed/a': 'a\n',
  'html/listed/link': '-> a',
  'html/indexed/index.html': '-> ../file.txt',
  'html/link': '-> file.txt',
  'html/foreign': '-> file.txt',
  'html/dangling': '-> nowhere',
  'html/loop': '-> loop',
  'html/up': '-> ../outside.txt',
  'html/folders': '-> folder',
  'html/foreign-folder': '-> folder',
  'html/listing': '-> listed',
  'html/\xe4 b': '-> file.txt',
  'html/\xf6/file.txt': 'umlaut\n',
  'outside.txt': 'outside\n',
  linked: '-> html',
})
symlinkSync(`${TREE}/html/file.txt`, `${TREE}/html/absolute`)
// Without the right to give files away the links stay our own, for both proxies.
if (process.getuid?.() === 0) {
  lchownSync(`${TREE}/html/foreign`, 65_534, 65_534)
  lchownSync(`${TREE}/html/foreign-folder`, 65_534, 65_534)
}
afterAll(() => removeFolder(TREE))

/** What is asked of each file: itself, `try_files`, the questions of `if`. */
const WAYS = `
    location /try/ { rewrite ^/try(/.*)$ $1 break; try_files $uri $uri/ =404; }
    location /if/ {
      rewrite ^/if(/.*)$ $1 break;
      if (-f $request_filename) { add_header X-File yes; }
      if (-d $request_filename) { add_header X-Folder yes; }
      if (-e $request_filename) { return 200 "there\\n"; }
      if (!-e $request_filename) { return 200 "not there\\n"; }
    }
    location /executable/ {
      rewrite ^/executable(/.*)$ $1 break;
      if (-x $request_filename) { return 200 "yes\\n"; }
      if (!-x $request_filename) { return 200 "no\\n"; }
    }
    location /alias/ { alias ${TREE}/linked/; }
    location /alias-below/ { alias ${TREE}/html/folders/; }`

const SERVERS: Record<string, string> = {
  on: 'disable_symlinks on;',
  owner: 'disable_symlinks if_not_owner;',
  off: 'disable_symlinks off;',
  'on-from': `disable_symlinks on from=${TREE}/html;`,
  'from-first': `disable_symlinks from=${TREE}/html/ on;`,
  'owner-from': 'disable_symlinks if_not_owner from=$document_root;',
  'from-file': `disable_symlinks on from=${TREE}/html/link;`,
  'from-part': `disable_symlinks on from=${TREE}/html/fold;`,
  'from-elsewhere': 'disable_symlinks on from=/nowhere;',
  'from-empty': 'disable_symlinks on from=$arg_none;',
  'from-request': `disable_symlinks on from=${TREE}/html/$arg_from;`,
  'linked-root': `disable_symlinks on; root ${TREE}/linked;`,
  'linked-root-from': `disable_symlinks on from=$document_root; root ${TREE}/linked;`,
  'missing-root': `disable_symlinks on from=$document_root; root ${TREE}/missing;`,
  cached: 'disable_symlinks on; open_file_cache max=100; open_file_cache_errors on;',
  listing: 'disable_symlinks on; autoindex on; index none /file.txt;',
}

const HTTP = `${LOGGING}
  disable_symlinks on;
  ${Object.entries(SERVERS)
    .map(
      ([name, conf]) => `
  server {
    listen 127.0.0.1:%PORT%;
    server_name ${name};
    ${conf.includes('root ') ? '' : `root ${TREE}/html;`}
    ${conf}
    ${WAYS}
  }`,
    )
    .join('')}
  server {
    listen 127.0.0.1:%PORT%;
    server_name inherits;
    root ${TREE}/html;
    location /folder { disable_symlinks off; location /folder/deep/ { } }
    location /folders { disable_symlinks if_not_owner; }
    location /foreign { disable_symlinks on from=${TREE}/html/foreign; }
    location = /page { error_page 403 404 /link; return 403; }
    location = /found { error_page 404 = /file.txt; return 404; }
  }
  server {
    listen 127.0.0.1:%PORT%;
    server_name logs;
    root ${TREE}/html;
    location / { return 200 "logged\\n"; access_log ${TREE}/html/folders/$arg_log parity; access_log logs/access.log parity; }
    location /root/ { root ${TREE}/linked; return 200 "logged\\n"; access_log ${TREE}/$arg_log parity; access_log logs/access.log parity; }
  }
`

const FILES = [
  ...['file.txt', 'link', 'foreign', 'dangling', 'loop', 'up', 'absolute', 'none', 'file.txt/', 'link/'],
  ...['folder', 'folder/', 'folder/link', 'folders', 'folders/', 'folders/file.txt', 'folders/none'],
  ...[
    'folders/deep/file.txt',
    'foreign-folder/',
    'foreign-folder/file.txt',
    'indexed/',
    'listing/',
    'listed/',
  ],
  ...['%e4%20b', '%f6/file.txt', '', `${'x'.repeat(300)}`, 'folder/%00', 'link%00', 'folder//file.txt'],
]

const cases: ParityCases = [
  ...Object.keys(SERVERS).flatMap((server) =>
    FILES.map((file) => ({
      name: `${server}: /${file.slice(0, 40)}`,
      send: get(`/${file}`, `Host: ${server}`),
    })),
  ),
  ...['on', 'owner', 'off', 'on-from', 'cached', 'linked-root-from', 'from-file'].flatMap((server) =>
    ['try', 'if', 'executable', 'alias', 'alias-below'].flatMap((way) =>
      [
        'file.txt',
        'link',
        'foreign',
        'dangling',
        'folder',
        'folder/',
        'folders',
        'folders/',
        'none',
        'loop',
      ].map((file) => ({
        name: `${server}: ${way} of ${file}`,
        send: get(`/${way}/${file}`, `Host: ${server}`),
      })),
    ),
  ),
  ...['folder/', 'folders/', 'folders/file.txt', 'link'].flatMap((from) =>
    ['folder/link', 'folders/file.txt', 'folders/', 'link'].map((file) => ({
      name: `a request may say what is trusted: ${from} of ${file}`,
      send: get(`/${file}?from=${from}`, 'Host: from-request'),
    })),
  ),
  ...[
    ...['/folder/link', '/folder/deep/file.txt', '/folders/file.txt', '/folders/', '/foreign'],
    ...['/foreign-folder/', '/link', '/page', '/found', '/file.txt'],
  ].map((target) => ({ name: `inherited: ${target}`, send: get(target, 'Host: inherits') })),
  ...['HEAD', 'POST', 'PUT'].flatMap((method) =>
    ['/link', '/file.txt', '/folders/'].map((target) => ({
      name: `${method} ${target}`,
      send: request(method, target, 'Host: on', 'Content-Length: 0', 'Connection: close'),
      until: 'close' as const,
    })),
  ),
  ...['/?log=log', '/root/?log=log'].map((target) => ({
    name: `a log behind a link: ${target}`,
    send: get(target, 'Host: logs'),
  })),
]

describeParity('disable_symlinks', HTTP, cases)

describeRefusals('disable_symlinks', [
  'disable_symlinks;',
  'disable_symlinks on from=/x if_not_owner;',
  'disable_symlinks yes;',
  'disable_symlinks On;',
  'disable_symlinks from=/x;',
  'disable_symlinks from=/x from=/y;',
  'disable_symlinks on off;',
  'disable_symlinks on on;',
  'disable_symlinks off from=/x;',
  'disable_symlinks from=/x off;',
  'disable_symlinks on from=$nothing;',
  'disable_symlinks on from=$;',
  'disable_symlinks on; disable_symlinks off;',
  'disable_symlinks on from=/x; disable_symlinks off;',
  'server { location / { if ($host) { disable_symlinks on; } } }',
  'server { location / { limit_except GET { disable_symlinks on; } } }',
  'server { if ($host) { disable_symlinks on; } }',
])
