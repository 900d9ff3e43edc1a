// `try_files`: which file or folder the URI becomes, and where the request goes when none is there.

import { afterAll } from 'vitest'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, MODERN, type ParityCases, request } from './requests.ts'

const TREE = makeTree({
  'html/index.html': 'top\n',
  'html/file.txt': 'file\n',
  'html/page.html': 'page\n',
  'html/maintenance.html': 'maintenance\n',
  'html/folder/index.html': 'folder\n',
  'html/folder/page.html': 'folder page\n',
  'html/empty/': '',
  'html/example/file.txt': 'host file\n',
  'html/dangling': '-> nowhere',
  'html/loop': '-> loop',
  'html/a b': 'odd\n',
  'alias/file.txt': 'alias file\n',
  'alias/index.html': 'alias index\n',
  'alias/folder/index.html': 'alias folder\n',
  'alias/page.html': 'alias page\n',
  htmlbeside: 'beside\n',
})
afterAll(() => removeFolder(TREE))

const FALLBACKS: Record<string, string> = {
  code: '$uri $uri/ =404',
  teapot: '$uri =418',
  forbidden: '$uri =403',
  gone: '$uri =444',
  zero: '$uri =0',
  one: '$uri =1',
  continue: '$uri =100',
  early: '$uri =103',
  informational: '$uri =199',
  redirect: '$uri =301',
  'no-content': '$uri =204',
  uri: '$uri $uri/ /index.html',
  args: '$uri $uri/ /shown?q=$uri&$args',
  'empty-args': '$uri /shown?',
  variable: '$uri $arg_to',
  named: '$uri @backend',
  'named-missing': '$uri @missing',
  'named-variable': '$uri @$arg_to',
  html: '$uri $uri.html $uri/index.html =404',
  maintenance: '/maintenance.html $uri =404',
  bare: 'beside =404',
  slash: '/ $uri =404',
  'folder-only': '$uri/ =404',
  'constant-folder': '/folder/ =404',
  host: '/$host$uri $uri =404',
  empty: '"" =404',
  'last-folder': '$uri /folder/',
  'no-slash': '$uri index.html',
  cycle: '$uri /cycle/again',
  internal: '$uri /internal',
}

// Whether a URI without a query leaves $args empty or not found is undefined in nginx: it is not logged.
const HTTP = `${MODERN}
  log_format parity '$request_method $request_uri -> $uri, $host $server_name: $status body=$body_bytes_sent';
  access_log logs/access.log parity;
  server {
    listen 127.0.0.1:%PORT%;
    server_name example;
    root ${TREE}/html;
    add_header X-Uri "$uri|$args|$request_filename|$request_uri" always;
    ${Object.entries(FALLBACKS)
      .map(([name, args]) => `location /${name}/ { rewrite ^/${name}(.*)$ $1 break; try_files ${args}; }`)
      .join('\n    ')}
    location = /shown { return 200 "shown $uri $args\\n"; }
    location = /internal { internal; return 200 "internal\\n"; }
    location @backend { proxy_pass http://%BACKEND%; }
    location /cycle { try_files $uri /cycle/again; }
    location /alias/ { alias ${TREE}/alias/; try_files $uri $uri/ =404; }
    location /alias-uri/ { alias ${TREE}/alias/; try_files $uri $uri/ /alias-uri/page.html; }
    location /alias-variable/ { alias ${TREE}/alias/; try_files $uri /alias-variable/$uri; }
    location /alias-constant/ { alias ${TREE}/alias/; try_files page.html =404; }
    location /alias-slash/ { alias ${TREE}/alias/; try_files /page.html =404; }
    location /alias-bare { alias ${TREE}/alias; try_files $uri $uri/ =404; }
    location ~ ^/regex/(.*)$ { alias ${TREE}/alias/$1; try_files "" / =404; }
    location ~ ^/regex-uri(?<path>/.*)$ { alias ${TREE}/alias; try_files $path =404; }
    location ~ ^/regex-named/(.*)$ { alias ${TREE}/alias/$1; try_files $uri @backend; }
    location /alias-broken/ { rewrite ^ /folder/ break; alias ${TREE}/alias/; try_files $uri =404; }
    location /proxied/ { try_files $uri =404; proxy_pass http://%BACKEND%; }
    location /proxied-found { try_files /file.txt =404; proxy_pass http://%BACKEND%; }
    location /if/ { try_files /none =404; if ($arg_a) { add_header X-If yes; } root ${TREE}/html; }
    location /returns/ { try_files $uri =404; return 200 "returned\\n"; }
    location /pages/ { try_files $uri =404; error_page 404 =200 /file.txt; }
    location /outer/ {
      try_files /file.txt =404;
      location /outer/inner { }
    }
  }
  server {
    listen 127.0.0.1:%PORT%;
    server_name server;
    root ${TREE}/html;
    try_files $uri /page.html =404;
    location /inside/ { }
    location /named/ { try_files /none @there; }
    location @there { return 200 "there $uri\\n"; }
  }
`

const each = Object.keys(FALLBACKS)
  .filter((name) => !['gone', 'variable', 'one', 'continue', 'early', 'informational'].includes(name))
  .flatMap((name) =>
    ['file.txt', 'none', 'folder', 'folder/', '?to=/shown', 'page', '?to=backend', 'none?a=b'].map(
      (rest) => `/${name}/${rest}`,
    ),
  )

const targets = [
  ...each,
  ...['/code/a%20b', '/code/dangling', '/code/file.txt/x', '/code/file.txt/', `/code/${'x'.repeat(300)}`],
  ...['/cycle', '/cycle?a', '/proxied/file.txt', '/proxied/none', '/proxied-found?a=b', '/if/x', '/if/x?a=1'],
  ...['/returns/', '/pages/none', '/outer/', '/outer/inner', '/outer/none', '/alias-broken/x', '/code/loop'],
  ...['/', '/file.txt', '/folder', '/none', '/variable/file.txt', '/variable/none?to=/shown'],
  ...['alias', 'alias-uri', 'alias-variable', 'alias-constant', 'alias-slash', 'alias-bare'].flatMap((name) =>
    ['', 'file.txt', 'none', 'folder', 'folder/', 'folder/none'].map((rest) => `/${name}/${rest}`),
  ),
  ...['regex', 'regex-uri', 'regex-named'].flatMap((name) =>
    ['', 'file.txt', 'none', 'folder', 'folder/'].map((rest) => `/${name}/${rest}`),
  ),
]

const cases: ParityCases = [
  ...targets.map((target) => ({ name: target.slice(0, 60), send: get(target) })),
  ...['/named/none', '/uri/none', '/code/none', '/proxied/none', '/proxied-found'].map((target) => ({
    name: `a body goes along: ${target}`,
    send: `${request('POST', target, 'Content-Length: 4')}body`,
  })),
  { name: '=444', send: get('/gone/none'), until: 'close' },
  ...['one', 'continue', 'early', 'informational'].flatMap((name) =>
    ['GET', 'HEAD', 'POST'].map((method) => ({
      name: `${method} without an answer: ${name}`,
      send: request(method, `/${name}/none`, 'Content-Length: 0', 'Connection: close'),
      until: 'close' as const,
      info: true,
    })),
  ),
  {
    name: 'with an answer: continue',
    send: get('/continue/file.txt', 'Connection: close'),
    until: 'close',
  },
  ...['/', '/none', '/file.txt', '/inside/file.txt', '/named/x'].map((target) => ({
    name: `server level: ${target}`,
    send: get(target, 'Host: server'),
  })),
  ...['HEAD', 'POST', 'PUT'].flatMap((method) =>
    ['/code/file.txt', '/code/none', '/named/none', '/uri/none'].map((target) => ({
      name: `${method} ${target}`,
      send: request(method, target, 'Content-Length: 0', 'Connection: close'),
      until: 'close' as const,
    })),
  ),
]

describeParity('try_files', HTTP, cases)

describeRefusals('try_files', [
  'server { try_files; }',
  'server { try_files a; }',
  'server { try_files a =; }',
  'server { try_files a =x; }',
  'server { try_files a =1000; }',
  'server { try_files a =-1; }',
  'server { try_files a b; try_files c d; }',
  'server { location / { try_files $none b; } }',
  'server { location / { try_files a $; } }',
  'server { location / { if ($host) { try_files a b; } } }',
  'server { location / { limit_except GET { try_files a b; } } }',
  'try_files a b;',
])
