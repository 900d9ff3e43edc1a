// What a request takes along through error pages, named locations and subrequests: its body, header lines, upstream
// lists, captures, and whether its connection is kept.

import { describeParity } from './compare.ts'
import { fixedFiles } from './fixed-files.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const files = fixedFiles()

const HTTP = `${MODERN}
  log_format parity '$request_method $request_uri -> $uri ? $args: $status '
    'up=[$upstream_status] peers=[$upstream_addr] lengths=[$upstream_response_length] x=[$upstream_http_x_a]';
  access_log logs/access.log parity;
  server {
    listen 127.0.0.1:%PORT%;
    add_header X-Server server always;
    error_page 400 /page-400;
    error_page 502 504 /page-502;
    location / { proxy_pass http://%BACKEND%; }
    location = /page-400 { return 200 "refused $uri\\n"; }
    location = /page-502 { return 200 "failed $uri $upstream_status\\n"; }
    location /twice { error_page 502 = @again; proxy_pass http://%REFUSED%; }
    location @again { error_page 502 /page-502; proxy_pass http://%BACKEND%; }
    location /thrice { error_page 502 = /twice; recursive_error_pages on; proxy_pass http://%REFUSED%; }
    location ~ ^/captured/(.*)$ { error_page 403 /shown; return 403; }
    location /failed-missing { error_page 502 /missing; proxy_pass http://%REFUSED%; }
    location /failed-named { error_page 502 @unset; proxy_pass http://%REFUSED%; }
    location /refused-named { error_page 405 @unset; }
    location /refused-range { error_page 416 @unset; root ${files.folder}; try_files /a.txt =404; }
    location /unset-passed { add_header X-Unset "$unset"; proxy_pass http://%BACKEND%; }
    location @unset { return 200 "$unset\\n"; }
    location /ask-file { auth_request /a.txt; root /missing; }
    location = /a.txt { root ${files.folder}; }
    location /ask-elsewhere { auth_request /logs-elsewhere; proxy_pass http://%BACKEND%; }
    location /logs-elsewhere { error_log logs/elsewhere.log; root /missing; }
    location = /missing { root /missing; }
    location /sets { set $unset 1; }
    location = /shown { return 200 "[$1]\\n"; }
    location ~ ^/asking/(?<part>[^/]*)/(.*)$ {
      auth_request /ask-captures;
      auth_request_set $asked $upstream_http_x_a;
      add_header X-Captures "$part $1 $2 $asked";
      proxy_pass http://%BACKEND%;
    }
    location = /ask-captures { proxy_set_header X-Captures "$part $1"; proxy_pass http://%BACKEND%; }
    location ~ ^/kept/(?<part>.*)$ { error_page 403 @shown; return 403; }
    location @shown { return 200 "[$part]\\n"; }
    location /challenged { auth_request /ask; error_page 401 = /login; proxy_pass http://%BACKEND%; }
    location /challenged-302 { auth_request /ask; error_page 401 =302 /login; proxy_pass http://%BACKEND%; }
    location /challenged-named { auth_request /ask; error_page 401 @login; proxy_pass http://%BACKEND%; }
    location /challenged-403 { auth_request /ask; error_page 401 =403 /denied; proxy_pass http://%BACKEND%; }
    location /challenged-proxied { auth_request /ask; error_page 401 = /public; proxy_pass http://%BACKEND%; }
    location = /denied { return 403; }
    location = /login { return 200 "log in\\n"; }
    location @login { return 200 "log in\\n"; }
    location = /ask { internal; proxy_pass http://%BACKEND%; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
    location /passed { auth_request /ask; proxy_pass http://%BACKEND%; }
    location /if/ { if ($arg_a) { set $x 1; add_header X-If if; } proxy_pass http://%BACKEND%/base/; }
    location /if-none/ { if ($arg_a) { set $x 1; } proxy_pass http://%BACKEND%; }
    location /only/ { limit_except GET POST { deny all; } proxy_pass http://%BACKEND%/base/; error_page 403 = /shown-403; }
    location = /shown-403 { return 200 "$request_method\\n"; }
    location /named-only { error_page 403 = @only; return 403; }
    location /named-only-tried { try_files /none @only; }
    location @only { limit_except GET { deny all; } add_header X-Only 1 always; proxy_pass http://%BACKEND%; }
    location /only-proxied/ { limit_except GET { proxy_pass http://%BACKEND%; } proxy_pass http://%BACKEND%/base/; }
  }
`

const challenge = reply('401 No', ['WWW-Authenticate: Basic realm="r"', 'X-A: 1', 'Content-Length: 0'])
const post = (target: string, body = 'body', ...lines: string[]) =>
  `${request('POST', target, `Content-Length: ${body.length}`, ...lines)}${body}`
const chunked = (target: string, body: string) =>
  `${request('POST', target, 'Transfer-Encoding: chunked')}${body}`

const cases: ParityCases = [
  {
    name: 'a header line that is none',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    until: 'close',
  },
  { name: 'a request line that is none', send: 'GET\r\n\r\n', until: 'close' },
  { name: 'no host', send: 'GET / HTTP/1.1\r\n\r\n', until: 'close' },
  {
    name: 'a length that is none',
    send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n',
    until: 'close',
  },
  {
    name: 'two framings',
    send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    until: 'close',
  },
  { name: 'a version there is not', send: 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', until: 'close', logged: 1 },
  {
    name: 'upstream lists over a named location',
    send: get('/twice?a'),
    answer: replyWith('200 OK', 'ok', 'X-A: 1'),
  },
  { name: 'upstream lists over three', send: get('/thrice?a'), answer: replyWith('201 OK', 'ok', 'X-A: 1') },
  { name: 'a body on its way to the second upstream', send: post('/twice') },
  { name: 'a body on its way to the third', send: post('/thrice') + get('/shown'), until: 2, logged: 2 },
  {
    name: 'chunks on their way to the second',
    send: chunked('/twice', '4\r\nbody\r\n0\r\n\r\n'),
    anyFraming: true,
  },
  {
    name: 'no answer',
    send: get('/') + get('/shown'),
    answer: { bytes: '', after: 'end' },
    until: 2,
    logged: 2,
  },
  {
    name: 'no answer to a body',
    send: post('/') + get('/shown'),
    answer: { bytes: '', after: 'end' },
    until: 2,
    logged: 2,
  },
  {
    name: 'an answer after a failure at the second',
    send: get('/twice'),
    answer: { bytes: '', after: 'end' },
  },
  { name: 'captures', send: get('/captured/x%20y') },
  ...[
    '/failed-missing',
    '/failed-named',
    '/refused-named',
    '/unset-passed',
    '/ask-file',
    '/ask-elsewhere',
  ].map((path) => ({
    name: `what the log says is being done: ${path}`,
    send: request(path === '/refused-named' ? 'DELETE' : 'GET', path),
  })),
  {
    name: 'what the log says behind a file that is not sent',
    send: get('/refused-range', 'Range: bytes=99999-'),
  },
  { name: 'named captures', send: get('/kept/x') },
  {
    name: 'captures and a subrequest',
    send: get('/asking/x/y'),
    answer: reply('200 OK', ['X-A: 1', 'Content-Length: 0']),
  },
  ...['', '-302', '-named', '-403'].map((end) => ({
    name: `a challenge and an error page: /challenged${end}`,
    send: get(`/challenged${end}`),
    answer: challenge,
  })),
  {
    name: 'a challenge and an error page of a backend',
    send: get('/challenged-proxied'),
    answer: (bytes: Buffer) => (bytes.includes('GET /ask') ? challenge : replyWith('200 OK', 'ok', 'X-A: 2')),
  },
  {
    name: 'a subrequest, then the request itself',
    send: post('/passed') + get('/shown'),
    until: 2,
    logged: 2,
  },
  {
    name: 'a subrequest that only has a head',
    send: get('/passed'),
    answer: (bytes: Buffer) =>
      bytes.includes('GET /ask')
        ? { bytes: 'HTTP/1.1 204 OK\r\nContent-Length: 100\r\n\r\n' }
        : replyWith('200 OK', 'ok'),
  },
  {
    name: 'a subrequest whose content never comes',
    send: get('/passed'),
    answer: (bytes: Buffer) =>
      bytes.includes('GET /ask')
        ? { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart' }
        : replyWith('200 OK', 'ok'),
  },
  { name: 'a subrequest that is not answered', send: get('/passed'), answer: { bytes: '', after: 'end' } },
  { name: 'if with proxy_pass of the location', send: get('/if/x?a=1') },
  { name: 'if that does not hold', send: get('/if/x') },
  { name: 'if with a body', send: post('/if-none/x?a=1') },
  ...['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'DELETE', 'get'].flatMap((method) => [
    {
      name: `limit_except: ${method}`,
      send: request(method, '/only/x?a=1', 'Connection: close'),
      until: 'close' as const,
      answer: reply('200 OK', ['Content-Length: 0']),
    },
    {
      name: `limit_except of a named location: ${method}`,
      send: request(method, '/named-only', 'Connection: close'),
      until: 'close' as const,
      answer: reply('200 OK', ['Content-Length: 0']),
    },
    {
      name: `limit_except of a named location behind try_files: ${method}`,
      send: request(method, '/named-only-tried', 'Connection: close'),
      until: 'close' as const,
      answer: reply('200 OK', ['Content-Length: 0']),
    },
    {
      name: `limit_except with a pass: ${method}`,
      send: request(method, '/only-proxied/x', 'Connection: close'),
      until: 'close' as const,
      answer: reply('200 OK', ['Content-Length: 0']),
    },
  ]),
]

describeParity('state over redirects', HTTP, cases)
