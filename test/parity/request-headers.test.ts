// The header that the backend sees: proxy_set_header, its inheritance, and what is passed, added and dropped.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, request } from './requests.ts'

const FORWARDING = `
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;`

const HEADERS = `${LOGGING}${MODERN}
  proxy_set_header X-Level http;
  upstream named_back { server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT%;
    server_name h.test other.test;
    location / { proxy_pass http://%BACKEND%; }
    location /server/ { proxy_pass http://%BACKEND%; }
    location /own/ { proxy_set_header X-Own 1; proxy_pass http://%BACKEND%; }
    location /forward/ {${FORWARDING}
      proxy_pass http://%BACKEND%; }
    location /host/ { proxy_set_header Host $host; proxy_pass http://%BACKEND%; }
    location /http_host/ { proxy_set_header Host $http_host; proxy_pass http://%BACKEND%; }
    location /hostport/ { proxy_set_header Host $host:$server_port; proxy_pass http://%BACKEND%; }
    location /proxy_host/ { proxy_set_header X-Proxy "$proxy_host|$proxy_port"; proxy_pass http://%BACKEND%; }
    location /named/ { proxy_pass http://named_back; }
    location /named_host/ { proxy_set_header X-Proxy "$proxy_host|$proxy_port"; proxy_pass http://named_back; }
    location /nohost/ { proxy_set_header X-Custom ""; proxy_set_header User-Agent ""; proxy_pass http://%BACKEND%; }
    location /emptyvar/ { proxy_set_header X-Var $arg_v; proxy_set_header X-Both "a$arg_v"; proxy_pass http://%BACKEND%; }
    location /replace/ { proxy_set_header User-Agent weird; proxy_set_header accept text/none; proxy_pass http://%BACKEND%; }
    location /twice/ { proxy_set_header X-Twice one; proxy_set_header X-Twice two; proxy_pass http://%BACKEND%; }
    location /connection/ { proxy_set_header Connection "keep-alive, x"; proxy_pass http://%BACKEND%; }
    location /noconnection/ { proxy_set_header Connection ""; proxy_pass http://%BACKEND%; }
    location /upgrade/ { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_pass http://%BACKEND%; }
    location /te/ { proxy_set_header TE trailers; proxy_pass http://%BACKEND%; }
    location /vars/ {
      proxy_set_header X-A "$request_method|$request_uri|$uri|$args|$is_args|$query_string|$scheme|$https";
      proxy_set_header X-B "$host|$http_host|$server_name|$server_addr|$remote_addr|$server_protocol|$request";
      proxy_set_header X-C "$content_length|$content_type|$http_x_custom|$arg_a|$arg_b|$cookie_one|$cookie_two";
      proxy_set_header X-D "$document_uri|$http_cookie|$http_user_agent|$http_referer|$http_missing|$remote_user";
      proxy_pass http://%BACKEND%; }
    location /http10/ { proxy_http_version 1.0; proxy_set_header X-Ten 1; proxy_pass http://%BACKEND%; }
    location /nest/ { proxy_set_header X-Nest outer; proxy_pass http://%BACKEND%;
      location /nest/kept/ { proxy_pass http://%BACKEND%; }
      location /nest/own/ { proxy_set_header X-Inner 1; proxy_pass http://%BACKEND%; } }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    server_name second.test;
    proxy_set_header X-Level server;
    proxy_set_header Host fixed.test;
    location / { proxy_pass http://%BACKEND%; }
    location /own/ { proxy_set_header X-Own 2; proxy_pass http://%BACKEND%; }
  }
`

const cases: ParityCases = [
  { name: 'nothing but Host', send: get('/') },
  { name: 'level http is inherited', send: get('/server/') },
  { name: 'level server replaces level http', send: get('/'), port: 2 },
  { name: 'own headers replace inherited ones', send: get('/own/') },
  { name: 'own headers replace those of the server, Host too', send: get('/own/'), port: 2 },
  { name: 'nested location inherits', send: get('/nest/kept/') },
  { name: 'nested location replaces', send: get('/nest/own/') },
  { name: 'the four usual ones', send: get('/forward/', 'Host: H.test:8080', 'User-Agent: t') },
  { name: 'X-Forwarded-For is appended', send: get('/forward/', 'X-Forwarded-For: 1.2.3.4') },
  {
    name: 'X-Forwarded-For twice',
    send: get('/forward/', 'X-Forwarded-For: 1.1.1.1', 'X-Forwarded-For: 2.2.2.2, 3.3.3.3'),
  },
  { name: 'X-Forwarded-For empty', send: get('/forward/', 'X-Forwarded-For:') },
  {
    name: "the client's own X-Real-IP is replaced",
    send: get('/forward/', 'X-Real-IP: 9.9.9.9', 'x-forwarded-proto: gopher'),
  },
  { name: '$host', send: get('/host/', 'Host: Other.TEST:99') },
  { name: '$host without Host is the server name', send: 'GET /host/ HTTP/1.0\r\n\r\n', until: 'close' },
  { name: '$http_host', send: get('/http_host/', 'Host: Other.TEST:99') },
  { name: '$host with $server_port', send: get('/hostport/') },
  { name: '$proxy_host and $proxy_port', send: get('/proxy_host/') },
  { name: 'the name of an upstream is the Host', send: get('/named/') },
  { name: '$proxy_host of an upstream', send: get('/named_host/') },
  {
    name: 'an empty value drops the header',
    send: get('/nohost/', 'X-Custom: 1', 'User-Agent: a', 'X-Other: 2'),
  },
  { name: 'an empty variable drops the header', send: get('/emptyvar/', 'X-Var: client') },
  { name: 'a set variable keeps it', send: get('/emptyvar/?v=5') },
  { name: 'replaced in whatever case', send: get('/replace/', 'user-agent: a', 'ACCEPT: b') },
  { name: 'the same header set twice', send: get('/twice/', 'X-Twice: client') },
  { name: 'order of headers', send: get('/', 'B: 1', 'A: 2', 'c: 3', 'Host: h.test', 'A: 4') },
  { name: 'case of names is kept', send: get('/', 'x-LOWER-Upper: v') },
  {
    name: 'duplicated headers pass one by one',
    send: get('/', 'X-D: 1', 'X-D: 2', 'Accept: a', 'Accept: b'),
  },
  { name: 'cookies pass one by one', send: get('/', 'Cookie: a=1', 'Cookie: b=2') },
  { name: 'spaces around values', send: get('/', 'X-S:    a  b   ', 'X-N:v') },
  { name: 'empty values pass', send: get('/', 'X-E:', 'X-F: ') },
  { name: 'high bytes pass', send: get('/', 'X-H: \xe9\xff') },
  { name: 'all kinds of token characters in a name', send: get('/', 'X-1: a', 'X-y: b') },
  { name: 'a name with an underscore is dropped', send: get('/', 'X_U: 1', 'X-V: 2') },
  { name: 'Connection is dropped', send: get('/', 'Connection: keep-alive') },
  {
    name: 'headers named by Connection',
    send: get('/', 'Connection: X-Named, close', 'X-Named: 1'),
    until: 'close',
  },
  {
    name: 'Keep-Alive, TE, Upgrade and Expect are dropped',
    send: get('/', 'Keep-Alive: timeout=5', 'TE: trailers', 'Upgrade: h2c'),
  },
  {
    name: 'Proxy-Connection and Proxy-Authorization',
    send: get('/', 'Proxy-Connection: keep-alive', 'Proxy-Authorization: x'),
  },
  { name: 'Trailer passes', send: get('/', 'Trailer: X-T') },
  {
    name: 'Authorization, ranges and conditions pass',
    send: get(
      '/',
      'Authorization: Basic YTpi',
      'Range: bytes=0-1',
      'If-None-Match: "x"',
      'If-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT',
    ),
  },
  { name: 'Connection set', send: get('/connection/') },
  { name: 'Connection emptied', send: get('/noconnection/', 'Connection: keep-alive') },
  { name: 'Upgrade handed on where there is none', send: get('/upgrade/') },
  { name: 'TE set', send: get('/te/', 'TE: gzip') },
  {
    name: 'variables of the request',
    send: get(
      '/vars/x%20y?a=1&b=%20&A=2',
      'Host: H.test:1',
      'X-Custom: c',
      'Cookie: one=1; two=zwei',
      'Referer: r',
      'User-Agent: u',
    ),
  },
  {
    name: 'variables of a request with a body',
    send: `${request('POST', '/vars/', 'Content-Length: 3', 'Content-Type: a/b')}xyz`,
  },
  { name: 'variables of HTTP/1.0', send: 'GET /vars/ HTTP/1.0\r\n\r\n', until: 'close' },
  {
    name: 'variables of repeated cookies',
    send: get('/vars/', 'Cookie: one=1', 'Cookie: two=2'),
  },
  { name: 'HTTP/1.0 to the backend', send: get('/http10/', 'X-A: 1') },
  { name: 'a body with its length', send: `${request('POST', '/', 'Content-Length: 5', 'X-After: 1')}hello` },
  { name: 'a body of length 0', send: request('POST', '/', 'Content-Length: 0') },
  { name: 'POST without a length', send: request('POST', '/') },
  { name: 'GET with a body', send: `${get('/', 'Content-Length: 2')}hi` },
  { name: 'a length with zeros in front', send: `${request('POST', '/', 'Content-Length: 0005')}hello` },
  { name: 'an absolute target and Host', send: get('http://other.test/', 'Host: h.test') },
  { name: 'an absolute target and $host', send: get('http://Other.test:81/host/', 'Host: h.test') },
  { name: 'an absolute target and $http_host', send: get('http://other.test/http_host/', 'Host: h.test') },
]

describeParity('request header', HEADERS, cases)
