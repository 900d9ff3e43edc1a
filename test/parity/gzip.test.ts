// `gzip` and `gunzip`: which responses to which clients, and what their heads say. Compressed content is compared
// unpacked.

import { gzipSync } from 'node:zlib'
import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const CONF = `
  log_format zipped '$request_uri $status type=$sent_http_content_type length=$sent_http_content_length vary=$sent_http_vary coding=$sent_http_transfer_encoding etag=$sent_http_etag';
  access_log logs/access.log zipped;${MODERN}
  gzip on;
  gzip_proxied no-cache;
  server {
    listen 127.0.0.1:%PORT%;
    server_name z.test;
    location / { proxy_pass http://%BACKEND%; }
    location /off { gzip off; gzip_vary on; proxy_pass http://%BACKEND%; }
    location /vary { gzip_vary on; proxy_pass http://%BACKEND%; }
    location /types { gzip_types text/CSS application/json; gzip_vary on; proxy_pass http://%BACKEND%;
      location /types/in { proxy_pass http://%BACKEND%; } }
    location /all { gzip_types text/css *; proxy_pass http://%BACKEND%; }
    location /long { gzip_min_length 100; gzip_vary on; proxy_pass http://%BACKEND%; }
    location /none { gzip_min_length 0; proxy_pass http://%BACKEND%; }
    location /best { gzip_comp_level 9; gzip_window 8k; gzip_hash 16k; proxy_pass http://%BACKEND%; }
    location /old { gzip_http_version 1.0; proxy_pass http://%BACKEND%; }
    location /msie { gzip_disable msie6; gzip_vary on; proxy_pass http://%BACKEND%;
      location /msie/in { gzip_disable "^curl/"; proxy_pass http://%BACKEND%; } }
    location /disable { gzip_disable "^Curl/" "odd+"; gzip_disable other; proxy_pass http://%BACKEND%; }
    location /if { gzip off; if ($arg_zip) { gzip on; } proxy_pass http://%BACKEND%; }
    location /added { add_header Content-Encoding own; add_header ETag '"own"'; add_header Vary Origin; gzip_vary on; proxy_pass http://%BACKEND%; }
    location /weak { add_header ETag 'W/"own"'; proxy_pass http://%BACKEND%; }
    location /hide { proxy_hide_header Content-Encoding; proxy_pass http://%BACKEND%; }
    location /return { default_type text/html; return 200 "a text that is long enough to compress"; }
    location /json { default_type application/json; return 200 "a text that is long enough to compress"; }
    location /empty { default_type text/html; return 200 ""; }
    location /empty_all { default_type text/html; gzip_min_length 0; return 200 ""; }
    location /404 { return 404 "a text that is long enough to compress"; default_type text/html; }
    location /500 { return 500 "a text that is long enough to compress"; default_type text/html; }
    location /proxied_off { gzip_proxied off; proxy_pass http://%BACKEND%; }
    location /any { gzip_proxied any; proxy_pass http://%BACKEND%; }
    location /auth { gzip_proxied auth; proxy_pass http://%BACKEND%; }
    location /expired { gzip_proxied expired; proxy_pass http://%BACKEND%;
      location /expired/date { proxy_pass_header Date; proxy_pass http://%BACKEND%; } }
    location /control { gzip_proxied no-store private; proxy_pass http://%BACKEND%; }
    location /modified { gzip_proxied no_last_modified; proxy_pass http://%BACKEND%; }
    location /etag { gzip_proxied no_etag; proxy_pass http://%BACKEND%; }
    location /gunzip { gunzip on; gunzip_buffers 4 8k; gzip_vary on; proxy_pass http://%BACKEND%; }
    location /gunzip_only { gunzip on; gzip off; proxy_pass http://%BACKEND%; }
  }
`

const TEXT = 'A page with some words in it, some words, some words. '.repeat(3)
const html = (...headers: string[]) => replyWith('200 OK', TEXT, 'Content-Type: text/html', ...headers)
const typed = (type: string) => replyWith('200 OK', TEXT, `Content-Type: ${type}`)
const accept = (target: string, ...more: string[]) => get(target, 'Accept-Encoding: gzip', ...more)
const via = (target: string, ...more: string[]) => accept(target, 'Via: 1.1 proxy', ...more)
const agent = (target: string, name: string) => accept(target, `User-Agent: ${name}`)

const qualities: ParityCases = [
  'gzip',
  'GZIP',
  'Gzip, deflate',
  'gzip,deflate',
  'gzip,',
  'deflate, gzip',
  'deflate,gzip',
  'deflate;gzip',
  'x-gzip',
  'x-gzip, gzip',
  'gzipped',
  'gzipped, gzip',
  'gzi',
  'zip',
  '*',
  '*;q=1',
  'identity',
  'identity;q=0, gzip',
  'gzip;q=0',
  'gzip;q=0.0',
  'gzip;q=0.00',
  'gzip;q=0.000',
  'gzip;q=0.0000',
  'gzip;q=0.001',
  'gzip;q=0.5',
  'gzip;q=0.999',
  'gzip;q=1',
  'gzip;q=1.',
  'gzip;q=1.0',
  'gzip;q=1.000',
  'gzip;q=1.0000',
  'gzip;q=1.001',
  'gzip;q=1.5',
  'gzip;q=2',
  'gzip;q=',
  'gzip;q',
  'gzip;',
  'gzip; ',
  'gzip ; q=0.5',
  'gzip ;q=0',
  'gzip; Q=0.3',
  'gzip;q =1',
  'gzip;q= 1',
  'gzip;q=0.',
  'gzip;q=.5',
  'gzip;q=a',
  'gzip;q=0.a',
  'gzip;q=0;x',
  'gzip;x=1',
  'gzip;q=0, gzip',
  'gzip;q=0.5 , br',
  'gzip;q=1;q=0',
  'gzip deflate',
  'gzip  ,br',
  'gzip\t,br',
  'br;q=1.0, gzip;q=0.8, *;q=0.1',
].map((value) => ({
  name: JSON.stringify(value),
  send: get('/', `Accept-Encoding: ${value}`),
  answer: html(),
})) // prettier-ignore

const clients: ParityCases = [
  { name: 'no Accept-Encoding', send: get('/'), answer: html() },
  { name: 'an empty one', send: get('/', 'Accept-Encoding:'), answer: html() },
  {
    name: 'two, the second accepts',
    send: get('/', 'Accept-Encoding: br', 'Accept-Encoding: gzip'),
    answer: html(),
  },
  {
    name: 'two, the first accepts',
    send: get('/', 'Accept-Encoding: gzip', 'Accept-Encoding: br'),
    answer: html(),
  },
  ...['/', '/old'].flatMap((target) => [
    {
      name: `${target} to HTTP/1.0`,
      send: `GET ${target} HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n`,
      until: 'close' as const,
      answer: html(),
    },
    {
      name: `${target} to HTTP/1.0, kept`,
      send: `GET ${target} HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n`,
      until: target === '/' ? 1 : ('close' as const),
      answer: html(),
    },
  ]),
  {
    name: 'HEAD',
    send: request('HEAD', '/', 'Accept-Encoding: gzip'),
    answer: html().slice(0, -TEXT.length),
  },
  {
    name: 'HEAD, vary',
    send: request('HEAD', '/vary', 'Accept-Encoding: gzip'),
    answer: html().slice(0, -TEXT.length),
  },
  { name: 'HEAD, return', send: request('HEAD', '/return', 'Accept-Encoding: gzip') },
  { name: 'two requests', send: [accept('/'), accept('/')], until: 2, logged: 2, answer: html() },
  ...[
    'Mozilla/4.0 (compatible; MSIE 6.0; Windows)',
    'MSIE 6.0; SV1',
    'MSIE 5.5; x',
    'MSIE 7.0; x',
    'curl/8',
    'other',
  ].flatMap((name) =>
    ['/msie', '/msie/in'].map((target) => ({
      name: `${target} ${name}`,
      send: agent(target, name),
      answer: html(),
    })),
  ),
  ...['CURL/8', 'xcurl/8', 'an oddd one', 'another'].map((name) => ({
    name: `/disable ${name}`,
    send: agent('/disable', name),
    answer: html(),
  })),
]

const answers: ParityCases = [
  ...[
    'text/html',
    'TEXT/HTML',
    'text/html; charset=utf-8',
    'text/html;charset="utf-8"',
    'text/html ; charset=x',
    'text/html; x=y',
    'text/html;x=y; charset=z',
    'text/html; ',
    'text/css',
    'application/json',
    'Application/JSON; charset=x',
    'text/plain',
    '',
  ].flatMap((type) =>
    ['/', '/types', '/types/in', '/all'].map((target) => ({
      name: `${target} ${JSON.stringify(type)}`,
      send: accept(target),
      answer: typed(type),
    })),
  ),
  { name: 'no type', send: accept('/all'), answer: replyWith('200 OK', TEXT) },
  ...[
    '201 Created',
    '206 Partial Content',
    '301 Moved',
    '400 Bad',
    '403 Forbidden',
    '404 Not Found',
    '500 Error',
  ].map((status) => ({
    name: status,
    send: accept('/vary'),
    answer: replyWith(status, TEXT, 'Content-Type: text/html'),
  })),
  { name: '204', send: accept('/vary'), answer: reply('204 No Content', ['Content-Type: text/html']) },
  {
    name: '304',
    send: accept('/vary'),
    answer: reply('304 Not Modified', ['Content-Type: text/html', 'ETag: "a"']),
  },
  ...[0, 1, 19, 20, 21].flatMap((length) =>
    ['/', '/none'].map((target) => ({
      name: `${target} ${length} bytes`,
      send: accept(target),
      answer: replyWith('200 OK', 'x'.repeat(length), 'Content-Type: text/html'),
    })),
  ),
  ...[99, 100].map((length) => ({
    name: `/long ${length} bytes`,
    send: accept('/long'),
    answer: replyWith('200 OK', 'x'.repeat(length), 'Content-Type: text/html'),
  })),
  {
    name: 'chunks',
    send: accept('/long'),
    answer: reply(
      '200 OK',
      ['Content-Type: text/html', 'Transfer-Encoding: chunked'],
      '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    ),
  },
  {
    name: 'chunks, none',
    send: accept('/'),
    answer: reply('200 OK', ['Content-Type: text/html', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  },
  {
    name: 'until the end',
    send: accept('/'),
    answer: { bytes: reply('200 OK', ['Content-Type: text/html'], TEXT), after: 'end' },
  },
  {
    name: 'pieces',
    send: accept('/'),
    answer: { bytes: [html().slice(0, -100), html().slice(-100, -50), html().slice(-50)] },
  },
  ...[70_000, 300_000].flatMap((length) =>
    ['/', '/best'].map((target) => ({
      name: `${target} ${length} bytes`,
      send: accept(target),
      answer: replyWith('200 OK', TEXT.repeat(length / 100).slice(0, length), 'Content-Type: text/html'),
    })),
  ),
  ...['gzip', 'br', 'identity', '', 'GZIP'].map((coding) => ({
    name: `encoded ${JSON.stringify(coding)} already`,
    send: accept('/vary'),
    answer: html(`Content-Encoding: ${coding}`),
  })),
  { name: '/hide', send: accept('/hide'), answer: html('Content-Encoding: own') },
  ...['"a"', 'W/"a"', 'a', '', 'w/"a"', '"'].flatMap((etag) => [
    { name: `ETag ${etag}`, send: accept('/'), answer: html(`ETag: ${etag}`) },
    { name: `ETag ${etag}, not compressed`, send: get('/'), answer: html(`ETag: ${etag}`) },
  ]),
  {
    name: 'fields',
    send: accept('/vary'),
    answer: html(
      'X-A: 1',
      'Accept-Ranges: bytes',
      'Vary: Origin',
      'ETag: "a"',
      'X-B: 2',
      'Last-Modified: Sat, 21 Nov 2026 00:00:00 GMT',
    ),
  },
  ...[
    '/off',
    '/vary',
    '/added',
    '/weak',
    '/if',
    '/if?zip=1',
    '/return',
    '/json',
    '/empty',
    '/empty_all',
    '/404',
    '/500',
    '/missing',
  ].flatMap((target) => [
    { name: target, send: accept(target), answer: html('ETag: "a"') },
    { name: `${target} without`, send: get(target), answer: html('ETag: "a"') },
  ]),
]

const past = 'Expires: Thu, 01 Jan 1970 00:00:01 GMT'
const future = 'Expires: Thu, 01 Jan 2037 00:00:01 GMT'
const modified = 'Last-Modified: Sat, 21 Nov 2026 00:00:00 GMT'
const proxied: ParityCases = [
  '/',
  '/proxied_off',
  '/any',
  '/auth',
  '/expired',
  '/expired/date',
  '/control',
  '/modified',
  '/etag',
].flatMap((target) =>
  [
    [],
    [past],
    [future],
    ['Expires: 0'],
    ['Expires: '],
    [past, 'Date: Thu, 01 Jan 1970 00:00:00 GMT'],
    [future, 'Date: Fri, 01 Jan 2038 00:00:00 GMT'],
    [past, 'Date: x'],
    ['Cache-Control: no-cache'],
    ['Cache-Control: No-Store'],
    ['Cache-Control: private, max-age=1'],
    ['Cache-Control: max-age=1,  private'],
    ['Cache-Control: private="a"'],
    ['Cache-Control: privately'],
    ['Cache-Control: public', 'Cache-Control: no-store'],
    [modified],
    ['ETag: "a"'],
    [past, 'Cache-Control: no-cache'],
  ].map((headers) => ({
    name: `${target} ${headers.join(', ')}`,
    send: via(target),
    answer: html(...headers),
  })),
)
const authorized: ParityCases = ['/', '/auth'].map((target) => ({
  name: `${target} with credentials`,
  send: via(target, 'Authorization: Basic eDp5'),
  answer: html(),
}))

const packed = gzipSync(TEXT)
const answer = (content: Buffer, ...headers: string[]) =>
  Buffer.concat([
    Buffer.from(
      reply('200 OK', ['Content-Type: text/html', `Content-Length: ${content.length}`, ...headers]),
    ),
    content,
  ])
const GZIP = 'Content-Encoding: gzip'
const unpacked: ParityCases = ['/gunzip', '/gunzip_only', '/'].flatMap((target) =>
  [
    { name: 'gzip', answer: answer(packed, 'X-A: 1', GZIP, 'ETag: "a"', 'Accept-Ranges: bytes', 'X-B: 2') },
    { name: 'GZip', answer: answer(packed, 'Content-Encoding: GZip') },
    { name: 'deflate', answer: answer(packed, 'Content-Encoding: deflate') },
    { name: 'two members', answer: answer(Buffer.concat([packed, gzipSync('more')]), GZIP) },
    { name: 'much', answer: answer(gzipSync(TEXT.repeat(5000)), GZIP) },
    { name: 'plain', answer: html() },
  ].flatMap(({ name, answer }) => [
    { name: `${target} ${name}`, send: get(target), answer },
    { name: `${target} ${name}, gzip accepted`, send: accept(target), answer },
    { name: `${target} ${name}, gzip refused`, send: get(target, 'Accept-Encoding: gzip;q=0'), answer },
  ]),
)

describeParity('gzip: Accept-Encoding', CONF, qualities)
describeParity('gzip: clients', CONF, clients)
describeParity('gzip: responses', CONF, answers)
describeParity('gzip_proxied', CONF, [...proxied, ...authorized])
describeParity('gunzip', CONF, [
  ...unpacked,
  ...[{ name: 'cut short', content: packed.subarray(0, 20) }].map(({ name, content }) => ({
    name,
    send: get('/gunzip'),
    until: 'close' as const,
    answer: answer(content, GZIP),
  })),
  { name: 'HEAD', send: request('HEAD', '/gunzip'), answer: reply('200 OK', [GZIP, 'Content-Length: 9']) },
])
