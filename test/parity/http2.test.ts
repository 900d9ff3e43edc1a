// Requests over HTTP/2, good and bad: statuses, fields, what the backend gets, and the words of the logs.

import { block, type Field } from '../support/http2-hpack.ts'
import { data, describeHttp2Parity, get, type Http2Case, headers, post } from './http2-compare.ts'
import { replyWith } from './requests.ts'

/** A GET of exactly these fields. */
const raw = (...fields: Field[]): Buffer => headers(1, block(...fields))

const METHOD: Field = [':method', 'GET']
const SCHEME: Field = [':scheme', 'http']
const PATH: Field = [':path', '/']
const AUTHORITY: Field = [':authority', 'test']

const ANSWERS: Http2Case[] = [
  { name: 'a text', send: get(1) },
  { name: 'HEAD', send: headers(1, block([':method', 'HEAD'], SCHEME, AUTHORITY, PATH)) },
  { name: 'no content', send: get(1, '/none') },
  { name: 'a redirect', send: get(1, '/moved') },
  { name: 'a page', send: get(1, '/nothing') },
  { name: 'an error_page', send: get(1, '/named') },
  { name: 'an empty content', send: get(1, '/empty') },
  { name: 'trailers', send: get(1, '/trailers') },
  {
    name: 'several requests',
    send: [get(1), get(3, '/none'), get(5, '/empty')],
    streams: [1, 3, 5],
    logged: 3,
  },
  { name: 'a query and escapes', send: get(1, '/show/%41?b=%42&c') },
  {
    name: 'cookies in pieces',
    send: get(1, '/show', ['cookie', 'a=1'], ['cookie', 'b=2'], ['cookie', 'c=3']),
  },
  { name: 'content that nobody reads', send: [post(1), data(1, 'abc')] },
  { name: 'closed without an answer', send: get(1, '/silent') },
]

const PROXIED: Http2Case[] = [
  { name: 'GET', send: get(1, '/proxy/a?b', ['accept', '*/*'], ['x-own', 'one']) },
  { name: 'content of a length', send: [post(1, '/proxy', ['content-length', '3']), data(1, 'abc')] },
  { name: 'content without a length', send: [post(1, '/proxy'), data(1, 'ab', 0), data(1, 'c')] },
  { name: 'no content after all', send: [post(1, '/proxy'), data(1, '')] },
  {
    name: 'fields of the answer',
    send: get(1, '/proxy'),
    answer: replyWith(
      '200 OK',
      'hello',
      'X-One: 1',
      'X-One: 2',
      'Set-Cookie: a=b',
      'Server: other',
      'Keep-Alive: x',
    ),
  },
  { name: 'a status that is unknown', send: get(1, '/proxy'), answer: replyWith('299 Odd', 'x') },
  { name: 'a redirect', send: get(1, '/proxy'), answer: replyWith('302 Found', '', 'Location: /there') },
  { name: 'nobody there', send: get(1, '/refused') },
  { name: 'no answer', send: get(1, '/proxy'), answer: { after: 'end' } },
  {
    name: 'an answer that breaks off',
    send: get(1, '/proxy'),
    answer: { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', after: 'end' },
  },
]

const BODIES: Http2Case[] = [
  {
    name: 'too large by its length',
    send: [post(1, '/small', ['content-length', '9']), data(1, '123456789')],
  },
  { name: 'too large as it comes', send: [post(1, '/small'), data(1, '123456789')] },
  {
    name: 'larger than declared',
    send: [post(1, '/proxy', ['content-length', '3']), data(1, 'abcd')],
  },
  {
    name: 'smaller than declared',
    send: [post(1, '/proxy', ['content-length', '5']), data(1, 'abcd')],
  },
]

/** Those of which nginx 1.22 logs what later ones do: it knows the request line only when the head is complete. */
const REFUSED: Http2Case[] = [
  { name: 'no :scheme', send: raw(METHOD, AUTHORITY, PATH) },
  { name: 'no :path', send: raw(METHOD, SCHEME, AUTHORITY) },
  { name: 'two :method', send: raw(METHOD, METHOD, SCHEME, AUTHORITY, PATH) },
  { name: 'two :scheme', send: raw(METHOD, SCHEME, SCHEME, AUTHORITY, PATH) },
  { name: 'two :path', send: raw(METHOD, SCHEME, AUTHORITY, PATH, PATH) },
  { name: 'an empty :path', send: raw(METHOD, SCHEME, AUTHORITY, [':path', '']) },
  { name: 'a bad :path', send: raw(METHOD, SCHEME, AUTHORITY, [':path', 'x']) },
  { name: 'a bad :scheme', send: raw(METHOD, [':scheme', '1http'], AUTHORITY, PATH) },
  { name: 'a bad :method', send: raw([':method', 'get'], SCHEME, AUTHORITY, PATH) },
  { name: 'an unknown pseudo-field', send: raw(METHOD, SCHEME, AUTHORITY, PATH, [':odd', 'x']) },
  { name: 'TRACE', send: headers(1, block([':method', 'TRACE'], SCHEME, AUTHORITY, PATH)) },
  { name: 'a length without content', send: get(1, '/', ['content-length', '5']) },
]

const SERVERS = `
  root %FOLDER%;
  location / { return 200 ok; }
  location = /none { return 204; }
  location = /moved { return 301 /there; }
  location = /empty { return 200; }
  location = /nothing { return 404; }
  location = /named { error_page 403 =200 /show; return 403; }
  location = /silent { return 444; }
  location = /trailers { add_trailer X-Behind $request_method; return 200 text; }
  location /show { return 200 "$uri|$args|$request_uri|$http_cookie|$http_x_own|$content_length\\n"; }
  location /proxy { proxy_pass http://%BACKEND%; }
  location /refused { proxy_pass http://%REFUSED%; }
  location /small { client_max_body_size 4; proxy_pass http://%BACKEND%; }`

const MORE = 'large_client_header_buffers 2 4k;'

describeHttp2Parity('answers over HTTP/2', MORE, SERVERS, ANSWERS)
describeHttp2Parity('proxied over HTTP/2', MORE, SERVERS, PROXIED)
describeHttp2Parity('bodies over HTTP/2', MORE, SERVERS, BODIES)
describeHttp2Parity('requests refused over HTTP/2', MORE, SERVERS, REFUSED)
