// Every status that a proxy makes itself, or intercepts, under every form of error_page: what the client gets, what the
// backend is asked, and what the logs say.

import { describeParity, type ParityCase } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const STATUSES =
  '300 302 400 401 404 405 408 409 410 411 412 413 414 415 416 429 444 494 500 501 502 503 504 505 507 599'

/** A server each. */
const FORMS = {
  uri: `error_page ${STATUSES} /page;`,
  'a status': `error_page ${STATUSES} =298 /page;`,
  'that of the page': `error_page ${STATUSES} = /page;`,
  'a named location': `error_page ${STATUSES} @page;`,
  'a named location, its status': `error_page ${STATUSES} = @page;`,
  variables: `error_page ${STATUSES} /page$status?$uri;`,
  'another site': `error_page ${STATUSES} =307 http://other.test/$status;`,
  'a backend': `error_page ${STATUSES} /proxied/page;`,
  'a page that fails': `error_page ${STATUSES} /page/fails;`,
  'a page that fails, recursive': `error_page ${STATUSES} /page/fails; recursive_error_pages on;`,
  nothing: '',
}

const server = (form: string, number: number): string => `
  server {
    listen 127.0.0.1:%PORT${number === 0 ? '' : number + 1}%;
    server_name s.test;
    ${form}
    proxy_intercept_errors on;
    lingering_timeout 100ms;
    client_header_buffer_size 1k;
    large_client_header_buffers 2 1k;
    location / { proxy_pass http://%BACKEND%; }
    location /silent { proxy_read_timeout 100ms; proxy_pass http://%BACKEND%; }
    location /late { client_body_timeout 100ms; proxy_pass http://%BACKEND%; }
    location /off { proxy_intercept_errors off; proxy_pass http://%BACKEND%; }
    location /small { client_max_body_size 5; proxy_pass http://%BACKEND%; }
    location /small/passed { client_max_body_size 5; proxy_request_buffering off; proxy_pass http://%BACKEND%; }
    location /refused { proxy_pass http://%REFUSED%; }
    location /cycle { rewrite ^/cycle(.*)$ /cycle$1x; }
    location /inner { internal; return 200 "inner\\n"; }
    location /returned/503 { return 503; }
    location /returned/504 { return 504; }
    location /returned/500 { return 500; }
    location /page { return 200 "page of $request_uri: $status $request_method $args\\n"; }
    location /page/fails { return 404; }
    location /proxied { proxy_intercept_errors off; proxy_pass http://%BACKEND%; }
    location @page { return 297 "named $uri $status $request_method\\n"; }
  }`

const HTTP = `${MODERN}
  log_format statuses '$request: $uri $status body=$body_bytes_sent upstream=$upstream_status';
  access_log logs/access.log statuses;
  ${Object.values(FORMS).map(server).join('')}`

const post = (target: string, length: number): string => request('POST', target, `Content-Length: ${length}`)

/** What fails by itself. */
const OWN: ParityCases = [
  { name: '400: no host', send: 'GET /x HTTP/1.1\r\n\r\n', until: 'close' },
  {
    name: '400: a bad chunk',
    send: `${request('POST', '/', 'Transfer-Encoding: chunked')}zz\r\n`,
    until: 'close',
  },
  { name: '405: TRACE', send: request('TRACE', '/'), until: 'close' },
  { name: '408: a body that does not come', send: [post('/late', 5), 'he'], until: 'close' },
  { name: '413: a length', send: `${post('/small', 6)}abcdef`, until: 'close' },
  { name: '413: a length, passed on', send: `${post('/small/passed', 6)}abcdef`, until: 'close' },
  {
    name: '413: chunks',
    send: `${request('POST', '/small', 'Transfer-Encoding: chunked')}6\r\nabcdef\r\n0\r\n\r\n`,
    until: 'close',
  },
  { name: '414', send: get(`/${'u'.repeat(1100)}`), until: 'close' },
  { name: '494: a line', send: get('/x', `X: ${'h'.repeat(1100)}`), until: 'close' },
  {
    name: '494: many lines',
    send: get('/x', ...['A', 'B', 'C', 'D'].map((name) => `${name}: ${'h'.repeat(700)}`)),
    until: 'close',
  },
  ...['500', '503', '504'].map((status) => ({
    name: `${status} of return`,
    send: get(`/returned/${status}`),
  })),
  { name: '500: a rewrite without end', send: get('/cycle') },
  { name: '502: refused', send: get('/refused/x?y') },
  { name: '502: refused, HEAD', send: request('HEAD', '/refused/x') },
  { name: '502: refused, POST', send: `${post('/refused', 3)}abc` },
]

/** The first answer, and that to whatever is asked in its place. */
const first =
  (answer: ReturnType<typeof replyWith> | { bytes: string; after?: 'end' | 'reset' }) =>
  (_: Buffer, index: number) =>
    index > 0 ? replyWith('298 Other', 'other') : answer

const BROKEN: ParityCases = [
  { name: '502: no answer', send: get('/'), answer: first({ bytes: '', after: 'end' }) },
  { name: '502: in a head', send: get('/'), answer: first({ bytes: 'HTTP/1.1 200 OK\r\nX', after: 'end' }) },
  { name: '502: no head', send: get('/'), answer: first(reply('200 OK', [' bad'])) },
  { name: '504: in a head', send: get('/silent'), answer: first({ bytes: 'HTTP/1.1 200 OK\r\n' }) },
]

const backendStatus = (target: string, status: string, ...headers: string[]): ParityCase => ({
  name: `${status} of a backend at ${target} ${headers.join()}`,
  send: get(target, 'Connection: close'),
  until: 'close',
  answer: first(replyWith(`${status} Word`, 'content', 'X-Own: own', ...headers)),
})

const INTERCEPTED: ParityCases = [
  ...[
    '300',
    '302',
    '400',
    '404',
    '408',
    '413',
    '414',
    '444',
    '494',
    '500',
    '502',
    '503',
    '504',
    '599',
    '600',
  ].map((status) => backendStatus('/', status)),
  ...['404', '500', '503'].map((status) => backendStatus('/', status, 'X-Accel-Redirect: /inner')),
  ...['404', '503'].flatMap((status) => [
    backendStatus('/off', status),
    backendStatus('/off', status, 'X-Accel-Redirect: /inner'),
    backendStatus('/off', status, 'X-Accel-Redirect: /refused'),
    backendStatus('/off', status, 'X-Accel-Redirect: @none'),
    backendStatus('/off', status, 'X-Accel-Redirect: ../x'),
  ]),
]

describeParity(
  'error_page with every status',
  HTTP,
  Object.keys(FORMS).flatMap((form, index) =>
    [...OWN, ...BROKEN, ...INTERCEPTED].map((parityCase) => ({
      ...parityCase,
      name: `${form}: ${parityCase.name}`,
      port: index + 1,
    })),
  ),
)
