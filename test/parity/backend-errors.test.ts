// Backends that refuse, hang, break off or talk nonsense: what the client gets and what the error log says.

import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const ERRORS = `
  log_format parity '$request: $status body=$body_bytes_sent upstream="$upstream_addr" $upstream_status';
  access_log logs/access.log parity;${MODERN}
  upstream refused { server %REFUSED%; }
  upstream back { server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT%;
    server_name e.test;
    location / { proxy_pass http://%BACKEND%; }
    location /refused { proxy_pass http://%REFUSED%; }
    location /refused_uri { proxy_pass http://%REFUSED%/base/; }
    location /refused_upstream { proxy_pass http://refused; }
    location /upstream { proxy_pass http://back; }
    location /read { proxy_read_timeout 100ms; proxy_pass http://%BACKEND%; }
    location /always { add_header X-Up "$upstream_status $upstream_addr" always; proxy_pass http://%REFUSED%; }
    location /error_log { error_log logs/error.log crit; proxy_pass http://%REFUSED%; }
  }
`

const partly = replyWith('200 OK', 'whole body').slice(0, -5)
const headOnly = replyWith('200 OK', 'whole body').slice(0, -10)
const chunk = reply('200 OK', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n')

const cases: ParityCases = [
  { name: 'refused', send: get('/refused') },
  {
    name: 'refused, with arguments and Referer',
    send: get('/refused/x?a=b', 'Referer: http://r.test/"q"', 'User-Agent: u'),
  },
  { name: 'refused, proxy_pass with URI', send: get('/refused_uri/x?y') },
  { name: 'refused, in an upstream', send: get('/refused_upstream') },
  { name: 'refused, HEAD', send: request('HEAD', '/refused') },
  { name: 'refused, POST', send: `${request('POST', '/refused', 'Content-Length: 3')}abc` },
  { name: 'refused, HTTP/1.0', send: 'GET /refused HTTP/1.0\r\n\r\n', until: 'close' },
  { name: 'refused, connection is kept', send: [get('/refused'), get('/refused')], until: 2, logged: 2 },
  { name: 'refused, headers and variables', send: get('/always') },
  { name: 'refused, below the level of the log', send: get('/error_log') },
  { name: 'closed without an answer', send: get('/'), answer: { after: 'end' } },
  { name: 'closed without an answer, in an upstream', send: get('/upstream'), answer: { after: 'end' } },
  { name: 'reset without an answer', send: get('/'), answer: { after: 'reset' } },
  { name: 'closed within the status line', send: get('/'), answer: { bytes: 'HTTP/1.1 2', after: 'end' } },
  {
    name: 'closed within the header',
    send: get('/'),
    answer: { bytes: 'HTTP/1.1 200 OK\r\nContent-', after: 'end' },
  },
  { name: 'closed after the first byte', send: get('/'), answer: { bytes: 'H', after: 'end' } },
  {
    name: 'closed within a body of known length',
    send: get('/'),
    until: 'close',
    answer: { bytes: partly, after: 'end' },
  },
  { name: 'closed within chunks', send: get('/'), until: 'close', answer: { bytes: chunk, after: 'end' } },
  {
    name: 'reset within a body',
    send: get('/'),
    until: 'close',
    answer: { bytes: headOnly, gap: 50, after: 'reset' },
  },
  {
    name: 'closed within a body, HTTP/1.0',
    send: 'GET / HTTP/1.0\r\n\r\n',
    until: 'close',
    answer: { bytes: partly, after: 'end' },
  },
  {
    name: 'an invalid header line',
    send: get('/'),
    answer: { bytes: 'HTTP/1.1 200 OK\r\nBad Header: x\r\nContent-Length: 1\r\n\r\nx' },
  },
  {
    name: 'a header line with NUL',
    send: get('/'),
    answer: 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 1\r\n\r\nx',
  },
  {
    name: 'a header too big',
    send: get('/'),
    answer: replyWith('200 OK', 'x', `X-Big: ${'b'.repeat(9000)}`),
  },
  {
    name: 'an invalid chunk',
    send: get('/'),
    until: 'close',
    answer: { bytes: [chunk, 'zz\r\nabc\r\n'], gap: 50, after: 'end' },
  },
  {
    name: 'more than the length',
    send: get('/'),
    answer: { bytes: `${replyWith('200 OK', 'abc')}more`, after: 'end' },
  },
  {
    name: 'a body after HEAD',
    send: request('HEAD', '/'),
    answer: { bytes: replyWith('200 OK', 'abc'), after: 'end' },
  },
  { name: 'no answer in time', send: get('/read'), answer: {} },
  { name: 'no whole header in time', send: get('/read'), answer: { bytes: 'HTTP/1.1 200 OK\r\n' } },
  { name: 'no whole body in time', send: get('/read'), until: 'close', answer: { bytes: headOnly } },
]

describeParity('backend errors', ERRORS, cases)

describeParity(
  'the next server of an upstream',
  `
  log_format parity '$request: $status body=$body_bytes_sent upstream="$upstream_addr" $upstream_status';
  access_log logs/access.log parity;${MODERN}
  upstream one_refused { server %REFUSED% weight=100 max_fails=1 fail_timeout=10s; server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://one_refused; }
  }`,
  [{ name: 'answers when the first refuses', send: get('/next') }],
  { pending: true },
)
