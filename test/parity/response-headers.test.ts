// The header that the client sees: what is passed and hidden, proxy_hide_header, add_header with its conditions.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const HEADERS = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    server_name h.test;
    add_header X-Server 1;
    location / { proxy_pass http://%BACKEND%; }
    location /base/ { proxy_pass http://%BACKEND%/replaced/; }
    location /own/ { add_header X-Own "$uri"; proxy_pass http://%BACKEND%; }
    location /always/ { add_header X-Always 1 always; add_header X-Ok 1; proxy_pass http://%BACKEND%; }
    location /empty/ { add_header X-Empty ""; add_header X-Var $arg_v; add_header X-Set 1; proxy_pass http://%BACKEND%; }
    location /twice/ { add_header X-T 1; add_header X-T 2; add_header x-t 3; proxy_pass http://%BACKEND%; }
    location /return/ { add_header X-R $status; return 200 "r"; }
    location /return404/ { add_header X-R $status; add_header X-Always $status always; return 404; }
    location /return301/ { add_header X-R 1; return 301 /x; }
    location /return418/ { add_header X-R 1; add_header X-Always 1 always; return 418 "t"; }
    location /hide/ { proxy_hide_header X-Custom; proxy_hide_header content-type; proxy_pass http://%BACKEND%; }
    location /hidemore/ { proxy_hide_header Set-Cookie; proxy_hide_header Cache-Control; proxy_hide_header ETag; proxy_pass http://%BACKEND%; }
    location /cors/ {
      add_header Access-Control-Allow-Origin $http_origin always;
      add_header Vary Origin;
      add_header Cache-Control "no-store";
      add_header Content-Security-Policy "default-src 'self'; img-src *" always;
      proxy_pass http://%BACKEND%; }
    location /dead/ { add_header X-Ok 1; add_header X-Always 1 always; proxy_pass http://%REFUSED%; }
    location /nest/ { add_header X-Nest 1;
      location /nest/kept { proxy_pass http://%BACKEND%; }
      location /nest/own { add_header X-Inner 1; proxy_pass http://%BACKEND%; } }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    proxy_hide_header X-Outer;
    server_tokens off;
    location / { proxy_pass http://%BACKEND%; }
    location /hide { proxy_hide_header X-Inner; proxy_pass http://%BACKEND%; }
    location /page { return 404; }
    location /text { return 200 "x"; }
  }
`

const full = replyWith(
  '200 OK',
  'body',
  'Date: Thu, 01 Jan 1970 00:00:00 GMT',
  'Server: backend/1',
  'X-Custom: c',
  'Content-Type: text/css',
  'Set-Cookie: a=1',
  'Set-Cookie: b=2',
  'X-Accel-Buffering: no',
  'X-Pad: pad',
  'Last-Modified: Sat, 21 Nov 2026 00:00:00 GMT',
  'ETag: "abc"',
  'Cache-Control: max-age=5',
  'Cache-Control: public',
  'Expires: Thu, 01 Jan 1970 00:00:00 GMT',
  'Vary: Accept',
  'Accept-Ranges: bytes',
  'x-lower: L',
  'Keep-Alive: timeout=3',
)
const statuses = [
  '200 OK',
  '201 Created',
  '204 No Content',
  '206 Partial Content',
  '301 Moved',
  '302 Found',
  '303 See',
  '304 Not Modified',
  '307 T',
  '308 P',
  '400 Bad',
  '401 U',
  '403 F',
  '404 N',
  '405 M',
  '416 R',
  '500 E',
  '503 S',
]

/** A redirect to the backend's own address, as backends that know no proxy send it. */
const redirectTo =
  (path: string) =>
  (request: Buffer): string => {
    const backend = /\r\nHost: ([^\r]*)/.exec(request.toString('latin1'))?.[1]
    return replyWith('302 Found', '', `Location: http://${backend}${path}`)
  }

const cases: ParityCases = [
  { name: 'everything a backend may send', send: get('/'), answer: full },
  { name: 'everything, to HTTP/1.0', send: 'GET / HTTP/1.0\r\n\r\n', until: 'close', answer: full },
  { name: 'everything, to HEAD', send: request('HEAD', '/'), answer: full.slice(0, -4) },
  { name: 'without Content-Type', send: get('/'), answer: replyWith('200 OK', 'x') },
  {
    name: 'Content-Type with a charset',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'Content-Type: text/html; charset=utf-8'),
  },
  { name: 'status text is kept', send: get('/'), answer: replyWith('200 Fine By Me', 'x') },
  { name: 'status text is missing', send: get('/'), answer: replyWith('200 ', 'x') },
  { name: 'status text and its space are missing', send: get('/'), answer: replyWith('200', 'x') },
  { name: 'an unknown status', send: get('/'), answer: replyWith('299 Odd', 'x') },
  { name: 'a high status', send: get('/'), answer: replyWith('999 Odd', 'x') },
  {
    name: 'spaces around values',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'X-S:   a b  ', 'X-N:v', 'X-E:'),
  },
  {
    name: 'duplicated headers',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'X-D: 1', 'X-O: 0', 'X-D: 2'),
  },
  {
    name: 'Connection of the backend',
    send: get('/'),
    answer: { bytes: replyWith('200 OK', 'x', 'Connection: close', 'X-A: 1'), after: 'end' },
  },
  {
    name: 'Upgrade of the backend',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'Upgrade: h2c', 'Connection: Upgrade'),
  },
  {
    name: 'Location elsewhere',
    send: get('/'),
    answer: replyWith('302 Found', '', 'Location: http://elsewhere.test/x'),
  },
  { name: 'Location as a path', send: get('/'), answer: replyWith('302 Found', '', 'Location: /x?y') },
  { name: "Location at the backend's address", send: get('/'), answer: redirectTo('/a?b') },
  {
    name: "Location at the backend's address, proxy_pass with URI",
    send: get('/base/x'),
    answer: redirectTo('/replaced/y'),
  },
  {
    name: "Location at the backend's address outside of the URI of proxy_pass",
    send: get('/base/x'),
    answer: redirectTo('/y'),
  },
  {
    name: "Refresh at the backend's address",
    send: get('/base/x'),
    answer: (request) => redirectTo('/replaced/y')(request).replace('Location: ', 'Refresh: 3; url='),
  },
  { name: 'Location relative', send: get('/'), answer: replyWith('201 Created', '', 'Location: x') },
  {
    name: 'Refresh and Link',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'Refresh: 5; url=/x', 'Link: </a>; rel=preload'),
  },
  {
    name: 'WWW-Authenticate',
    send: get('/'),
    answer: replyWith('401 U', 'x', 'WWW-Authenticate: Basic realm="r"', 'WWW-Authenticate: Bearer'),
  },
  ...statuses.map((status) => ({
    name: `add_header with ${status}`,
    send: get('/always/'),
    answer: /^(204|304)/.test(status) ? reply(status) : replyWith(status, 'b'),
  })),
  { name: 'add_header of the server', send: get('/'), answer: replyWith('200 OK', 'x') },
  { name: 'add_header of the location replaces it', send: get('/own/x'), answer: replyWith('200 OK', 'x') },
  { name: 'add_header is inherited into a nested location', send: get('/nest/kept') },
  { name: 'add_header of a nested location replaces', send: get('/nest/own') },
  { name: 'add_header with an empty value', send: get('/empty/') },
  { name: 'add_header with a variable', send: get('/empty/?v=7') },
  {
    name: 'add_header three times the same',
    send: get('/twice/'),
    answer: replyWith('200 OK', 'x', 'X-T: backend'),
  },
  { name: 'add_header on return', send: get('/return/') },
  { name: 'add_header on return 404', send: get('/return404/') },
  { name: 'add_header on return 301', send: get('/return301/') },
  { name: 'add_header on return 418', send: get('/return418/') },
  { name: 'add_header on 502', send: get('/dead/') },
  {
    name: 'add_header beside the same of the backend',
    send: get('/cors/', 'Origin: http://o.test'),
    answer: replyWith('200 OK', 'x', 'Vary: Accept', 'Cache-Control: public'),
  },
  { name: 'proxy_hide_header', send: get('/hide/'), answer: full },
  { name: 'proxy_hide_header of special ones', send: get('/hidemore/'), answer: full },
  {
    name: 'proxy_hide_header of the server',
    send: get('/'),
    port: 2,
    answer: replyWith('200 OK', 'x', 'X-Outer: 1', 'X-Inner: 1'),
  },
  {
    name: 'proxy_hide_header of the location replaces it',
    send: get('/hide'),
    port: 2,
    answer: replyWith('200 OK', 'x', 'X-Outer: 1', 'X-Inner: 1'),
  },
  { name: 'server_tokens off', send: get('/text'), port: 2 },
  { name: 'server_tokens off on a page', send: get('/page'), port: 2 },
]

/** Heads at the edge of what is well formed, which nginx and weir both pass. */
const odd: ParityCases = [
  ...['204 No Content', '304 Not Modified'].flatMap((status) => [
    {
      name: `${status} that speaks of content`,
      send: get('/'),
      answer: reply(status, ['Content-Type: a/b', 'Content-Length: 4', 'ETag: "x"', 'Last-Modified: never']),
    },
    {
      name: `${status} in chunks`,
      send: get('/'),
      answer: { bytes: reply(status, ['Content-Type: a/b', 'Connection: close']), after: 'end' as const },
    },
    { name: `${status} to HEAD`, send: request('HEAD', '/'), answer: reply(status, ['Content-Type: a/b']) },
    {
      name: `${status} to HTTP/1.0`,
      send: 'GET / HTTP/1.0\r\n\r\n',
      until: 'close' as const,
      answer: reply(status),
    },
  ]),
  { name: 'content behind 204', send: get('/'), answer: reply('204 N', ['X-A: 1'], 'more') },
  { name: 'content behind 304', send: get('/'), answer: reply('304 N', ['Content-Length: 4'], 'more') },
  { name: 'content behind a length of 0', send: get('/'), answer: `${replyWith('200 OK', '')}more` },
  { name: 'content for HEAD', send: request('HEAD', '/'), answer: replyWith('200 OK', 'more') },
  {
    name: 'chunks for HEAD',
    send: request('HEAD', '/'),
    answer: reply('200 OK', ['Transfer-Encoding: chunked'], '4\r\nmore\r\n0\r\n\r\n'),
  },
  { name: 'HEAD without a length', send: request('HEAD', '/'), answer: reply('200 OK', ['X-A: 1']) },
  {
    name: 'HEAD of chunks',
    send: request('HEAD', '/'),
    answer: reply('200 OK', ['Transfer-Encoding: chunked', 'X-A: 1']),
  },
  { name: 'HEAD of an error', send: request('HEAD', '/'), answer: reply('500 E', ['Content-Length: 9']) },
  ...[
    '404.1 Not Found',
    '200.9',
    '205 Reset',
    '226 IM Used',
    '300 Choices',
    '402 ',
    '418 \xe9\xff',
    '444 Closed',
    '499 Gone',
    '599 a\tb',
    '600 Six',
    '999',
  ].map((status) => ({
    name: `status line "${status}"`,
    send: get('/always/'),
    answer: replyWith(status, 'x'),
  })),
  {
    name: 'odd names',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'X_Under: 1', 'X.Dot: 2', "X!#$%&'*+^`|~: 3", '1: 4', '-: 5'),
  },
  {
    name: 'empty values',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'X-E:', 'X-S: ', 'Content-Type:', 'ETag:', 'Set-Cookie:', 'Location:'),
  },
  {
    name: 'values in high bytes and with colons',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'X-H: \xe9\xff', 'X-C: a: b:: c', 'X-Q: "a\\"b"', 'X-T: a\tb'),
  },
  {
    name: 'Content-Type in odd case and with blanks',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'CONTENT-type:   Text/HTML ;charset=X  '),
  },
  {
    name: 'fields about the connection',
    send: get('/'),
    answer: replyWith('200 OK', 'x', 'Keep-Alive: timeout=5', 'Proxy-Connection: x', 'Trailer: X-A', 'TE: x'),
  },
  {
    name: 'fields that describe content',
    send: get('/'),
    answer: replyWith(
      '206 P',
      'x',
      'Content-Range: bytes 0-0/9',
      'Content-Encoding: gzip',
      'Accept-Ranges: none',
    ),
  },
  {
    name: 'a challenge and a downgrade',
    send: get('/'),
    answer: replyWith(
      '401 U',
      'x',
      'Proxy-Authenticate: a',
      'WWW-Authenticate: b',
      'Upgrade: h2c',
      'Alt-Svc: c',
    ),
  },
  {
    name: 'fields of HTTP/1.0',
    send: get('/'),
    answer: { bytes: 'HTTP/1.0 200 OK\r\nPragma: no-cache\r\nContent-Length: 1\r\n\r\nx', after: 'end' },
  },
  {
    name: 'HTTP/1.0 without a length',
    send: get('/'),
    answer: { bytes: 'HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\nall of it', after: 'end' },
  },
  {
    name: 'HTTP/1.1 without a length, to HTTP/1.0',
    send: 'GET / HTTP/1.0\r\n\r\n',
    until: 'close',
    answer: { bytes: 'HTTP/1.1 200 OK\r\n\r\nall of it', after: 'end' },
  },
  {
    name: 'no fields, no content',
    send: get('/'),
    answer: { bytes: 'HTTP/1.1 200 OK\r\n\r\n', after: 'end' },
  },
]

describeParity('response header', HEADERS, cases)
describeParity('odd response header', HEADERS, odd)

describeParity(
  'headers as variables',
  `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    location /upstream/ { add_header X-Up "$upstream_status|$upstream_http_x_custom|$upstream_http_content_type" always; proxy_pass http://%BACKEND%; }
    location /sent/ { add_header X-Sent "$sent_http_content_type|$sent_http_x_custom"; proxy_pass http://%BACKEND%; }
  }`,
  [
    { name: 'add_header of $upstream_http_', send: get('/upstream/'), answer: full },
    {
      name: 'add_header of $upstream_http_ where there is none',
      send: get('/upstream/'),
      answer: replyWith('404 N', 'x'),
    },
    { name: 'add_header of $sent_http_', send: get('/sent/'), answer: full },
  ],
  { pending: true },
)
