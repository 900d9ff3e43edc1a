// Error pages, rewriting, `if`, access rules, subrequests and proxy_pass in one location: each as in nginx, and in its order.

import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const HTTP = `${MODERN}
  log_format parity '$request_method $request_uri -> $uri ? $args: $status up=[$upstream_status]';
  access_log logs/access.log parity;
  server {
    listen 127.0.0.1:%PORT%;
    satisfy any;
    location /s1 { allow all; auth_request /no; proxy_pass http://%BACKEND%; }
    location /s2 { deny all; auth_request /no; proxy_pass http://%BACKEND%; }
    location /s3 { deny all; auth_request /no401; proxy_pass http://%BACKEND%; }
    location /s4 { deny all; auth_request /no500; proxy_pass http://%BACKEND%; }
    location /s5 { satisfy all; deny all; auth_request /yes; proxy_pass http://%BACKEND%; }
    location /s6 { error_page 403 = /s1; deny all; auth_request /no; proxy_pass http://%BACKEND%; }
    location /s7 { error_page 403 = /s2; deny all; auth_request /no; proxy_pass http://%BACKEND%; }
    location /s8 { limit_except GET { deny all; } auth_request /no; proxy_pass http://%BACKEND%; }
    location /s9 { satisfy all; limit_except GET { deny all; } auth_request /yes; proxy_pass http://%BACKEND%; }
    location /n/ { limit_except GET { deny all; } location /n/x { proxy_pass http://%BACKEND%; } proxy_pass http://%BACKEND%; }
    location = /no { return 403; }
    location = /yes { return 200; }
    location = /no401 { return 401; }
    location = /no500 { return 500; }
    location /i/ { if ($request_method = POST) { return 405; } error_page 405 =200 /i2; proxy_pass http://%BACKEND%; }
    location /i2 { proxy_pass http://%BACKEND%; }
    location /j/ { if ($arg_x) { rewrite ^/j/(.*)$ /k/$1?y=$1 break; } proxy_pass http://%BACKEND%/base/; }
    location /l/ { rewrite ^/l/(.*)$ /$1 break; if ($arg_x) { set $a b; } proxy_pass http://%BACKEND%/base/; }
    location /m/ { if ($arg_x) { proxy_pass http://%BACKEND%; } if ($arg_y) { add_header X-Y y; } proxy_pass http://%BACKEND%/base/; }
    location /err { error_page 404 = @e; return 404; }
    location @e { rewrite ^ /m/z?q=1 last; }
    location /err2 { error_page 404 /m/e?x=1; return 404; }
    location /r/ { error_page 403 404 /r2; recursive_error_pages on; return 403; }
    location /r2 { error_page 404 = @r3; recursive_error_pages on; return 404; }
    location @r3 { return 404; }
    location /ret { return 204; }
    location /retp { error_page 503 =429 @busy; return 503; }
    location @busy { add_header Retry-After 3 always; return 200 "busy"; }
    location /u { error_page 404 $arg_to; return 404; }
    location /au { auth_request /$arg_a; proxy_pass http://%BACKEND%; }
  }
`
const post = (target: string, body = 'body', ...lines: string[]) =>
  `${request('POST', target, `Content-Length: ${body.length}`, ...lines)}${body}`
const paths = [
  '/s1',
  '/s2',
  '/s3',
  '/s4',
  '/s5',
  '/s6',
  '/s7',
  '/s8',
  '/s9',
  '/n/',
  '/n/x',
  '/i/a',
  '/j/a%20b?x=1',
  '/j/a',
  '/l/a?x=1',
  '/l/a%2fb',
  '/m/a?x=1',
  '/m/a?y=1',
  '/m/a',
  '/m/a?x=1&y=2',
  '/err',
  '/err2',
  '/r/',
  '/r2',
  '/ret',
  '/retp',
  '/u?to=@busy',
  '/u?to=http://a.b/c',
  '/u',
  '/u?to=x',
  '/au?a=yes',
  '/au?a=no',
]
const cases: ParityCases = paths.flatMap((path) => [
  { name: `GET ${path}`, send: get(path) },
  { name: `POST ${path}`, send: post(path) + get('/ret'), until: 2, logged: 'answers' as const },
  {
    name: `HEAD ${path}`,
    send: request('HEAD', path, 'Connection: close'),
    until: 'close' as const,
    answer: reply('200 OK', ['Content-Length: 0']),
  },
  { name: `POST 404 ${path}`, send: post(path), answer: replyWith('404 No', 'no') },
])
describeParity('redirects, rewriting and access rules together', HTTP, cases)
