// `autoindex`: lists of folders, byte for byte, over names that need escaping.

import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { removeFolder } from '../support/temporary.ts'
import { makeTree } from '../support/tree.ts'
import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, type ParityCases, request } from './requests.ts'

const NAMES = [
  ...[
    'plain.txt',
    'UPPER',
    'a b',
    'a%20b',
    'a&b',
    'a<b>',
    "a'b",
    'a"b',
    'a:b',
    'a?b',
    'a#b',
    'a\\b',
    'a+b',
    'a;b',
  ],
  ...[
    'a\x01b',
    'a\nb',
    'a\rb',
    'a\tb',
    'a\bb',
    'a\fb',
    'a\x1fb',
    'a\x7fb',
    '~tilde',
    '-dash',
    '_under',
    '..dots',
  ],
  ...[
    '...',
    '.hidden',
    '\xc3\xa9t\xc3\xa9',
    '\xff\xfe',
    '\xe2\x82\xac',
    '\xf0\x9f\x98\x80',
    '\xc3',
    'a\xe9<',
  ],
  ...[
    'x'.repeat(49),
    'x'.repeat(50),
    'x'.repeat(51),
    'y'.repeat(200),
    `${'<'.repeat(60)}`,
    `${'&'.repeat(50)}`,
  ],
  ...[
    `${'\xc3\xa9'.repeat(30)}`,
    `${'\xc3\xa9'.repeat(50)}`,
    `${'\xc3\xa9'.repeat(51)}`,
    `\xc3\xa9${'<'.repeat(60)}`,
  ],
  ...['0', '10', '9', 'a', 'A', 'b', 'Z', 'z'],
]

const SIZES = [
  ...[0, 1, 9999, 10000, 10239, 10240, 10751, 10752, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 524287],
  1024 * 1024 + 524288,
]

const TREE = makeTree({
  ...Object.fromEntries(NAMES.map((name) => [`names/${name}`, ''])),
  ...Object.fromEntries(
    NAMES.filter((name) => !name.startsWith('.')).map((name) => [`folders/d${name}/`, '']),
  ),
  [`folders/${'w'.repeat(49)}/`]: '',
  [`folders/${'w'.repeat(50)}/`]: '',
  [`folders/${'w'.repeat(51)}/`]: '',
  'folders/file': 'x',
  'folders/zero': '',
  ...Object.fromEntries(SIZES.map((size) => [`sizes/${size}`, 'x'.repeat(size)])),
  'links/to-file': '-> ../names/plain.txt',
  'links/to-folder': '-> ../empty',
  'links/one/': '',
  'empty/': '',
  'a&<b"/x': 'x',
  file: 'x',
  'with-index/index.html': 'index\n',
})
utimesSync(join(TREE, 'sizes/0'), 0, 0)
utimesSync(join(TREE, 'sizes/1'), 1_000_000_000.75, 1_000_000_000.75)
utimesSync(join(TREE, 'sizes/9999'), 4_102_444_800, 4_102_444_800)
afterAll(() => removeFolder(TREE))

const FORMS: Record<string, string> = {
  plain: '',
  rounded: 'autoindex_exact_size off;',
  local: 'autoindex_localtime on;',
  json: 'autoindex_format json;',
  'json-local': 'autoindex_format json; autoindex_localtime on; autoindex_exact_size off;',
  jsonp: 'autoindex_format jsonp;',
  xml: 'autoindex_format xml;',
}

const HTTP = `${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    root ${TREE};
    autoindex on;
    location /off/ { autoindex off; alias ${TREE}/; }
    location /bare { alias ${TREE}; }
    location /alias/ { alias ${TREE}/; }
    location /types/ { alias ${TREE}/; types { } default_type application/x; }
    location /error/ { alias ${TREE}/; error_page 404 = /empty/; }
    ${Object.entries(FORMS)
      .map(([name, directives]) => `location /${name}/ { alias ${TREE}/; ${directives} }`)
      .join('\n    ')}
  }
`

const targets = [
  ...Object.keys(FORMS).flatMap((form) =>
    ['names/', 'folders/', 'sizes/', 'empty/', 'links/', 'a&%3Cb%22/', 'none/', 'file/'].map(
      (rest) => `/${form}/${rest}`,
    ),
  ),
  ...[
    '/empty/',
    '/empty',
    '/none/',
    '/file/',
    '/with-index/',
    '/off/empty/',
    '/bare/',
    '/bare/empty/',
    '/alias/',
  ],
  ...['/alias/empty/?a=b', '/types/empty/', '/error/none/', '/alias/names//', `/${'x'.repeat(300)}/`],
  ...['f', 'a.b_1', '', 'a-b', 'a%20', 'x'.repeat(128), 'x'.repeat(129), '&callback=b'].map(
    (name) => `/jsonp/empty/?callback=${name}`,
  ),
  ...['?Callback=f', '?xcallback=f', '?a=b&callback=f', '?callback'].map((query) => `/jsonp/empty/${query}`),
]

const cases: ParityCases = [
  ...targets.map((target) => ({ name: target.slice(0, 60), send: get(target), info: true })),
  ...['HEAD', 'POST', 'PUT', 'DELETE'].flatMap((method) =>
    ['/names/', '/json/none/', '/xml/empty/'].map((target) => ({
      name: `${method} ${target}`,
      send: request(method, target, 'Content-Length: 0', 'Connection: close'),
      until: 'close' as const,
    })),
  ),
  {
    name: 'HTTP/1.0',
    send: 'GET /folders/ HTTP/1.0\r\nHost: localhost\r\n\r\n',
    until: 'close',
  },
  { name: 'kept connection', send: get('/empty/') + get('/json/sizes/'), until: 2, logged: 2 },
  {
    name: 'a request with a body',
    send: `${request('GET', '/empty/', 'Content-Length: 4')}body${get('/json/empty/')}`,
    until: 2,
    logged: 2,
  },
]

describeParity('autoindex', HTTP, cases)

describeRefusals('autoindex', [
  'autoindex;',
  'autoindex yes;',
  'autoindex on off;',
  'autoindex on; autoindex off;',
  'autoindex_format;',
  'autoindex_format text;',
  'autoindex_exact_size 1;',
  'autoindex_localtime x;',
  'server { if ($host) { autoindex on; } }',
  'server { location / { if ($host) { autoindex on; } } }',
  'server { location / { limit_except GET { autoindex on; } } }',
])
