// What happens on the connection: versions, keepalive, pipelining, HEAD, bodies in both directions, 1xx.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const CONNECTION = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    server_name c.test;
    location / { proxy_pass http://%BACKEND%; }
    location /text { return 200 "text"; }
    location /nokeepalive { keepalive_timeout 0; return 200 "once"; }
    location /header { keepalive_timeout 30s 20s; return 200 "header"; }
    location /ten { proxy_http_version 1.0; proxy_pass http://%BACKEND%; }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    keepalive_requests 2;
    location / { return 200 "$connection_requests"; }
  }
`

const chunkedReply = reply(
  '200 OK',
  ['Transfer-Encoding: chunked'],
  '3\r\nabc\r\nA;ext="v"\r\n0123456789\r\n0\r\n\r\n',
)
const closeReply = { bytes: reply('200 OK', ['X-A: 1'], 'until the end'), after: 'end' as const }
const tenReply = { bytes: 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nten', after: 'end' as const }
const tenCloseReply = { bytes: 'HTTP/1.0 200 OK\r\n\r\nten close', after: 'end' as const }

const chunked = (body: string, ...headers: string[]): string =>
  `${request('POST', '/', 'Transfer-Encoding: chunked', ...headers)}${body}`
const ten = (target: string, ...headers: string[]): string =>
  `GET ${target} HTTP/1.0\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`

const cases: ParityCases = [
  { name: 'HTTP/1.1 keeps the connection', send: [get('/text'), get('/text')], until: 2, logged: 2 },
  { name: 'Connection: close', send: get('/text', 'Connection: close'), until: 'close' },
  { name: 'Connection: Close in other case', send: get('/text', 'connection: CLOSE'), until: 'close' },
  {
    name: 'Connection: keep-alive in HTTP/1.1',
    send: [get('/text', 'Connection: keep-alive'), get('/text')],
    until: 2,
    logged: 2,
  },
  { name: 'HTTP/1.0 closes', send: ten('/text'), until: 'close' },
  {
    name: 'HTTP/1.0 with keep-alive',
    send: [ten('/text', 'Connection: keep-alive'), ten('/text')],
    until: 'close',
    logged: 2,
  },
  { name: 'HTTP/1.0 proxied', send: ten('/'), until: 'close' },
  {
    name: 'HTTP/1.0 proxied with keep-alive',
    send: [ten('/', 'Connection: Keep-Alive'), ten('/')],
    until: 'close',
    logged: 2,
  },
  {
    name: 'HTTP/1.0 gets no chunks',
    send: ten('/', 'Connection: keep-alive'),
    until: 'close',
    answer: chunkedReply,
  },
  {
    name: 'HTTP/1.0 and an answer until the end',
    send: ten('/', 'Connection: keep-alive'),
    until: 'close',
    answer: closeReply,
  },
  { name: 'an unknown minor version', send: 'GET /text HTTP/1.2\r\nHost: a\r\n\r\n' },
  {
    name: 'HTTP/2.0 as a version',
    send: 'GET /text HTTP/2.0\r\nHost: a\r\n\r\n',
    until: 'close',
    info: true,
  },
  { name: 'an empty line before the request', send: `\r\n${get('/text')}`, until: 1 },
  { name: 'keepalive_timeout 0', send: get('/nokeepalive'), until: 'close' },
  { name: 'keepalive_timeout with a header', send: get('/header') },
  { name: 'keepalive_requests', send: get('/') + get('/') + get('/'), until: 'close', port: 2, logged: 2 },
  {
    name: 'pipelining is answered in order',
    send: get('/a') + get('/b') + get('/text') + get('/c'),
    until: 4,
    logged: 4,
    answer: (bytes) => replyWith('200 OK', bytes.toString('latin1', 4, 6)),
  },
  {
    name: 'pipelining with bodies',
    send: `${request('POST', '/a', 'Content-Length: 3')}abc${get('/b')}`,
    until: 2,
    logged: 2,
  },
  {
    name: 'pipelining after chunks',
    anyFraming: true,
    send: `${chunked('3\r\nabc\r\n0\r\n\r\n')}${get('/b')}`,
    until: 2,
    logged: 2,
  },
  {
    name: 'pipelining ends with close',
    send: get('/a') + get('/b', 'Connection: close') + get('/c'),
    until: 'close',
    logged: 2,
  },
  {
    name: 'body of a request that is not proxied is skipped',
    send: `${request('POST', '/text', 'Content-Length: 3')}abc${get('/text')}`,
    until: 2,
    logged: 2,
  },
  {
    name: 'chunked body of a request that is not proxied is skipped',
    send: `${request('POST', '/text', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n${get('/text')}`,
    until: 2,
    logged: 2,
  },
  {
    name: 'HEAD of text keeps the connection',
    send: request('HEAD', '/text') + get('/text'),
    until: 2,
    logged: 2,
  },
  { name: 'HEAD proxied', send: request('HEAD', '/'), answer: reply('200 OK', ['Content-Length: 1000']) },
  {
    name: 'HEAD of a chunked answer',
    send: request('HEAD', '/'),
    answer: reply('200 OK', ['Transfer-Encoding: chunked']),
  },
  {
    name: 'HEAD without a length',
    send: request('HEAD', '/'),
    answer: { bytes: reply('200 OK', ['X-A: 1']), after: 'end' },
  },
  { name: 'HEAD to HTTP/1.0', send: 'HEAD /text HTTP/1.0\r\n\r\n', until: 'close' },
  {
    name: 'request with a length in two parts',
    send: [request('POST', '/', 'Content-Length: 6'), 'abc', 'def'],
  },
  { name: 'request in chunks', anyFraming: true, send: chunked('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n') },
  {
    name: 'request in chunks of one',
    anyFraming: true,
    send: [chunked('1\r\na\r\n'), '1\r\nb\r\n', '0\r\n\r\n'],
  },
  { name: 'request with an empty chunked body', anyFraming: true, send: chunked('0\r\n\r\n') },
  {
    name: 'request with upper and lower hexadecimal sizes',
    anyFraming: true,
    send: chunked(`a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n`),
  },
  {
    name: 'request with chunk extensions',
    anyFraming: true,
    send: chunked('3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n'),
  },
  {
    name: 'request with zeros in front of a chunk size',
    anyFraming: true,
    send: chunked('0003\r\nabc\r\n000\r\n\r\n'),
  },
  {
    name: 'request with trailers',
    anyFraming: true,
    send: chunked('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n', 'Trailer: X-T'),
  },
  {
    name: 'Chunked in other case',
    anyFraming: true,
    send: `${request('POST', '/', 'transfer-encoding: CHUNKED')}3\r\nabc\r\n0\r\n\r\n`,
  },
  {
    name: 'request with Expect',
    send: [request('POST', '/', 'Content-Length: 3', 'Expect: 100-continue'), 'abc'],
  },
  {
    name: 'request with Expect whose body is there already',
    send: `${request('POST', '/', 'Content-Length: 3', 'Expect: 100-continue')}abc`,
  },
  {
    name: 'request with Expect in chunks',
    anyFraming: true,
    send: [chunked('', 'Expect: 100-Continue'), '3\r\nabc\r\n0\r\n\r\n'],
  },
  {
    name: 'request with Expect that is not proxied',
    send: [request('POST', '/text', 'Content-Length: 3', 'Expect: 100-continue'), 'abc'],
  },
  {
    name: 'request with Expect and HTTP/1.0',
    send: ['POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n', 'abc'],
    until: 'close',
  },
  {
    name: 'request with another expectation',
    send: [request('POST', '/', 'Content-Length: 3', 'Expect: x'), 'abc'],
  },
  {
    name: 'request to HTTP/1.0 backend',
    send: `${request('POST', '/ten', 'Content-Length: 3')}abc`,
    answer: tenReply,
  },
  { name: 'answer of HTTP/1.0', send: get('/ten'), answer: tenReply },
  { name: 'answer of HTTP/1.0 until the end', send: get('/ten'), answer: tenCloseReply },
  { name: 'answer until the end to HTTP/1.1', send: get('/'), answer: closeReply },
  { name: 'answer in chunks', send: get('/'), answer: chunkedReply },
  {
    name: 'answer in chunks to HEAD keeps the connection',
    send: request('HEAD', '/a') + get('/text'),
    until: 2,
    logged: 2,
    answer: reply('200 OK', ['Transfer-Encoding: chunked']),
  },
  {
    name: 'answer in single bytes',
    send: get('/'),
    answer: { bytes: [...replyWith('200 OK', 'abc', 'X-A: 1')] },
  },
  { name: 'answer in chunks in single bytes', send: get('/'), answer: { bytes: [...chunkedReply] } },
  { name: 'answer of length 0', send: get('/'), answer: replyWith('200 OK', '') },
  {
    name: 'answer of no chunk',
    send: get('/'),
    answer: reply('200 OK', ['Transfer-Encoding: chunked'], '0\r\n\r\n'),
  },
  {
    name: 'answer until the end without a byte',
    send: get('/'),
    answer: { bytes: reply('200 OK', ['X-A: 1']), after: 'end' },
  },
  { name: 'answer 204', send: get('/'), answer: reply('204 No Content', ['X-A: 1']) },
  { name: 'answer 304', send: get('/'), answer: reply('304 Not Modified', ['ETag: "x"']) },
  {
    name: 'answer 304 with a length',
    send: get('/'),
    answer: reply('304 Not Modified', ['Content-Length: 5', 'ETag: "x"']),
  },
  { name: 'answer of 100 kB', send: get('/'), answer: replyWith('200 OK', 'x'.repeat(100_000)) },
  {
    name: 'answer of 100 kB in chunks',
    send: get('/'),
    answer: reply('200 OK', ['Transfer-Encoding: chunked'], `186A0\r\n${'y'.repeat(100_000)}\r\n0\r\n\r\n`),
  },
  {
    name: 'request of 100 kB',
    send: `${request('POST', '/', 'Content-Length: 100000')}${'z'.repeat(100_000)}`,
  },
  { name: 'the client ends its side after the request', send: get('/text'), halfClose: true, until: 'close' },
]

describeParity('connection', CONNECTION, cases)

describeParity(
  'client_max_body_size',
  `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    location /small { client_max_body_size 4; proxy_pass http://%BACKEND%; }
    location /unlimited { client_max_body_size 0; proxy_pass http://%BACKEND%; }
  }`,
  [
    {
      name: 'request larger than client_max_body_size',
      send: `${request('POST', '/small', 'Content-Length: 5')}abcde`,
      until: 'close',
    },
    {
      name: 'request as large as client_max_body_size',
      send: `${request('POST', '/small', 'Content-Length: 4')}abcd`,
    },
    { name: 'client_max_body_size 0', send: `${request('POST', '/unlimited', 'Content-Length: 5')}abcde` },
    {
      name: 'request larger than client_max_body_size, with Expect',
      send: request('POST', '/small', 'Content-Length: 5', 'Expect: 100-continue'),
    },
  ],
  { pending: true },
)
