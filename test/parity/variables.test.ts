// Every core variable in every state a request may be in: answered, proxied, refused before or behind its request line,
// cut off, pipelined; as text of a response and in the log, where an empty value and a missing one differ.

import { describeParity, type ParityCase } from './compare.ts'
import { get, MODERN, reply, request } from './requests.ts'

const STABLE = [
  ...['args', 'arg_a', 'arg_B', 'arg_none', 'content_length', 'content_type', 'cookie_a', 'cookie_Name'],
  ...['document_uri', 'host', 'hostname', 'http_host', 'http_x_one', 'http_x_two_parts', 'http_none'],
  ...['http_cookie', 'http_user_agent', 'http_referer', 'https', 'is_args', 'limit_rate', 'query_string'],
  ...[
    'realip_remote_addr',
    'remote_addr',
    'remote_user',
    'request',
    'request_method',
    'request_uri',
    'scheme',
  ],
  ...[
    'server_addr',
    'server_name',
    'server_port',
    'server_protocol',
    'uri',
    'document_root',
    'request_filename',
  ],
  ...['http_', 'arg_', 'cookie_'],
]
/** Known at the end only. */
const LATE = ['pipe', 'request_completion', 'request_length', 'status', 'connection_requests']
const CLOCK = ['connection_time', 'request_time', 'msec', 'time_local', 'time_iso8601', 'request_id']

const show = (names: readonly string[]): string => names.map((name) => `${name}=[$${name}]`).join(' ')

const HTTP = `${MODERN}
  log_format all '${show([...STABLE, ...LATE, ...CLOCK])} pid=$pid connection=$connection body=$body_bytes_sent';
  access_log logs/access.log all;
  log_not_found off;
  server {
    listen 127.0.0.1:%PORT%;
    server_name main.test *.main.test;
    location / { return 200 '${show(STABLE)}'; }
    location /late { return 201 '${show(LATE.slice(2))}'; }
    location /lengths { return 200 '[$request_time][$connection_time][$msec][$time_local][$time_iso8601][$request_id]'; }
    location /binary { return 200 $binary_remote_addr; }
    location /proxy { proxy_set_header X-Vars '${show(STABLE)}'; proxy_pass http://%BACKEND%; }
    location /plain { proxy_pass http://%BACKEND%; }
    location /realpath { return 200 '[$realpath_root]'; }
    location /refused { proxy_pass http://%REFUSED%; }
    location /redirect { return 302 /to$is_args$args; }
    location /forbidden { return 403; }
    location /closed { return 444; }
    location /empty { return 204; }
  }
  server {
    listen 127.0.0.1:%PORT%;
    server_name other.test;
    underscores_in_headers on;
    location / { return 200 '${show(STABLE)}'; }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    location / { return 200 '$server_name|$host|$http_host|$server_port'; }
  }`

type Options = Pick<ParityCase, 'until' | 'port' | 'anyFraming' | 'logged' | 'halfClose'>

/** Plain requests, by what is special about them. */
const asked: [name: string, send: string, more?: Options][] = [
  ['nothing special', get('/a/b')],
  ['an empty query', get('/a?')],
  ['a query', get('/a?a=1&b=2')],
  ['a query of one sign', get('/a?&')],
  ['an argument twice, the first counts', get('/a?a=1&a=2')],
  ['an argument in upper case', get('/a?A=1&B=2')],
  ['an empty argument', get('/a?a=&b')],
  ['an argument without a value, then with one', get('/a?a&a=2')],
  ['an argument in the middle of another', get('/a?xa=1&a=2')],
  ['an argument with signs', get('/a?a=1=2?3&b==')],
  ['an argument behind empty ones', get('/a?&&a=%20+x')],
  ['a query with a fragment', get('/a?a=1#x')],
  ['an empty query with a fragment', get('/a?#x')],
  ['a query sign in a fragment', get('/a#?#x')],
  ['a cookie', get('/', 'Cookie: a=1; Name=2')],
  ['a cookie without blanks', get('/', 'Cookie: a=1;name=2')],
  ['cookies in two fields', get('/', 'Cookie: a=1', 'Cookie: NAME=2; a=3')],
  ['cookies with blanks', get('/', 'Cookie: a = 1 ; Name =  2  3 ')],
  ['a cookie with commas', get('/', 'Cookie: x=1, a=2,3; name=4')],
  ['a cookie without a value', get('/', 'Cookie: a; a=2; name=')],
  ['a cookie of the name followed by others', get('/', 'Cookie: a;a=2;name')],
  ['a cookie whose name begins the same', get('/', 'Cookie: ab=1; a=2; names=3; nam=4')],
  ['an empty Cookie field', get('/', 'Cookie:')],
  ['a field', get('/', 'X-One: 1', 'X-Two-Parts: 2')],
  ['a field in another case', get('/', 'x-ONE: 1', 'X-TWO-parts: 2')],
  ['an empty field', get('/', 'X-One:')],
  ['a field with blanks', get('/', 'X-One:   a  b  ')],
  ['a field with underscores', get('/', 'X_One: 1', 'X_Two_Parts: 2')],
  ['a field with underscores that are wanted', get('/', 'Host: other.test', 'X_Two-Parts: 2')],
  ['User-Agent and Referer', get('/', 'User-Agent: Test/1.0 "x"', 'Referer: http://a/\\')],
  ['Basic credentials', get('/', 'Authorization: Basic YW5uOnNlY3JldA==')],
  ['credentials in lower case', get('/', 'Authorization: basic   YW5uOnNlY3JldA==')],
  ['credentials without a colon', get('/', 'Authorization: Basic YW5u')],
  ['credentials without a name', get('/', 'Authorization: Basic OnNlY3JldA==')],
  ['credentials with a rest', get('/', 'Authorization: Basic YW5uOnNl==%%%')],
  ['credentials without padding', get('/', 'Authorization: Basic YW5uOnM')],
  ['credentials one character too long', get('/', 'Authorization: Basic YW5uOnN0Y')],
  ['credentials that are none', get('/', 'Authorization: Basic !!!!')],
  ['credentials of another scheme', get('/', 'Authorization: Bearer YW5uOnNl')],
  ['credentials with quotes', get('/', `Authorization: Basic ${btoa('a"\\\x01:x')}`)],
  ['a Host with a port', get('/', 'Host: Main.Test:8080')],
  ['a Host with a dot', get('/', 'Host: main.test.')],
  ['a Host of a wildcard', get('/', 'Host: A.main.test')],
  ['an unknown Host', get('/', 'Host: unknown.test')],
  ['an IPv6 Host', get('/', 'Host: [::1]:80')],
  ['an absolute target', get('http://other.test:81/x?y', 'Host: main.test')],
  ['HTTP/1.0 without Host', 'GET /x HTTP/1.0\r\n\r\n', { until: 'close' }],
  ['an encoded path', get('/%41/../b%20c/./d?%41')],
  ['slashes', get('//a///b')],
  ['a server without names', get('/'), { port: 2 }],
  ['a method of its own', request('PURGE', '/')],
  ['HEAD', request('HEAD', '/')],
  ['POST', `${request('POST', '/', 'Content-Length: 3', 'Content-Type: a/b')}abc`],
  [
    'a POST that is asked for',
    `${request('POST', '/', 'Content-Length: 3', 'Expect: 100-continue')}abc${get('/late')}`,
    { until: 2, logged: 2 },
  ],
  ['POST of nothing', request('POST', '/', 'Content-Length: 0')],
  ['late variables', get('/late')],
  ['a proxied request', get('/proxy?a=1', 'Cookie: a=1', 'X-One: 1')],
  [
    'a proxied POST in chunks',
    `${request('POST', '/plain', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
    { anyFraming: true },
  ],
  [
    'a proxied POST of nothing in chunks',
    `${request('POST', '/plain', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    { anyFraming: true },
  ],
  ['a folder that is not there', get('/realpath')],
  ['a proxied POST', `${request('POST', '/proxy', 'Content-Length: 3')}abc`],
  ['a refused backend', get('/refused')],
  ['a redirect', get('/redirect?a=1')],
  ['a page', get('/forbidden?x')],
  ['an empty response', get('/empty')],
  ['a closed connection', get('/closed'), { until: 'close' }],
  ['pipelined requests', get('/late') + get('/?a=2') + get('/late'), { until: 3, logged: 3 }],
  [
    'a pipelined POST',
    `${request('POST', '/', 'Content-Length: 3')}abc${get('/late')}`,
    { until: 2, logged: 2 },
  ],
]

/** Requests that end before they have a location, or before they are whole. */
const refused: [name: string, send: string, more?: Options][] = [
  ['a method in lower case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a version that is none', 'GET /a?b HTTP/x\r\nHost: a\r\n\r\n'],
  ['a version too high', 'GET /a?b HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['a target that leaves the root', 'GET /../x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no Host', 'GET /a?b HTTP/1.1\r\nX-One: 1\r\n\r\n'],
  ['an invalid Host', 'GET /a?b HTTP/1.1\r\nX-One: 1\r\nHost: a/b\r\n\r\n'],
  ['an invalid Host with blanks behind it', 'GET /a?b HTTP/1.1\r\nHost: a/b   \r\nX-One: 1\r\n\r\n'],
  ['two Hosts', 'GET /a?b HTTP/1.1\r\nHost: main.test\r\nHost: other.test\r\nX-One: 1\r\n\r\n'],
  ['a length that is none', 'POST /a?b HTTP/1.1\r\nHost: other.test\r\nContent-Length: x\r\n\r\n'],
  ['an unknown coding', 'POST /a?b HTTP/1.1\r\nHost: other.test\r\nTransfer-Encoding: x\r\n\r\n'],
  ['bytes that are no request', '\x16\x03\x01\x02\r\n\r\n'],
  ['a field over-long', `GET /a?b HTTP/1.1\r\nHost: other.test\r\nX-One: ${'x'.repeat(9000)}\r\n\r\n`],
  ['a request line over-long', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['HEAD with a request line over-long', `HEAD /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a return in the target', 'GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['HEAD with a return in the target', 'HEAD /a\rb HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a head that ends in its request line', 'GET /a?b HT', { halfClose: true }],
  ['a head that ends in its fields', 'GET /a?b HTTP/1.1\r\nHost: main.test\r\nX-One', { halfClose: true }],
]

describeParity('variables', HTTP, [
  ...asked.map(([name, send, more]) => ({ name, send, ...more })),
  ...refused.map(([name, send, more]): ParityCase => ({ name, send, until: 'close', ...more })),
  {
    name: 'a response cut short by its backend',
    send: get('/proxy'),
    answer: { bytes: reply('200 OK', ['Content-Length: 9'], 'abc'), after: 'end' },
    until: 'close',
  },
])
