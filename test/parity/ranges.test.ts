// Range requests for a file: every form of a range, lists, If-Range, and `max_ranges`.

import { describeParity } from './compare.ts'
import { fixedFiles } from './fixed-files.ts'
import { describeRefusals } from './refusals.ts'
import { LOGGING, MODERN, type ParityCases, replyWith, request } from './requests.ts'

const files = fixedFiles()

const CONF = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    root ${files.folder};
    default_type text/plain;
    location / { }
    location /none/ { alias ${files.folder}/; max_ranges 0; }
    location /one/ { alias ${files.folder}/; max_ranges 1; }
    location /two/ { alias ${files.folder}/; max_ranges 2; }
    location /no_etag/ { alias ${files.folder}/; etag off; }
    location /untyped/ { alias ${files.folder}/; default_type ""; }
    location /fields/ { alias ${files.folder}/; expires max; add_header X-A 1; add_header X-B 2 always; }
    location /page/ { alias ${files.folder}/; error_page 416 /refused; }
    location /return { return 200 text; }
    location /kept { error_page 404 /a.txt; return 404; }
    location /replaced { error_page 404 =200 /a.txt; return 404; }
    location /refused { return 200 refused; }
    location /backend { proxy_pass http://%BACKEND%; }
  }
`

const FIRSTS = ['0', '5', '25', '26', '99', '']
const LASTS = ['0', '4', '25', '26', '99', '']
/** Every pair, of which some are suffixes and some are nothing at all. */
const single = FIRSTS.flatMap((first) => LASTS.map((last) => `bytes=${first}-${last}`))

const forms = [
  'bytes=0-4,10-14',
  'bytes=10-14,0-4',
  'bytes=0-4,0-4',
  'bytes=0-10,5-15',
  'bytes=0-19,10-25',
  'bytes=0-25,0-0',
  'bytes=0-0,-1',
  'bytes=-1,0-0',
  'bytes=1-,1-1',
  'bytes=20-,-3,0-0',
  'bytes=30-40,0-0',
  'bytes=0-0,30-40',
  'bytes=30-,40-',
  'bytes=0-0,1-1,2-2,3-3',
  'bytes= 0-1',
  'bytes=0 - 1 , 3 - 4',
  'bytes=0- 1',
  'bytes=0 -',
  'bytes=- 1',
  'bytes=0-1,',
  'bytes=,0-1',
  'bytes=0-1,,2-3',
  'bytes=0-1 ,',
  'bytes=0-1;2-3',
  'bytes=0-1\t,2-3',
  'bytes=a-b',
  'bytes=1-a',
  'bytes=0x1-2',
  'bytes=--1',
  'bytes=5-1,0-0',
  'bytes=0-1,5-1',
  'bytes=',
  'bytes',
  'bytes =0-1',
  'BYTES=0-1',
  'byte=0-1',
  'lines=0-1',
  '0-1',
  'bytes=9223372036854775807-',
  'bytes=9223372036854775808-',
  'bytes=0-9223372036854775807',
  'bytes=0-9223372036854775808',
  'bytes=-9223372036854775808',
  'bytes=00000000000000000000000000-1',
]

const cases = (paths: string, lists: readonly string[][], method = 'GET'): ParityCases =>
  paths.split(' ').flatMap((path) =>
    lists.map((list) => ({
      name: `${method} ${path} ${list.join(' + ')}`,
      send: request(method, path, ...list),
      answer: replyWith('200 OK', 'body', 'Accept-Ranges: none'),
    })),
  )
const ranges = (values: readonly string[]) => values.map((value) => [`Range: ${value}`])

const FEW = ['bytes=0-4', 'bytes=-4', 'bytes=0-1,3-4', 'bytes=0-0,1-1,2-2', 'bytes=26-']
const { etag, modified } = files
const CURRENT = [etag, `W/${etag}`, '"x"', '""', '"', modified, 'Mon, 07 Nov 2005 08:49:37 GMT', 'never', '*']

describeParity('single ranges', CONF, cases('/a.txt', ranges(single)))
describeParity('other forms', CONF, cases('/a.txt', ranges(forms)))
describeParity(
  'an empty file',
  CONF,
  cases('/empty.txt', ranges(['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=1-'])),
)
describeParity(
  'If-Range',
  CONF,
  cases(
    '/a.txt /no_etag/a.txt',
    CURRENT.flatMap((value) =>
      ['bytes=0-4', 'bytes=30-'].map((range) => [`Range: ${range}`, `If-Range: ${value}`]),
    ),
  ),
)
describeParity('conditions first', CONF, [
  ...cases('/a.txt', [
    ['Range: bytes=0-4', `If-None-Match: ${etag}`],
    ['Range: bytes=0-4', 'If-Match: "x"'],
    ['Range: bytes=99-', `If-Modified-Since: ${modified}`],
  ]),
])
describeParity(
  'other places',
  CONF,
  cases(
    '/none/a.txt /one/a.txt /two/a.txt /untyped/a.txt /fields/a.txt /page.html /return /kept /replaced /backend /missing.txt',
    [[], ...ranges(FEW)],
  ),
)
describeParity('a page for a range that is none', CONF, cases('/page/a.txt', ranges(FEW)))
describeParity('HEAD', CONF, cases('/a.txt', ranges(FEW), 'HEAD'))
describeParity(
  'a repeated field',
  CONF,
  cases('/a.txt', [['Range: bytes=0-1', 'If-Range: "x"', 'If-Range: "y"']]),
)
describeParity(
  'a file that is not small',
  CONF,
  cases(
    '/large.bin',
    ranges([
      'bytes=0-',
      'bytes=0-0',
      'bytes=1000-200000',
      'bytes=-100',
      'bytes=250000-250010,5-15,100000-180000',
      'bytes=0-99999,50000-199999',
      'bytes=299999-,0-0',
      'bytes=300000-',
      'bytes=0-299999,0-0',
    ]),
  ),
)

describeRefusals('what is refused', [
  'max_ranges;',
  'max_ranges a;',
  'max_ranges -1;',
  'max_ranges 1 2;',
  'max_ranges 1; max_ranges 2;',
  'server { location / { if ($host) { max_ranges 1; } } }',
])
