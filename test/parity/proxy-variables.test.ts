// Variables of proxied requests in logs, in fields for the client and in fields for the backend.

import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const CONF = `${MODERN}
  log_format states '[$upstream_addr] [$upstream_status] l=[$upstream_response_length] r=[$upstream_response_time] c=[$upstream_connect_time] h=[$upstream_header_time]';
  log_format fields '$status [$upstream_http_x_one] [$upstream_http_content_type] [$upstream_http_server] [$upstream_http_missing] [$upstream_http_location]';
  log_format cookies '$status [$upstream_cookie_a] [$upstream_cookie_sid] [$upstream_cookie_missing]';
  log_format trailers '$status [$upstream_trailer_x_sum]';
  log_format names '$status [$proxy_host] [$proxy_port] [$proxy_add_x_forwarded_for]';
  log_format sizes '$status received=[$upstream_bytes_received] l=[$upstream_response_length]';
  upstream named { server %BACKEND%; }
  upstream local { server %LOCAL%; }
  server {
    listen 127.0.0.1:%PORT%;
    server_name v.test;
    access_log logs/access.log states;
    location /states { proxy_pass http://%BACKEND%; }
    location /nothing { return 204; }
    location /refused { proxy_pass http://%REFUSED%; }
    location /local { proxy_pass http://local; }
    location /fields { proxy_pass http://%BACKEND%; access_log logs/access.log fields; }
    location /nofields { return 204; access_log logs/access.log fields; }
    location /failedfields { proxy_pass http://%REFUSED%; access_log logs/access.log fields; }
    location /added {
      proxy_pass http://%BACKEND%;
      add_header X-Copy "$upstream_http_x_one;$upstream_status;$upstream_cookie_a" always;
      access_log logs/access.log fields;
    }
    location /hidden { proxy_pass http://%BACKEND%; proxy_hide_header X-One; access_log logs/access.log fields; }
    location /cookies { proxy_pass http://%BACKEND%; access_log logs/access.log cookies; }
    location /names { proxy_pass http://%BACKEND%; access_log logs/access.log names; }
    location /port { proxy_pass http://localhost:%BACKPORT%; access_log logs/access.log names; }
    location /unix { proxy_pass http://%LOCAL%; access_log logs/access.log names; }
    location /group { proxy_pass http://named; access_log logs/access.log names; }
    location /noproxy { return 200 "[$proxy_host][$proxy_port]"; access_log logs/access.log names; }
    location /sizes { proxy_pass http://%BACKEND%; access_log logs/access.log sizes; }
    location /sent {
      proxy_pass http://%BACKEND%;
      proxy_set_header X-Names "$proxy_host:$proxy_port";
      proxy_set_header X-Early "[$upstream_addr][$upstream_status][$upstream_http_x_one]";
    }
  }
`

const one = (...headers: string[]) => replyWith('200 OK', 'body', ...headers)

const cases: ParityCases = [
  { name: 'one attempt', send: get('/states') },
  { name: 'one attempt without content', send: get('/states'), answer: reply('204 No Content') },
  { name: 'no attempt', send: get('/nothing') },
  { name: 'one failed attempt', send: get('/refused') },
  { name: 'a unix socket', send: get('/local'), local: true },
  { name: 'no head at all', send: get('/states'), answer: { bytes: '', after: 'end' } },
  {
    name: '$upstream_http',
    send: get('/fields'),
    answer: one('X-One: 1', 'Server: s', 'Content-Type: text/x'),
  },
  { name: '$upstream_http of an underscore', send: get('/fields'), answer: one('X_One: 1') },
  { name: '$upstream_http in another case', send: get('/fields'), answer: one('x-ONE: Value; with="all" ') },
  { name: '$upstream_http, empty', send: get('/fields'), answer: one('X-One:') },
  { name: '$upstream_http of an error', send: get('/fields'), answer: replyWith('503 No', '', 'X-One: 1') },
  {
    name: '$upstream_http of a redirect',
    send: get('/fields'),
    answer: replyWith('302 Found', '', 'Location: /x'),
  },
  {
    name: '$upstream_http of HEAD',
    send: request('HEAD', '/fields'),
    answer: reply('200 OK', ['X-One: h', 'Content-Length: 4']),
  },
  { name: '$upstream_http without an upstream', send: get('/nofields') },
  { name: '$upstream_http without a response', send: get('/failedfields') },
  {
    name: '$upstream_http in add_header',
    send: get('/added'),
    answer: one('X-One: 1', 'Set-Cookie: a=2; Path=/'),
  },
  {
    name: '$upstream_http in add_header of an error',
    send: get('/added'),
    answer: replyWith('404 No', 'x', 'X-One: 1'),
  },
  { name: '$upstream_http of a hidden field', send: get('/hidden'), answer: one('X-One: 1') },
  {
    name: '$upstream_cookie',
    send: get('/cookies'),
    answer: one('Set-Cookie: a=1', 'Set-Cookie: sid=x y; Path=/; HttpOnly'),
  },
  {
    name: '$upstream_cookie in another case',
    send: get('/cookies'),
    answer: one('Set-Cookie: SID="q"; Secure'),
  },
  {
    name: '$upstream_cookie, the first of several',
    send: get('/cookies'),
    answer: one('Set-Cookie: sid=1', 'Set-Cookie: sid=2'),
  },
  {
    name: '$upstream_cookie with blanks',
    send: get('/cookies'),
    answer: one('Set-Cookie: a =  1 ;x', 'Set-Cookie: sid'),
  },
  {
    name: '$upstream_cookie of a longer name',
    send: get('/cookies'),
    answer: one('Set-Cookie: ab=1', 'Set-Cookie: sid2=1'),
  },
  {
    name: '$upstream_cookie, empty',
    send: get('/cookies'),
    answer: one('Set-Cookie: a=', 'Set-Cookie: sid=;x'),
  },
  { name: 'names of an address', send: get('/names', 'X-Forwarded-For: 1.1.1.1') },
  { name: 'names of a host and port', send: get('/port') },
  { name: 'names of a unix socket', send: get('/unix'), local: true },
  { name: 'names of an upstream', send: get('/group') },
  { name: 'names where nothing is proxied', send: get('/noproxy') },
  { name: 'sizes', send: get('/sizes'), answer: one('X-A: 1') },
  {
    name: 'sizes until the end of the connection',
    send: get('/sizes'),
    answer: { bytes: 'HTTP/1.1 200 OK\r\n\r\nuntil the end', after: 'end' },
  },
  { name: 'variables on the way to the backend', send: get('/sent') },
]

describeParity('variables of proxied requests', CONF, cases)
