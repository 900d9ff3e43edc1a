// Sizes of heads (`proxy_buffer_size`) and ranges of what a backend sends whole (`proxy_force_ranges`).

import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, MODERN, type ParityCases, reply, request } from './requests.ts'

const HTTP = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://%BACKEND%; }
    location /small { proxy_buffer_size 200; proxy_pass http://%BACKEND%; }
    location /large { proxy_buffer_size 12k; proxy_pass http://%BACKEND%; }
    location /ranges { proxy_force_ranges on; proxy_pass http://%BACKEND%; }
    location /ranges/few { proxy_force_ranges on; max_ranges 0; proxy_pass http://%BACKEND%; }
    location /ranges/zipped { proxy_force_ranges on; gzip on; gzip_min_length 1; gzip_types *; proxy_pass http://%BACKEND%; }
    location /unforced { proxy_pass http://%BACKEND%; }
  }
`

/** A head of so many bytes. */
function head(bytes: number): string {
  const empty = reply('200 OK', ['Content-Length: 2', 'X: '])
  return `${reply('200 OK', ['Content-Length: 2', `X: ${'x'.repeat(bytes - empty.length)}`])}ok`
}

/** Of a head that just fits, nginx 1.22 loses the content: see the test of heads in test/worker/upstream. */
const HEADS: ParityCases = [
  ...[
    ['/small', 200],
    ['/', 4096],
    ['/large', 12_288],
  ].flatMap(([target, limit]) =>
    [-1, 1, 1000].flatMap((more) => {
      const bytes = head(Number(limit) + more)
      return [
        { name: `${target}: ${Number(limit) + more} bytes`, send: get(String(target)), answer: bytes },
        {
          name: `${target}: ${Number(limit) + more} bytes in pieces`,
          send: get(String(target)),
          answer: { bytes: [bytes.slice(0, 100), bytes.slice(100)] },
        },
      ]
    }),
  ),
  {
    name: 'no end of a head',
    send: get('/small'),
    answer: { bytes: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(181)}`, after: 'end' },
  },
]

describeParity('proxy_buffer_size', HTTP, HEADS)

const BODY = '0123456789abcdefghij'
const whole = (...headers: string[]) => ({
  bytes: [reply('200 OK', [`Content-Length: ${BODY.length}`, ...headers]), BODY.slice(0, 7), BODY.slice(7)],
})
const RANGES = [
  '0-4',
  '5-9',
  '15-',
  '-3',
  '0-0',
  '6-6',
  '7-7',
  '6-7',
  '0-',
  '19-19',
  '20-',
  '30-40',
  '0-1,3-4',
  '0-1, 5-',
  '-0',
  '5-3',
  'x',
  '0-100',
]
const DATED = ['Last-Modified: Thu, 01 Jan 2015 00:00:01 GMT', 'ETag: "a"']

const FORCED: ParityCases = [
  ...RANGES.flatMap((range) =>
    ['/ranges', '/ranges/few', '/ranges/zipped', '/unforced'].map((target) => ({
      name: `${target} ${range}`,
      send: get(target, `Range: bytes=${range}`),
      answer: whole('Accept-Ranges: none', 'Content-Type: text/plain'),
    })),
  ),
  ...['"a"', '"b"', 'Thu, 01 Jan 2015 00:00:01 GMT', 'Thu, 01 Jan 2015 00:00:02 GMT', 'x'].map(
    (validator) => ({
      name: `If-Range: ${validator}`,
      send: get('/ranges', 'Range: bytes=2-3', `If-Range: ${validator}`),
      answer: whole(...DATED),
    }),
  ),
  { name: 'no range', send: get('/ranges'), answer: whole('Accept-Ranges: none') },
  {
    name: 'of a head',
    send: request('HEAD', '/ranges', 'Range: bytes=2-3'),
    answer: reply('200 OK', ['Content-Length: 20']),
  },
  {
    name: 'of chunks',
    send: get('/ranges', 'Range: bytes=2-3'),
    answer: reply('200 OK', ['Transfer-Encoding: chunked'], '5\r\nabcde\r\n0\r\n\r\n'),
  },
  {
    name: 'of a part',
    send: get('/ranges', 'Range: bytes=2-3'),
    answer: reply('206 Partial', ['Content-Length: 2', 'Content-Range: bytes 2-3/20'], '23'),
  },
  {
    name: 'twice on a connection',
    send: get('/ranges', 'Range: bytes=3-5').repeat(2),
    answer: whole(),
    until: 2,
    logged: 2,
  },
]

describeParity('proxy_force_ranges', HTTP, FORCED)

describeRefusals('the directives', [
  'proxy_buffer_size x;',
  'proxy_buffer_size 1g;',
  'proxy_force_ranges x;',
  'proxy_intercept_errors 1;',
  'proxy_ignore_client_abort yes;',
  'server { location / { if ($host) { proxy_intercept_errors on; } } }',
])
