// Requests of HTTP/2 side by side with nginx: what variables and the access log say of them, and what a backend of
// HTTP/1 gets.

import { END_HEADERS, fieldsOf } from '../support/http2-bytes.ts'
import { block, type Field } from '../support/http2-hpack.ts'
import { data, describeHttp2Parity, get, type Http2Case, headers, post } from './http2-compare.ts'
import { replyWith } from './requests.ts'

const SERVER = `
  server_name test *.test;
  root %FOLDER%;
  location / { proxy_pass http://%BACKEND%; }
  location /text { return 200 "[$http_cookie][$cookie_a][$http_host][$host][$http2][$request]\n"; }
  location /stream { proxy_pass http://%BACKEND%; proxy_request_buffering off; }
  location /old { proxy_pass http://%BACKEND%; proxy_http_version 1.0; }
  location /set {
    proxy_pass http://%BACKEND%;
    proxy_set_header Host $host;
    proxy_set_header X-Host $http_host;
    proxy_set_header Cookie $http_cookie;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Protocol $server_protocol;
    proxy_set_header X-Scheme $scheme;
    proxy_set_header X-Port $server_port;
  }
  location /small { client_max_body_size 5; proxy_pass http://%BACKEND%; }
  location /moved { return 301 /there; }
  location /absolute { return 302 http://else.test/; }
  location /error { return 404; }
  location /page { error_page 404 /text; return 404; }
  location /limited { limit_except GET { deny all; } proxy_pass http://%BACKEND%; }
  location = /deny { deny all; }`

const OTHERS = `
  server { listen 127.0.0.1:%PORT%; server_name other.test; location / { return 200 "other $host\n"; } }
  server { listen 127.0.0.1:%PORT2% http2 default_server; server_name default; return 200 "$server_name $host $http_host\n"; }`

const GET = fieldsOf('GET', '/a')
const without = (name: string) => GET.filter(([own]) => own !== name)
const request = (...fields: Field[]) => headers(1, block(...fields))
const withAuthority = (authority: string, path = '/text') =>
  request([':method', 'GET'], [':scheme', 'http'], [':authority', authority], [':path', path])

const cases: Http2Case[] = [
  { name: 'GET', send: get(1, '/a') },
  { name: 'GET with arguments', send: get(1, '/a?b=c&d') },
  { name: 'GET of an empty argument list', send: get(1, '/a?') },
  { name: 'a path to be normalised', send: get(1, '/a/../b//c/./d%20e?x=%20') },
  { name: 'a path with escapes of dots', send: get(1, '/a/%2e%2e/b') },
  { name: 'a path with a fragment', send: get(1, '/a#b?c') },
  { name: 'a path with bytes above 127', send: get(1, '/\xe4\xf6') },
  { name: 'a path without a slash', send: get(1, 'a') },
  { name: 'a path of a whole URI', send: get(1, 'http://test/a') },
  {
    name: 'fields in their order',
    send: get(1, '/a', ['x-b', '2'], ['x-a', '1'], ['accept', '*/*'], ['x-a', '3']),
  },
  { name: 'an empty value', send: get(1, '/a', ['x-a', '']) },
  { name: 'a long value', send: get(1, '/a', ['x-a', 'v'.repeat(3000)]) },
  { name: 'bytes above 127 in a value', send: get(1, '/a', ['x-a', 'a\x80\xffb']) },
  { name: 'a name with an underscore', send: get(1, '/a', ['x_a', '1'], ['x-b', '2']), info: false },
  { name: 'a name with other characters', send: get(1, '/a', ['x.a', '1'], ['x-b', '2']), info: false },
  { name: 'one cookie', send: get(1, '/a', ['cookie', 'a=1; b=2']) },
  {
    name: 'cookies that are put together',
    send: get(1, '/a', ['cookie', 'a=1'], ['x-a', 'x'], ['cookie', 'b=2'], ['cookie', 'c=3; d=4']),
  },
  { name: 'cookies in variables', send: get(1, '/text', ['cookie', 'a=1'], ['cookie', 'b=2']) },
  { name: 'cookies passed by a variable', send: get(1, '/set', ['cookie', 'a=1'], ['cookie', 'b=2']) },
  { name: 'host instead of :authority', send: request(...without(':authority'), ['host', 'test']) },
  {
    name: 'host instead of :authority, in variables',
    send: request(...fieldsOf('GET', '/text').filter(([name]) => name !== ':authority'), [
      'host',
      'A.test:99',
    ]),
  },
  { name: 'neither host nor :authority', send: request(...without(':authority')), info: false },
  { name: ':authority with a port', send: withAuthority('Test:8080') },
  { name: ':authority in upper case', send: withAuthority('WWW.TEST') },
  { name: ':authority with a dot at its end', send: withAuthority('test.') },
  { name: ':authority of another server', send: withAuthority('other.test', '/') },
  { name: ':authority of no server', send: withAuthority('nobody') },
  { name: ':authority of an IPv6 address', send: withAuthority('[::1]:80') },
  { name: ':authority with a wrong character', send: withAuthority('te/st'), info: false },
  { name: ':authority passed on', send: withAuthority('Test:8080', '/a') },
  { name: ':authority passed on by variables', send: withAuthority('Test:8080', '/set') },
  { name: 'a default server on another port', send: withAuthority('nobody', '/'), port: 2 },
  {
    name: 'fields that a proxy adds to',
    send: get(1, '/set', ['x-forwarded-for', '1.2.3.4'], ['x-forwarded-for', '5.6.7.8']),
  },
  { name: 'HTTP/1.0 to the backend', send: get(1, '/old', ['x-a', '1']) },
  { name: 'te: trailers', send: get(1, '/a', ['te', 'trailers']) },
  { name: 'range', send: get(1, '/a', ['range', 'bytes=0-1']) },
  {
    name: 'HEAD',
    send: headers(1, block(...fieldsOf('HEAD', '/a'))),
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
  },
  { name: 'HEAD of a text', send: headers(1, block(...fieldsOf('HEAD', '/text'))) },
  { name: 'HEAD of an error', send: headers(1, block(...fieldsOf('HEAD', '/error'))) },
  ...['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'X-OWN', 'TRACE', 'get', 'G@T'].map(
    (method): Http2Case => ({
      name: `the method ${method}`,
      send: headers(1, block(...fieldsOf(method, '/a'))),
    }),
  ),
  {
    name: 'the scheme https',
    send: request([':method', 'GET'], [':scheme', 'https'], [':authority', 'test'], [':path', '/a']),
  },
  { name: 'a POST without a body', send: headers(1, block(...fieldsOf('POST', '/a'))) },
  { name: 'a POST with a length', send: [post(1, '/a', ['content-length', '4']), data(1, 'body')] },
  { name: 'a POST without a length', send: [post(1, '/a'), data(1, 'body')] },
  { name: 'a POST in parts', send: [post(1, '/a'), data(1, 'bo', 0), data(1, 'dy', 0), data(1, '')] },
  { name: 'a POST of an empty body', send: [post(1, '/a'), data(1, '')] },
  { name: 'a POST of length 0', send: headers(1, block(...fieldsOf('POST', '/a', ['content-length', '0']))) },
  {
    name: 'a POST that is passed on as it comes',
    send: [post(1, '/stream'), data(1, 'bo', 0), data(1, 'dy')],
  },
  {
    name: 'a POST with a length that is passed on as it comes',
    send: [post(1, '/stream', ['content-length', '4']), data(1, 'bo', 0), data(1, 'dy')],
  },
  { name: 'a GET with a body', send: [headers(1, block(...GET), END_HEADERS), data(1, 'body')] },
  { name: 'a POST to HTTP/1.0', send: [post(1, '/old'), data(1, 'body')] },
  { name: 'a POST to a text', send: [post(1, '/text'), data(1, 'body')] },
  {
    name: 'a POST that is too large by its length',
    send: [post(1, '/small', ['content-length', '6']), data(1, 'longer')],
  },
  { name: 'a POST that is too large by its DATA', send: [post(1, '/small'), data(1, 'longer')] },
  { name: 'a POST that is just not too large', send: [post(1, '/small'), data(1, 'short')] },
  { name: 'a POST that is refused', send: [post(1, '/limited'), data(1, 'body')] },
  { name: 'a body shorter than its length', send: [post(1, '/a', ['content-length', '9']), data(1, 'body')] },
  { name: 'a length that is none', send: [post(1, '/a', ['content-length', 'x']), data(1, 'body')] },
  { name: 'a redirect', send: get(1, '/moved') },
  { name: 'a redirect of a request with a port', send: withAuthority('test:99', '/moved') },
  { name: 'a redirect elsewhere', send: get(1, '/absolute') },
  { name: 'an error page', send: get(1, '/error') },
  { name: 'an error page of its own', send: get(1, '/page') },
  { name: 'a refusal', send: get(1, '/deny') },
  { name: '444', send: get(1, '/444') },
  { name: 'an empty text', send: get(1, '/empty') },
  { name: '204', send: get(1, '/204') },
  {
    name: 'several requests on a connection',
    send: [get(1, '/text?1'), get(3, '/text?2'), get(5, '/error')],
    streams: [1, 3, 5],
  },
  { name: 'a large answer', send: get(1, '/a'), answer: replyWith('200 OK', 'x'.repeat(100_000)) },
]

describeHttp2Parity('requests over HTTP/2', '', SERVER, cases, OTHERS)
