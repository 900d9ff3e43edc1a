// access_log and log_format: variables, escaping, levels; a line for every request, whatever became of it.

import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, replyWith, request } from './requests.ts'

const LOGS = `${MODERN}
  log_format basics '$remote_addr - $remote_user [$time_local] "$request" $status body=$body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
  log_format request '$request_method $scheme://$host$request_uri [$uri] [$args] [$query_string] [$is_args] [$server_protocol] [$request_length]';
  log_format server '$server_name $server_port $server_addr [$connection_requests] connection=$connection pid=$pid';
  log_format upstream 'a=$upstream_addr s=$upstream_status l=$upstream_response_length t=$upstream_response_time c=$upstream_connect_time h=$upstream_header_time';
  log_format times '$time_iso8601 $msec $request_time bytes=$bytes_sent';
  log_format plain escape=none '[$http_x_a] [$uri]';
  log_format json escape=json '{"uri": "$uri", "agent": "$http_user_agent", "missing": "$http_missing"}';
  log_format split '$request' '_method' ' $request_method$status';
  log_format glued '$status' ' $request_method' ' tail';
  log_format braces "${'$'}{uri}x ${'$'}{status}";
  access_log logs/access.log basics;
  server {
    listen 127.0.0.1:%PORT%;
    server_name l.test;
    location / { return 200 "text"; }
    location /proxy/ { proxy_pass http://%BACKEND%; }
    location /404 { return 404; }
    location /444 { return 444; }
    location /off { access_log off; return 200 "off"; }
    location /request { access_log logs/access.log request; return 200 ""; }
    location /server { access_log logs/access.log server; return 200; }
    location /times { access_log logs/access.log times; return 200 "timed"; }
    location /upstream { access_log logs/access.log upstream; proxy_pass http://%BACKEND%; }
    location /upstream_dead { access_log logs/access.log upstream; proxy_pass http://%REFUSED%; }
    location /no_upstream { access_log logs/access.log upstream; return 200; }
    location /plain { access_log logs/access.log plain; return 200; }
    location /json { access_log logs/access.log json; return 200; }
    location /glued { access_log logs/access.log glued; return 200; }
    location /braces { access_log logs/access.log braces; return 200; }
    location /two { access_log logs/access.log glued; access_log logs/access.log request; return 200; }
    location /if/ { access_log logs/access.log request if=$arg_a; return 200; }
    location /if_text/ { access_log logs/access.log request if=0; access_log logs/access.log glued if=0$arg_a; return 200; }
    location /if_nothing/ { access_log logs/access.log request if=; access_log logs/access.log glued; return 200; }
    location /if_header/ { access_log logs/access.log request if=$http_x_log; access_log logs/access.log glued; return 200; }
    location /off_beside/ { access_log logs/access.log request; access_log off; return 200; }
    location /cases/ { access_log logs/access.log REQUEST; return 200; }
    location /missing/ { access_log missing/$host.log request; access_log logs/access.log glued; return 200; }
    location /split/ { access_log logs/access.log split; return 200; }
    location /buffered/ { access_log logs/access.log glued; access_log logs/buffered.log request buffer=1; return 200; }
    location /nobody/ { access_log off; location /nobody/logged { access_log logs/access.log request; return 200; } return 200; }
    location /combined { access_log logs/access.log combined; return 200; }
    location /default { access_log logs/access.log; return 200; }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    access_log logs/access.log glued;
    location / { return 200; }
    location /own { access_log logs/access.log request; return 200; }
  }
`

const cases: ParityCases = [
  {
    name: 'the usual format',
    send: get('/?a=b', 'Referer: http://r/', 'User-Agent: u', 'X-Forwarded-For: 1.1.1.1'),
  },
  { name: 'absent values are dashes', send: get('/') },
  { name: 'empty values are empty or dashes', send: get('/', 'Referer:', 'User-Agent: ') },
  {
    name: 'quotes, backslashes and controls are escaped',
    send: get('/%22', 'Referer: a"b\\c', 'User-Agent: a\tb\x80\xff'),
  },
  { name: 'the request line is logged as it came', send: get('//a/../%41?x#y') },
  { name: 'the absolute request line', send: get('http://l.test/a?b') },
  { name: 'a bad request line', send: 'GET\r\n\r\n', until: 'close', info: true },
  {
    name: 'a bad request line with quotes',
    send: 'GET /"\\\x01 HTTP/1.1\r\n\r\n',
    until: 'close',
    info: true,
  },
  {
    name: 'a bad header',
    send: 'GET /x HTTP/1.1\r\nHost: a\r\nBad header\r\n\r\n',
    until: 'close',
    info: true,
  },
  { name: '$remote_user', send: get('/', 'Authorization: Basic dXNlcjpwdw==') },
  { name: '$remote_user without a password', send: get('/', 'Authorization: Basic dXNlcg==') },
  { name: '$remote_user of another scheme', send: get('/', 'Authorization: Bearer dXNlcg==') },
  { name: 'a proxied request', send: get('/proxy/'), answer: replyWith('201 Created', 'twelve bytes') },
  {
    name: 'a request with HEAD',
    send: request('HEAD', '/proxy/'),
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n',
  },
  { name: 'a page', send: get('/404') },
  { name: 'a redirect to HTTP/1.0', send: 'GET /proxy HTTP/1.0\r\n\r\n', until: 'close' },
  { name: 'return 444', send: get('/444'), until: 'close' },
  { name: 'off', send: get('/off') + get('/'), until: 2 },
  { name: 'variables of the request', send: get('/request/a%20b?c=d', 'Host: H.test:5') },
  {
    name: 'variables of a request with a body',
    send: `${request('POST', '/request', 'Content-Length: 3')}abc`,
  },
  {
    name: 'variables of a request in chunks',
    send: `${request('POST', '/request', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
  },
  {
    name: 'variables of the server and the connection',
    send: get('/server') + get('/server'),
    until: 2,
    logged: 2,
  },
  { name: 'times and $bytes_sent', send: get('/times') },
  { name: 'variables of the upstream', send: get('/upstream'), answer: replyWith('404 Gone', 'abcde') },
  {
    name: 'variables of an upstream in chunks',
    send: get('/upstream'),
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  },
  { name: 'variables of an upstream that refuses', send: get('/upstream_dead') },
  { name: 'variables of no upstream', send: get('/no_upstream') },
  { name: 'escape=none', send: get('/plain/%22%01', 'X-A: "a\\') },
  { name: 'escape=json', send: get('/json/%22%5c%01%0a%09%7f%c3%a9', 'User-Agent: "a\\') },
  { name: 'a format in several arguments', send: get('/glued') },
  { name: 'braces around variables', send: get('/braces') },
  { name: 'if= with a value', send: get('/if/?a=1') },
  { name: 'if= with a longer zero', send: get('/if/?a=00') },
  { name: 'if= with zero', send: get('/if/?a=0') + get('/'), until: 2 },
  { name: 'if= with an empty value', send: get('/if/?a=') + get('/'), until: 2 },
  { name: 'if= with none', send: get('/if/') + get('/'), until: 2 },
  { name: 'if= with a text', send: get('/if_text/') + get('/'), until: 2 },
  { name: 'if= with a text and a variable', send: get('/if_text/?a=1') },
  { name: 'if= without a value', send: get('/if_nothing/') },
  { name: 'if= of one log of two', send: get('/if_header/', 'X-Log: yes'), logged: 2 },
  { name: 'if= of one log of two that is not', send: get('/if_header/', 'X-Log: 0') },
  { name: 'off beside a log', send: get('/off_beside/') + get('/'), until: 2 },
  { name: 'names of formats in any case', send: get('/cases/') },
  { name: 'variables end with their argument', send: get('/split/') },
  { name: 'a path with variables without a document root', send: get('/missing/') },
  { name: 'a buffer too small for any line', send: get('/buffered/') },
  { name: 'a location in one without logs', send: get('/nobody/logged') },
  { name: 'two logs', send: get('/two'), logged: 2 },
  { name: 'combined', send: get('/combined', 'User-Agent: u') },
  { name: 'combined is the default', send: get('/default', 'User-Agent: u') },
  { name: 'the log of the server', send: get('/'), port: 2 },
  { name: 'the log of the location replaces it', send: get('/own'), port: 2 },
  { name: 'a pipelined request each', send: get('/a') + get('/b') + get('/c'), until: 3, logged: 3 },
]

describeParity('access log', LOGS, cases)

describeParity(
  'access log of headers',
  `${MODERN}
  log_format headers '[$http_x_a] [$http_cookie] [$cookie_a] [$arg_a] [$sent_http_content_type] [$sent_http_x_b] [$sent_http_content_length] [$sent_http_connection] [$upstream_http_x_b]';
  server {
    listen 127.0.0.1:%PORT%;
    location /headers { access_log logs/access.log headers; proxy_pass http://%BACKEND%; }
    location /headers_return { access_log logs/access.log headers; add_header X-B 5; return 200 "x"; }
  }`,
  [
    {
      name: 'variables of headers',
      send: get('/headers?a=1', 'X-A: x', 'Cookie: a=c; b=d'),
      answer: replyWith('200 OK', 'x', 'Content-Type: t/t', 'X-B: up'),
    },
    { name: 'variables of headers of our own', send: get('/headers_return') },
  ],
  { pending: true },
)
