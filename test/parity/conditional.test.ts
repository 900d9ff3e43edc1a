// Conditional requests for a file, with every condition alone and with others; `etag`, `if_modified_since`.

import { describeParity } from './compare.ts'
import { fixedFiles } from './fixed-files.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith, request } from './requests.ts'

const files = fixedFiles()

const CONF = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    root ${files.folder};
    default_type text/plain;
    location / { }
    location /off/ { alias ${files.folder}/; if_modified_since off; }
    location /before/ { alias ${files.folder}/; if_modified_since before; }
    location /no_etag/ { alias ${files.folder}/; etag off; }
    location /fields/ { alias ${files.folder}/; expires max; add_header X-A 1; add_header X-B 2 always; }
    location /own_etag/ { alias ${files.folder}/; add_header ETag '"own"'; add_header Last-Modified ""; }
    location /pages/ { alias ${files.folder}/; error_page 412 /refused; error_page 304 /never; }
    location /named_page/ { alias ${files.folder}/; error_page 412 =200 @named; }
    location @named { return 200 named; }
    location /refused { return 200 refused; }
    location /return { return 200 text; }
    location /missing_page { error_page 404 =200 /a.txt; return 404; }
    location /missing_kept { error_page 404 /a.txt; return 404; }
    location /backend_down { error_page 502 = /a.txt; proxy_pass http://%REFUSED%; }
    location /backend_down_200 { error_page 502 =200 /a.txt; proxy_pass http://%REFUSED%; }
    location /backend_down_502 { error_page 502 /a.txt; proxy_pass http://%REFUSED%; }
    location /backend { proxy_pass http://%BACKEND%; }
  }
`

const { etag, modified } = files
const EARLIER = 'Sat, 05 Nov 2005 08:49:37 GMT'
const LATER = 'Mon, 07 Nov 2005 08:49:37 GMT'
const DATES = [
  modified,
  EARLIER,
  LATER,
  'Sunday, 06-Nov-05 08:49:37 GMT',
  'Sun Nov  6 08:49:37 2005',
  'Sun, 06 Nov 2005 08:49:37',
  'Sun, 6 Nov 2005 08:49:37 GMT',
  'never',
]
const ETAGS = [
  etag,
  `W/${etag}`,
  '*',
  '"other"',
  `"other", ${etag}`,
  `"other",W/${etag} , "x"`,
  `${etag}x`,
  `${etag} , "b"`,
  `${etag.slice(0, -1)}`,
  `, ,${etag}`,
  '**',
  'W/',
]

const name = (field: string, value: string) => `${field}: ${value}`
const alone = [
  ...['If-Modified-Since', 'If-Unmodified-Since'].flatMap((field) =>
    DATES.map((value) => name(field, value)),
  ),
  ...['If-Match', 'If-None-Match'].flatMap((field) => ETAGS.map((value) => name(field, value))),
]

/** A few of each, in every combination of two or more kinds. */
function combined(): string[][] {
  const kinds = [
    [name('If-Modified-Since', modified), name('If-Modified-Since', EARLIER)],
    [name('If-None-Match', etag), name('If-None-Match', '"x"')],
    [name('If-Unmodified-Since', modified), name('If-Unmodified-Since', EARLIER)],
    [name('If-Match', etag), name('If-Match', `W/${etag}`)],
  ]
  let lists: string[][] = [[]]
  for (const kind of kinds) {
    lists = lists.flatMap((list) => [list, ...kind.map((line) => [...list, line])])
  }
  return lists.filter((list) => list.length > 1)
}

const cases = (path: string, lists: readonly string[][], method = 'GET'): ParityCases =>
  lists.map((list) => ({
    name: `${method} ${path} ${list.join(' + ')}`,
    send: request(method, path, ...list),
  }))
const each = (lines: readonly string[]) => lines.map((line) => [line])

const FEW = [
  [name('If-Modified-Since', modified)],
  [name('If-Modified-Since', LATER)],
  [name('If-None-Match', etag)],
  [name('If-None-Match', '*')],
  [name('If-Match', '"x"')],
  [name('If-Match', '*')],
  [name('If-Unmodified-Since', EARLIER)],
]
const OTHERS =
  '/off/a.txt /before/a.txt /no_etag/a.txt /fields/a.txt /own_etag/a.txt /pages/a.txt /named_page/a.txt /return /missing_page /missing_kept /none.txt /backend_down /backend_down_200 /backend_down_502'

describeParity('conditions alone', CONF, cases('/a.txt', each(alone)))
describeParity('conditions together', CONF, cases('/a.txt', combined()))
describeParity('other methods', CONF, [...cases('/a.txt', FEW, 'HEAD'), ...cases('/a.txt', FEW, 'POST')])
describeParity(
  'other places',
  CONF,
  OTHERS.split(' ').flatMap((path) => cases(path, FEW)),
)
describeParity('a file that is not small', CONF, cases('/large.bin', FEW))
// Behind a 412 nginx closes the connection without saying so, and a page that a backend would make is lost; weir goes on.
describeParity(
  'backends',
  CONF,
  FEW.map((list) => ({
    name: list.join(),
    send: get('/backend', ...list),
    answer: replyWith('200 OK', 'body', `Last-Modified: ${modified}`, `ETag: ${etag}`),
  })),
)

describeRefusals('what is refused', [
  'etag;',
  'etag yes;',
  'etag on; etag off;',
  'if_modified_since on;',
  'if_modified_since;',
  'if_modified_since off; if_modified_since exact;',
  'server { if ($host) { etag off; } }',
  'server { location / { if ($host) { if_modified_since off; } } }',
])
