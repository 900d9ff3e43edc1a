// How long and how often a request goes on from server to server, which servers are left out, and what becomes of its
// content: several servers, and several requests where one leaves a mark for the next.

import { describeFailures, type FailureCase, get, put } from './failures.ts'
import { describeRefusals, describeWarnings } from './refusals.ts'
import { reply, replyWith } from './requests.ts'

const OK = replyWith('200 OK', 'fine')
const OTHER = replyWith('200 OK', 'other')
const NO = replyWith('503 No', 'no')
const CLOSES = { after: 'end' } as const
const on = (...words: string[]) => `proxy_next_upstream ${words.join(' ')};`
const again = (count: number) => Array.from({ length: count }, () => get())
const chunked = (method: string) =>
  `${method} %URI% HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`

const tries: FailureCase[] = [0, 1, 2, 3, 4].flatMap((count) => [
  {
    name: `proxy_next_upstream_tries ${count}, all refuse`,
    servers: ['refuses', 'refuses', 'refuses'],
    directives: `proxy_next_upstream_tries ${count};`,
    send: [get()],
  },
  {
    name: `proxy_next_upstream_tries ${count}, all answer 503`,
    servers: [NO, NO, NO],
    directives: `${on('http_503')} proxy_next_upstream_tries ${count};`,
    send: [get()],
  },
  {
    name: `proxy_next_upstream_tries ${count}, the third answers`,
    servers: [CLOSES, 'refuses', OK],
    directives: `proxy_next_upstream_tries ${count};`,
    send: [get()],
  },
])

const time: FailureCase[] = [
  {
    name: 'proxy_next_upstream_timeout that is over',
    servers: [{}, OK],
    directives: 'proxy_next_upstream_timeout 100ms;',
    send: [get()],
  },
  {
    name: 'proxy_next_upstream_timeout that is not over',
    servers: [{}, OK],
    directives: 'proxy_next_upstream_timeout 10s;',
    send: [get()],
  },
  {
    name: 'proxy_next_upstream_timeout over when a status would be passed over',
    servers: [{ bytes: ['HTTP/1.1 503 No\r\n', 'Content-Length: 2\r\n\r\nno'], gap: 60 }, OK],
    directives: `${on('http_503')} proxy_next_upstream_timeout 30ms;`,
    send: [get()],
  },
  {
    name: 'a header that takes longer than proxy_read_timeout, in pieces',
    servers: [
      { bytes: ['HTTP/1.1 200 OK\r\n', 'A: a\r\n', 'B: b\r\n', 'C: c\r\n', 'D: d\r\n\r\n'], gap: 450 },
      OK,
    ],
    directives: `${on('off')} proxy_read_timeout 600ms;`,
    send: [get()],
  },
]

const marks: FailureCase[] = [
  { name: 'a server that failed is left out', servers: ['refuses', OK], send: again(4) },
  { name: 'max_fails=0: it is not', servers: ['refuses', OK], parameters: ['max_fails=0'], send: again(4) },
  { name: 'max_fails=2', servers: ['refuses', OK], parameters: ['max_fails=2'], send: again(5) },
  {
    name: 'max_fails and weights',
    servers: ['refuses', OK, OTHER],
    parameters: ['max_fails=3 weight=6', 'weight=2', 'weight=1'],
    send: again(8),
  },
  { name: 'all are left out: no live upstreams', servers: ['refuses', 'refuses'], send: again(3) },
  {
    name: 'all are left out: no live upstreams, three servers that close',
    servers: [CLOSES, CLOSES, CLOSES],
    send: again(3),
  },
  { name: 'a single server is never left out', servers: ['refuses'], send: again(3) },
  { name: 'a single server that closes', servers: [CLOSES], send: again(2) },
  {
    name: '403 and 404 are no failures',
    servers: [replyWith('404 No', 'no'), replyWith('403 No', 'no')],
    directives: on('http_403', 'http_404'),
    send: again(3),
  },
  {
    name: '429 and 500 are failures where they are named',
    servers: [replyWith('429 No', 'no'), replyWith('500 No', 'no'), OK],
    directives: on('http_429', 'http_500'),
    send: again(3),
  },
  {
    name: '500 is no failure where it is not named',
    servers: [replyWith('500 No', 'no'), OK],
    send: again(3),
  },
  {
    name: 'an invalid header is a failure where it is not named too',
    servers: [reply('200 OK', ['X A: b']), OK],
    send: again(3),
  },
  {
    name: 'with off a failure counts all the same',
    servers: ['refuses', OK],
    directives: on('off'),
    send: again(3),
  },
  {
    name: 'a response that breaks off is no failure of the server',
    servers: [{ bytes: reply('200 OK', ['Content-Length: 10'], 'abc'), after: 'end' }, OK],
    send: again(3).map((request) => request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
    cut: true,
  },
]

const kinds: FailureCase[] = [
  { name: 'backup, others work', servers: [OK, OTHER], parameters: ['', 'backup'], send: again(3) },
  {
    name: 'backup, the other refuses',
    servers: ['refuses', OTHER],
    parameters: ['', 'backup'],
    send: again(3),
  },
  {
    name: 'backup, all refuse',
    servers: ['refuses', 'refuses', 'refuses'],
    parameters: ['', '', 'backup'],
    send: again(2),
  },
  {
    name: 'backup and tries',
    servers: ['refuses', 'refuses', OK],
    parameters: ['', '', 'backup'],
    directives: 'proxy_next_upstream_tries 2;',
    send: again(2),
  },
  {
    name: 'two backups, one refuses',
    servers: ['refuses', 'refuses', OK],
    parameters: ['', 'backup', 'backup'],
    send: again(3),
  },
  { name: 'backup, the other is down', servers: [OK, OTHER], parameters: ['down', 'backup'], send: again(2) },
  { name: 'down', servers: [OK, OTHER], parameters: ['down', ''], send: again(2) },
  { name: 'down, the other refuses', servers: [OK, 'refuses'], parameters: ['down', ''], send: again(2) },
  { name: 'all are down', servers: [OK, OTHER], parameters: ['down', 'down'], send: again(2) },
  { name: 'the only one is down', servers: [OK], parameters: ['down'], send: again(2) },
  {
    name: 'down, 503 of the other',
    servers: [OK, NO],
    parameters: ['down', ''],
    directives: on('http_503'),
    send: again(2),
  },
  {
    name: 'least_conn, one refuses',
    servers: ['refuses', OK, OTHER],
    upstream: 'least_conn;',
    send: again(4),
  },
]

const reuse: FailureCase[] = [
  { name: 'both answer', servers: [OK, OTHER], send: again(4) },
  { name: 'one answers 503', servers: [NO, OK], directives: on('http_503'), send: again(4) },
  {
    name: 'one answers 404',
    servers: [replyWith('404 No', 'no'), OK],
    directives: on('http_404'),
    send: again(4),
  },
  { name: 'a single one', servers: [OK], send: [get(), put('PUT'), put('POST'), get('HEAD'), get()] },
  { name: 'one refuses', servers: ['refuses', OK], parameters: ['max_fails=0'], send: again(4) },
].map((failureCase) => ({ ...failureCase, upstream: 'keepalive 4;' }) as FailureCase)

const contents: FailureCase[] = ['PUT', 'POST', 'DELETE', 'PATCH', 'LOCK', 'PROPFIND', 'HEAD', 'ODD'].flatMap(
  (method) => [
    {
      name: `${method} with content, the first closes`,
      servers: [CLOSES, { bytes: reply('204 Done') }],
      send: [put(method)],
    },
    {
      name: `${method} with chunks, the first refuses, the second closes`,
      servers: ['refuses', CLOSES, { bytes: reply('204 Done') }],
      send: [chunked(method)],
      anyFraming: true,
    },
    {
      name: `${method} without content, the first closes, with non_idempotent`,
      servers: [CLOSES, { bytes: reply('204 Done') }],
      directives: on('error', 'non_idempotent'),
      send: [get(method)],
    },
  ],
)
const sized: FailureCase[] = [0, 1, 4096, 16_000].flatMap((size) => [
  {
    name: `PUT of ${size} bytes, two close`,
    servers: [CLOSES, CLOSES, { bytes: reply('204 Done') }],
    // nginx would put the longest into a file by default.
    directives: 'client_body_buffer_size 16k;',
    send: [put('PUT', 'x'.repeat(size))],
  },
])

const said: FailureCase[] = [
  ['several directives add up', `${on('http_404')} ${on('http_503')}`],
  ['off beside others is off', on('off', 'error', 'http_503')],
  ['off in another directive is off', `${on('http_503')} ${on('off')}`],
  ['words in capitals', on('HTTP_503')],
  ['a word twice', on('http_503', 'http_503')],
  ['non_idempotent alone', on('non_idempotent')],
  ['updating, which says nothing here', on('http_503', 'updating')],
].map(([name, directives]) => ({ name: name!, servers: [NO, OK], directives: directives!, send: [get()] }))

describeFailures('words of proxy_next_upstream', said)
describeRefusals('proxy_next_upstream', [
  'proxy_next_upstream;',
  'proxy_next_upstream http_501;',
  'proxy_next_upstream error,timeout;',
  'proxy_next_upstream_tries;',
  'proxy_next_upstream_tries -1;',
  'proxy_next_upstream_tries 1 2;',
  'proxy_next_upstream_tries 1; proxy_next_upstream_tries 2;',
  'proxy_next_upstream_timeout soon;',
  'proxy_next_upstream_timeout 1s; proxy_next_upstream_timeout 1s;',
  'upstream u { server 127.0.0.1:1; proxy_next_upstream off; }',
  'server { if ($args) { proxy_next_upstream off; } }',
  'server { location / { if ($args) { proxy_next_upstream_tries 1; } } }',
])
describeWarnings('proxy_next_upstream', ['proxy_next_upstream error error;', 'proxy_next_upstream off OFF;'])
describeFailures('proxy_next_upstream_tries', tries)
describeFailures('proxy_next_upstream_timeout', time)
describeFailures('marks of failures', marks)
describeFailures('backup and down', kinds)
describeFailures('connections that are kept', reuse)
const pages: FailureCase[] = ['GET', 'PUT', 'POST'].flatMap((method) =>
  [CLOSES, 'refuses' as const, {}].flatMap((behaviour, index) => [
    {
      name: `${method}, error_page leads to another server (${index})`,
      servers: [behaviour, CLOSES, OK],
      parameters: ['', 'down', 'down'],
      directives: 'error_page 502 504 = @other;',
      send: [method === 'GET' ? get() : put(method)],
    },
    {
      name: `${method}, error_page leads to another server, which fails (${index})`,
      servers: [behaviour, CLOSES, CLOSES],
      parameters: ['', '', 'down'],
      directives: 'error_page 502 504 = @other;',
      send: [method === 'GET' ? get() : put(method)],
    },
  ]),
)

describeFailures('error_page', pages)
describeFailures('content that is sent again', [...contents, ...sized])
