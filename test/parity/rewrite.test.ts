// rewrite, if, set, break, return: order, flags, captures, queries, and where a request ends up.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, request } from './requests.ts'

const HTTP = `${MODERN}${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    server_name r.test;
    rewrite_log on;
    set $where server;
    rewrite ^/moved/(.*)$ /plain/$1;
    if ($arg_stop) { return 403; }
    if ($http_x_server = yes) { set $where header; }
    location / { return 200 "$where $uri?$args\\n"; }
    location /plain/ { return 200 "plain $where $uri?$args $1\\n"; }
    location /last/ { rewrite ^/last/(.*)$ /plain/$1 last; return 200 "not reached"; }
    location /break/ { rewrite ^/break/(.*)$ /gone/$1 break; return 200 "broken off $uri"; }
    location /none/ { rewrite ^/none/(.*)$ /plain/$1; rewrite ^/plain/x(.*)$ /plain/y$1; set $where none; }
    location /query/ { rewrite ^/query/(\\w+)/(\\w+)$ /plain/$1?k=$2; }
    location /drop/ { rewrite ^/drop/(.*)$ /plain/$1?; }
    location /drop-own/ { rewrite ^/drop-own/(.*)$ /plain/$1?own=$arg_a?; }
    location /redirect/ { rewrite ^/redirect/(.*)$ /plain/$1 redirect; }
    location /permanent/ { rewrite ^/permanent/(.*)$ /plain/$1 permanent; }
    location /permanent-query/ { rewrite ^/permanent-query/(.*)$ /plain/?q=$1 permanent; }
    location /absolute/ { rewrite ^/absolute/(.*)$ http://other.test/$1?; }
    location /absolute-args/ { rewrite ^/absolute-args/(.*)$ https://other.test/$1; }
    location /scheme/ { rewrite ^/scheme/(.*)$ $scheme://other.test/$1 last; }
    location /cycle/ { rewrite ^(.*)$ /cycle$1 last; }
    location /empty/ { rewrite ^/empty/(.*)$ $1 last; }
    location /proxy/ { rewrite ^/proxy/(.*)$ /changed/$1 break; proxy_pass http://%BACKEND%; }
    location /proxy-uri/ { rewrite ^/proxy-uri/a(.*)$ /other/$1 break; proxy_pass http://%BACKEND%/base/; }
    location /if/ {
      set $flag "";
      if ($request_method = POST) { set $flag "post"; }
      if ($arg_a != b) { set $flag "\${flag}-a"; }
      if ($http_user_agent ~ "Mozilla/(\\d)") { set $flag "\${flag}-moz$1"; }
      if ($http_user_agent ~* "curl") { set $flag "\${flag}-curl"; }
      if ($http_user_agent !~ "x") { set $flag "\${flag}-nox"; }
      if ($http_user_agent !~* "y") { set $flag "\${flag}-noy"; }
      return 200 "$flag";
    }
    location /if-return/ { if ($arg_c) { return 418 "teapot $arg_c"; } return 200 "no"; }
    location /if-location/ {
      add_header X-Where outer;
      if ($arg_i) { add_header X-Where inner; }
      if ($arg_j) { add_header X-Where third; }
      proxy_pass http://%BACKEND%;
    }
    location /if-proxy/ {
      proxy_set_header X-A outer;
      proxy_pass http://%BACKEND%/outer/;
      if ($arg_i) { proxy_pass http://%BACKEND%; }
    }
    location /if-inherit/ {
      proxy_pass http://%BACKEND%/outer/;
      if ($arg_i) { set $x 1; }
    }
    location /if-break/ {
      if ($arg_b) { break; return 500; }
      return 200 "after";
    }
    location /if-rewrite/ { if ($arg_b) { rewrite ^ /plain/if last; } return 200 "after"; }
    location /cors/ {
      if ($request_method = 'OPTIONS') {
        add_header 'Access-Control-Allow-Origin' '*';
        add_header 'Access-Control-Max-Age' 1728000;
        return 204;
      }
      add_header X-Outer yes;
      proxy_pass http://%BACKEND%;
    }
    location /file/ { if (-f /etc/passwd) { return 200 file; } return 404; }
    location /dir/ { if (-d /etc) { return 200 dir; } return 404; }
    location /exists/ { if (!-e /etc/nothing-here) { return 200 absent; } return 404; }
    location /exec/ { if (-x /bin/sh) { return 200 exec; } return 404; }
    location /set-args/ { set $args "z=1"; proxy_pass http://%BACKEND%; }
    location /set-args-return/ { set $args "z=1"; return 200 "$args $query_string $is_args $arg_z $request_uri"; }

    location /maybe/ { if ($arg_x) { set $never 1; } return 200 "[$never]"; }
    location /limit/ { add_header X-Here yes; proxy_pass http://%BACKEND%; limit_except GET POST { proxy_pass http://%REFUSED%; } }
    location /limit-proxy/ { proxy_pass http://%BACKEND%; limit_except GET { proxy_pass http://%BACKEND%; } }
    location /internal/ { internal; return 200 "inside"; }
    location /to-internal/ { rewrite ^ /internal/x last; }
  }
`

const targets = [
  '/',
  '/?a=b',
  '/?stop=1',
  '/?stop=0',
  '/?stop=',
  '/moved/x',
  '/moved/x?q=1',
  '/last/a',
  '/last/a?b=c',
  '/none/xyz',
  '/none/abc?d',
  '/query/a/b',
  '/query/a/b?c=d',
  '/drop/a?b=c',
  '/drop-own/x?a=1&b=2',
  '/redirect/a',
  '/redirect/a?b=c',
  '/redirect/a%20b',
  '/redirect/a%3Fb',
  '/redirect/a%2Bb+c',
  '/redirect/%C3%A9',
  '/permanent/a?b',
  '/permanent-query/a%26b?c=d',
  '/permanent-query/a+b',
  '/absolute/x?y=z',
  '/absolute-args/x?y=z',
  '/absolute-args/x%25y',
  '/scheme/x?y=z',
  '/cycle/a',
  '/empty/',
  '/proxy/a',
  '/proxy/a?b=c',
  '/proxy/a%20b',
  '/proxy/a%3Fb+c',
  '/proxy-uri/abc',
  '/proxy-uri/xyz',
  '/if/',
  '/if/?a=b',
  '/if-return/',
  '/if-return/?c=1',
  '/if-return/?c=0',
  '/if-location/',
  '/if-location/?i=1',
  '/if-location/?j=1',
  '/if-location/?i=1&j=1',
  '/if-proxy/x',
  '/if-proxy/x?i=1',
  '/if-inherit/x',
  '/if-inherit/x?i=1',
  '/if-break/',
  '/if-rewrite/',
  '/if-rewrite/?b=1',
  '/cors/x',
  '/file/',
  '/dir/',
  '/exists/',
  '/exec/',
  '/set-args/x?y=1',
  '/set-args-return/?y=1',
  '/unset/',
  '/maybe/',
  '/maybe/?x=1',
  '/limit/',
  '/limit-proxy/',
  '/internal/x',
  '/to-internal/',
]

const cases: ParityCases = [
  ...targets.map((target) => ({ name: target, send: get(target), info: true as const })),
  { name: 'the server sees the header', send: get('/', 'X-Server: yes') },
  { name: 'regexes of if: Mozilla', send: get('/if/', 'User-Agent: Mozilla/5.0') },
  { name: 'regexes of if: cUrL', send: get('/if/?a=b', 'User-Agent: cUrL xY') },
  { name: 'if compares the method', send: request('POST', '/if/', 'Content-Length: 0') },
  { name: 'a CORS preflight', send: request('OPTIONS', '/cors/x', 'Origin: http://a') },
  { name: 'limit_except lets HEAD through with GET', send: request('HEAD', '/limit/') },
  { name: 'limit_except takes PUT', send: request('PUT', '/limit/', 'Content-Length: 0') },
  { name: 'limit_except takes an unknown method', send: request('FOO', '/limit/') },
  { name: 'limit_except around a proxy', send: request('DELETE', '/limit-proxy/x') },
]

describeParity('rewrite', HTTP, cases)
