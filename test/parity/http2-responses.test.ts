// Responses over HTTP/2 side by side with nginx: files, ranges, conditions, compression, what backends answer well and
// badly, and what becomes of several at once.

import { fieldsOf } from '../support/http2-bytes.ts'
import { block, type Field } from '../support/http2-hpack.ts'
import { data, describeHttp2Parity, get, type Http2Case, headers, post } from './http2-compare.ts'
import { reply, replyWith } from './requests.ts'

const SERVER = `
  server_name test;
  root %FOLDER%;
  location / { proxy_pass http://%BACKEND%; }
  location = /nginx.pid { return 403; }
  location /file/ { alias %FOLDER%/temp/; autoindex off; }
  location /gzip { gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; proxy_pass http://%BACKEND%; }
  location /unbuffered { proxy_pass http://%BACKEND%; proxy_buffering off; }
  location /intercepted { proxy_intercept_errors on; error_page 404 500 = /page; proxy_pass http://%BACKEND%; }
  location /page { return 200 "page\\n"; }
  location /hidden { proxy_hide_header X-Hidden; proxy_pass_header Server; proxy_pass http://%BACKEND%; }
  location /added { add_header X-Added $status always; add_header X-Request $request_method; expires 1h; proxy_pass http://%BACKEND%; }
  location /own { add_trailer X-Sum $upstream_status; proxy_pass http://%BACKEND%; }
  location /cookies { proxy_cookie_path / /own/; proxy_cookie_domain a.test b.test; proxy_pass http://%BACKEND%; }
  location /moved/ { proxy_pass http://%BACKEND%/; }
  location /refused { proxy_pass http://%REFUSED%; }
  location /limited { proxy_read_timeout 50ms; proxy_pass http://%BACKEND%; }
  location /accel { internal; return 200 "accelerated $request_method\\n"; }
  location /charset { charset utf-8; default_type text/plain; return 200 "text\\n"; }
  location /host { return 302 /elsewhere; }
  location /range { default_type text/plain; proxy_force_ranges on; proxy_pass http://%BACKEND%; }
  location /sub { auth_request /check; return 200 "allowed\\n"; }
  location /check { internal; proxy_pass http://%BACKEND%; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
  location /mirrored { rewrite ^ /page last; }`

const chunked = (...parts: string[]) =>
  `${reply('200 OK', ['Transfer-Encoding: chunked', 'Content-Type: text/plain'])}${parts
    .map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
    .join('')}0\r\n\r\n`
const from = (name: string, path: string, answer: Http2Case['answer'], ...fields: Field[]): Http2Case => {
  return { name, send: get(1, path, ...fields), ...(answer === undefined ? {} : { answer }) }
}

const cases: Http2Case[] = [
  from('a body with a length', '/a', replyWith('200 OK', 'hello', 'Content-Type: text/plain')),
  from('a body in chunks', '/a', chunked('one ', 'two ', 'three')),
  from('a body in chunks, not buffered', '/unbuffered', chunked('one ', 'two ', 'three')),
  from('a body until the end of the connection', '/a', {
    bytes: reply('200 OK', ['Connection: close'], 'until'),
    after: 'end',
  }),
  from('no body', '/a', replyWith('200 OK', '')),
  from('an empty body in chunks', '/a', chunked()),
  from('201 with Location', '/a', replyWith('201 Created', 'x', 'Location: /new')),
  from('204', '/a', reply('204 No Content')),
  from('304', '/a', reply('304 Not Modified', ['ETag: "x"'])),
  from('404 of the backend', '/a', replyWith('404 Not Found', 'nothing here')),
  from('500 of the backend', '/a', replyWith('500 Oops', 'failed')),
  from('404 of the backend, replaced', '/intercepted', replyWith('404 Not Found', 'nothing here')),
  from(
    '301 of the backend, rewritten',
    '/moved/a',
    replyWith('301 Moved', '', 'Location: http://%BACKEND%/x'),
  ),
  from('a status line without a reason', '/a', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok'),
  from(
    'fields many times',
    '/a',
    replyWith('200 OK', 'x', 'X-A: 1', 'X-B: 2', 'X-A: 3', 'Vary: a', 'Vary: b', 'Link: <a>', 'Link: <b>'),
  ),
  from('a field without a value', '/a', replyWith('200 OK', 'x', 'X-Empty:', 'X-Last: 1')),
  from('a field of 3000 bytes', '/a', replyWith('200 OK', 'x', `X-Long: ${'v'.repeat(3000)}`)),
  from('bytes above 127 in a field', '/a', replyWith('200 OK', 'x', 'X-Bytes: \xe4\xf6\xfc')),
  from('an uppercase field', '/a', replyWith('200 OK', 'x', 'X-UPPER: Value')),
  from(
    'fields of the connection',
    '/a',
    reply(
      '200 OK',
      ['Connection: close, X-Own', 'Keep-Alive: timeout=5', 'X-Own: 1', 'Content-Length: 1'],
      'x',
    ),
  ),
  from(
    'cookies',
    '/cookies',
    replyWith('200 OK', 'x', 'Set-Cookie: a=1; Path=/', 'Set-Cookie: b=2; Domain=a.test; Path=/x'),
  ),
  from(
    'fields hidden and passed',
    '/hidden',
    replyWith('200 OK', 'x', 'X-Hidden: 1', 'Server: own', 'X-Shown: 1'),
  ),
  from('fields added', '/added', replyWith('200 OK', 'x')),
  from('fields added to an error', '/added', replyWith('404 Not Found', 'x')),
  from(
    'fields that hold back',
    '/a',
    replyWith('200 OK', 'x', 'X-Accel-Expires: 5', 'X-Accel-Buffering: no', 'Date: yesterday', 'Server: own'),
  ),
  from('X-Accel-Redirect', '/a', replyWith('200 OK', 'gone', 'X-Accel-Redirect: /accel')),
  from('a trailer of our own', '/own', replyWith('200 OK', 'body')),
  from('a trailer of our own behind chunks', '/own', chunked('body')),
  from('gzip', '/gzip', replyWith('200 OK', 'zipped '.repeat(100), 'Content-Type: text/plain'), [
    'accept-encoding',
    'gzip',
  ]),
  from(
    'gzip that is not asked for',
    '/gzip',
    replyWith('200 OK', 'zipped '.repeat(100), 'Content-Type: text/plain'),
  ),
  from('a body of 1 MiB', '/a', replyWith('200 OK', 'x'.repeat(1 << 20))),
  from('a body of 1 MiB, not buffered', '/unbuffered', replyWith('200 OK', 'x'.repeat(1 << 20))),
  from('a range of a proxied body', '/range', replyWith('200 OK', '0123456789'), ['range', 'bytes=2-4']),
  from('ranges of a proxied body', '/range', replyWith('200 OK', '0123456789'), ['range', 'bytes=2-4,6-']),
  from('a range that cannot be', '/range', replyWith('200 OK', '0123456789'), ['range', 'bytes=20-']),
  from('nobody at the backend', '/refused', undefined),
  from('a backend that is silent', '/limited', { bytes: '' }),
  from('a backend that ends at once', '/a', { after: 'end' }),
  from('a backend that resets', '/a', { after: 'reset' }),
  from('a backend that ends in its head', '/a', { bytes: 'HTTP/1.1 200 OK\r\nX-A', after: 'end' }),
  from('a backend that ends in its chunks', '/a', {
    bytes: `${reply('200 OK', ['Transfer-Encoding: chunked'])}5\r\nhel`,
    after: 'end',
  }),
  from('a backend that sends more than its length', '/a', {
    bytes: reply('200 OK', ['Content-Length: 2'], 'okay'),
    after: 'end',
  }),
  from('a subrequest that allows', '/sub', replyWith('200 OK', 'x')),
  from('a subrequest that refuses', '/sub', replyWith('401 No', 'x', 'WWW-Authenticate: Basic')),
  from('a file that is not there', '/file/none', undefined),
  from('a charset', '/charset', undefined),
  from('a redirect', '/host', undefined),
  from('a rewritten target', '/mirrored', undefined),
  {
    name: 'HEAD of a body in chunks',
    send: headers(1, block(...fieldsOf('HEAD', '/a'))),
    answer: reply('200 OK', ['Transfer-Encoding: chunked']),
  },
  {
    name: 'HEAD with gzip',
    send: headers(1, block(...fieldsOf('HEAD', '/gzip', ['accept-encoding', 'gzip']))),
    answer: reply('200 OK', ['Content-Length: 500', 'Content-Type: text/plain']),
  },
  { name: 'HEAD of an error of the proxy', send: headers(1, block(...fieldsOf('HEAD', '/refused'))) },
  {
    name: 'an answer before the end of the request',
    send: [post(1, '/page'), data(1, 'part', 0), get(3, '/page')],
    streams: [1, 3],
  },
  {
    name: 'ten at once',
    send: Array.from({ length: 10 }, (_, index) => get(2 * index + 1, '/page')),
    streams: Array.from({ length: 10 }, (_, index) => 2 * index + 1),
  },
]

describeHttp2Parity('responses over HTTP/2', '', SERVER, cases)
