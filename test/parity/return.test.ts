// return: codes, text, redirects, and nginx's own pages.

import { describeParity } from './compare.ts'
import { get, LOGGING, type ParityCases, request } from './requests.ts'

const informational = [0, 99, 100, 102, 103, 199]
const codes = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308]
const errors = [400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 418, 421, 429]
const failures = [494, 495, 496, 497, 499, 500, 501, 502, 503, 504, 505, 507, 520, 599]

const RETURNS = String.raw`${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    server_name named.test;
    ${[...informational, ...codes, ...errors, ...failures].map((code) => `location = /code/${code} { return ${code}; }`).join('\n    ')}
    location = /text { return 200 "hello $arg_a"; }
    location = /empty { return 200 ""; }
    location = /text404 { return 404 "not here\n"; }
    location = /text204 { return 204 "no body"; }
    location = /text304 { return 304 "no body"; }
    location = /text500 { return 500 "$request_method $scheme"; }
    location = /json { default_type application/json; return 200 '{"a": "$uri"}'; }
    location = /301 { return 301 http://other.test/path?x=$arg_x; }
    location = /302 { return 302 /relative/$host; }
    location = /303 { return 303 https://other.test$request_uri; }
    location = /307 { return 307 //scheme.test/; }
    location = /308 { return 308 "/with space"; }
    location = /bare { return http://bare.test/; }
    location = /bareuri { return https://bare.test$uri; }
    location = /redirect204 { return 301 ""; }
    location = /word { return 302 word; }
    location = /444 { return 444; }
    location = /empty404 { error_page 404 /page; return 404 ""; }
    location = /variable404 { error_page 404 /page; return 404 "$arg_a"; }
    location = /page { return 200 "page"; }
    location = /braces { return 200 "${'$'}{host}x"; }
  }
`

const cases: ParityCases = [
  ...[...codes, ...errors, ...failures].map((code) => ({
    name: `return ${code}`,
    send: get(`/code/${code}`),
    ...(code === 499 ? { until: 'close' as const } : {}),
  })),
  ...informational.map((code) => ({
    name: `return ${code}`,
    send: get(`/code/${code}`, 'Connection: close'),
    until: 'close' as const,
  })),
  { name: 'return 404 to HEAD', send: request('HEAD', '/code/404') },
  { name: 'return 301 to HEAD', send: request('HEAD', '/301') },
  {
    name: 'return 400 keeps or closes the connection',
    send: get('/code/400') + get('/text'),
    until: 'close',
    logged: 1,
  },
  { name: 'return 404 keeps the connection', send: get('/code/404') + get('/text'), until: 2, logged: 2 },
  { name: 'return 500 and the connection', send: get('/code/500', 'Connection: close'), until: 'close' },
  { name: 'text with a variable', send: get('/text?a=1') },
  { name: 'text with an empty variable', send: get('/text') },
  { name: 'text to HEAD', send: request('HEAD', '/text?a=1') },
  { name: 'text to POST', send: `${request('POST', '/text?a=2', 'Content-Length: 3')}abc` },
  { name: 'text to HTTP/1.0', send: 'GET /text HTTP/1.0\r\n\r\n', until: 'close' },
  { name: 'empty text', send: get('/empty') },
  { name: 'empty text with 404 and a page', send: get('/empty404') },
  { name: 'text with 404 that a variable leaves empty', send: get('/variable404') },
  { name: 'text with 404', send: get('/text404') },
  { name: 'text with 204', send: get('/text204') },
  { name: 'text with 304', send: get('/text304') },
  { name: 'text with 500', send: get('/text500') },
  { name: 'default_type', send: get('/json') },
  { name: 'redirect to an address', send: get('/301?x=a%20b') },
  { name: 'redirect to a path is made absolute', send: get('/302', 'Host: h.test') },
  { name: 'redirect to a path, Host with a port', send: get('/302', 'Host: h.test:1234') },
  { name: 'redirect to a path without Host', send: 'GET /302 HTTP/1.0\r\n\r\n', until: 'close' },
  { name: 'redirect with 303', send: get('/303?q#f') },
  { name: 'redirect with 307', send: get('/307') },
  { name: 'redirect with 308', send: get('/308') },
  { name: 'redirect by address alone', send: get('/bare') },
  { name: 'redirect by address with a variable', send: get('/bareuri') },
  { name: 'redirect to nothing', send: get('/redirect204') },
  { name: 'redirect to a word', send: get('/word') },
  { name: 'braces around a variable', send: get('/braces') },
  { name: 'return 444 closes without a word', send: get('/444'), until: 'close' },
]

describeParity('return', RETURNS, cases)
