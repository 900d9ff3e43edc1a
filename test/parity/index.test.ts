// `index`: which file stands for a folder, and what is answered when none does.

import { afterAll } from 'vitest'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, type ParityCases, request } from './requests.ts'

const TREE = makeTree({
  'html/index.html': 'top\n',
  'html/index.txt': 'text\n',
  'html/empty/': '',
  'html/sub/index.html': 'sub\n',
  'html/sub/deep/other.txt': 'other\n',
  'html/folder/index.html/': '',
  'html/file': 'file\n',
  'html/dangling/index.html': '-> nowhere',
  'html/loop/index.html': '-> index.html',
  'html/a b%/index.html': 'odd\n',
  'html/\xc3\xa9/index.html': 'e\n',
  'other/index.html': 'other\n',
  'other/x': 'x\n',
})
afterAll(() => removeFolder(TREE))

const HTTP = `${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    root ${TREE}/html;
    add_header X-Uri "$uri|$args|$request_filename";
    location /empty/first/ { index a b; root ${TREE}/html/empty; }
    location /list/ { index none.html index.txt index.html; alias ${TREE}/html/; }
    location /list-bare { index index.txt; alias ${TREE}/html; }
    location /variable/ { index $arg_name $arg_second; alias ${TREE}/html/; }
    location /mixed/ { index pre$arg_name.html index.txt; alias ${TREE}/html/; }
    location /absolute/ { index none /sub/index.html; alias ${TREE}/html/; }
    location /absolute-variable/ { index /$arg_name; alias ${TREE}/html/; }
    location /missing-absolute/ { index none /nowhere; alias ${TREE}/html/; }
    location /quiet/ { log_not_found off; root ${TREE}; }
    location /two/ { index none; index index.txt; alias ${TREE}/html/; }
    location ~ ^/regex/(.*)$ { alias ${TREE}/html/$1; }
    location /nested/ {
      alias ${TREE}/other/;
      location /nested/index.html { return 200 "redirected to $uri\\n"; }
    }
    location = / { }
    location = /index.html { add_header X-Exact "$uri"; }
    location /rewritten { rewrite ^/rewritten(.*)$ /sub$1 break; }
    location /cycle/ { index index.html; rewrite ^/cycle/(index.html)$ /cycle/ last; alias ${TREE}/html/; }
    location /if/ { index index.txt; if ($arg_a) { add_header X-If yes; } root ${TREE}/html; }
    location /pages/ { error_page 403 404 =200 /file; root ${TREE}/html; }
  }
`

const targets = [
  ...['/', '/?a=b', '/sub/', '/sub/?x', '/sub/deep/', '/empty/', '/empty', '/none/', '/none/none/', '/file/'],
  ...['/file/x/', '/folder/', '/dangling/', '/loop/', '/a%20b%25/', '/%c3%a9/', '/none%00/', '/index.html/'],
  ...['/empty/first/', '/list/', '/list/sub/', '/list/none/', '/list-bare/', '/list-bare', '/list-bare/sub/'],
  ...['/variable/', '/variable/?name=index.txt', '/variable/?name=none&second=index.html'],
  ...['/variable/?name=/file', '/variable/?name=none&second=/file', '/variable/?name=sub/index.html'],
  ...['/mixed/?name=x', '/mixed/', '/absolute/', '/absolute/?q=1', '/absolute/none/', '/missing-absolute/'],
  ...['/absolute-variable/?name=file', '/absolute-variable/?name=sub/', '/quiet/', '/two/', '/two/sub/'],
  ...['/regex/', '/regex/sub/', '/regex/none/', '/regex/file/', '/nested/', '/nested/x/', '/rewritten/'],
  ...['/rewritten/deep/', '/cycle/', '/if/', '/if/?a=1', '/pages/', '/pages/none/', `/${'x'.repeat(300)}/`],
]

const cases: ParityCases = [
  ...targets.map((target) => ({ name: target.slice(0, 60), send: get(target) })),
  ...['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].flatMap((method) =>
    ['/', '/empty/', '/sub/?a'].map((target) => ({
      name: `${method} ${target}`,
      send: request(method, target, 'Content-Length: 0', 'Connection: close'),
      until: 'close' as const,
    })),
  ),
]

describeParity('index', HTTP, cases)

describeRefusals('index', [
  'index;',
  'index "";',
  'index a "" b;',
  'index a {}',
  'server { index $none; }',
  'server { index $; }',
  'server { if ($host) { index a; } }',
  'server { location / { if ($host) { index a; } } }',
  'server { location / { limit_except GET { index a; } } }',
])
