// `add_header` and `add_trailer`, what `$sent_http_*` and `$sent_trailer_*` say of them, and their places in the
// configuration.

import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const CONF = `
  log_format sent escape=none '$request_uri $status type=$sent_http_content_type length=$sent_http_content_length location=$sent_http_location modified=$sent_http_last_modified coding=$sent_http_transfer_encoding cache=$sent_http_cache_control link=$sent_http_link etag=$sent_http_etag own=$sent_http_x_own odd=$sent_http_x_odd server=$sent_http_server date=$sent_http_date trailer=$sent_trailer_x_t none=$sent_trailer_none';
  log_format located '$sent_http_location $sent_http_content_type';
  access_log logs/access.log sent;${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    server_name h.test;
    keepalive_timeout 65 20;
    add_trailer X-Server-Trailer 1;
    location / { proxy_pass http://%BACKEND%; }
    location /modified { add_header LAST-modified "$arg_m"; add_header X-Own 1; proxy_pass http://%BACKEND%; }
    location /etag { add_header ETag '"own"'; add_header X-Own "$sent_http_etag"; proxy_pass http://%BACKEND%; }
    location /gone { add_header ETag ""; add_header Last-Modified $arg_none; proxy_pass http://%BACKEND%; }
    location /cache { add_header Cache-Control no-store; add_header Link </l>; add_header X-Own "$sent_http_link"; proxy_pass http://%BACKEND%; }
    location /length { add_header Content-Length 1; add_header Server mine; proxy_pass http://%BACKEND%; }
    location /odd { add_header X_Other 1; add_header "X Y" 2; add_header X-Own "a\tb"; proxy_pass http://%BACKEND%; }
    location /seen { access_log off; add_header X-Own "$sent_http_content_type|$sent_http_content_length|$sent_http_transfer_encoding|$sent_http_connection|$sent_http_keep_alive|$sent_http_location|$sent_http_last_modified|$sent_http_x_odd|$status" always; proxy_pass http://%BACKEND%; }
    location /empty { add_header X-Own ""; add_header "" ""; proxy_pass http://%BACKEND%; }
    location /trailer { add_trailer X-T "$status-$upstream_status"; add_trailer x-u 2; add_trailer X-Empty $arg_none; proxy_pass http://%BACKEND%; }
    location /trailer_always { add_trailer X-T 1; add_trailer X-Always "$request_method" always; proxy_pass http://%BACKEND%; }
    location /trailer_empty { add_trailer X-T ""; proxy_pass http://%BACKEND%; }
    location /trailer_return { add_trailer X-T r; return 200 text; }
    location /trailer_none { add_trailer X-T r; return 200 ""; }
    location /trailer_204 { add_trailer X-T r; return 204; }
    location /trailer_page { access_log off; add_trailer X-T r; return 404; }
    location /outer { add_header X-Outer 1; add_trailer X-T outer;
      location /outer/header { add_header X-Own inner; proxy_pass http://%BACKEND%; }
      location /outer/trailer { add_trailer X-T inner; proxy_pass http://%BACKEND%; }
      location /outer/none { add_header "" ""; add_trailer "" ""; proxy_pass http://%BACKEND%; } }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    server_name p.test;
    proxy_pass_header Server;
    proxy_hide_header X-Outer;
    location / { proxy_pass http://%BACKEND%; }
    location /date { proxy_pass_header Date; proxy_pass_header X-Accel-Buffering; proxy_pass http://%BACKEND%; }
    location /both { proxy_pass_header date; proxy_pass_header SERVER; proxy_hide_header server; proxy_pass http://%BACKEND%; }
    location /hide { proxy_hide_header X-Inner; proxy_pass http://%BACKEND%; }
    location /cancel { proxy_pass_header X-Outer; proxy_pass http://%BACKEND%; }
    location /framing { proxy_pass_header Connection; proxy_pass_header Content-Length; proxy_pass_header Transfer-Encoding; proxy_pass_header Keep-Alive; proxy_pass http://%BACKEND%; }
    location /location { proxy_hide_header Location; proxy_hide_header Last-Modified; proxy_hide_header Content-Encoding; proxy_pass http://%BACKEND%; }
    location /ignore { proxy_ignore_headers X-Accel-Redirect Expires vary; proxy_ignore_headers Set-Cookie; proxy_pass http://%BACKEND%; }
    location /own { add_header Date own; add_header Content-Type own; proxy_pass http://%BACKEND%; }
    location /page { access_log off; return 404; }
    location /redirect { access_log logs/access.log located; return 302 /to; }
    location /redirect_seen { access_log off; add_header X-Own "$sent_http_location"; return 302 /to; }
    location /dead { access_log off; proxy_pass http://%REFUSED%; }
  }
`

const MODIFIED = 'Last-Modified: Sat, 21 Nov 2026 00:00:00 GMT'
const full = replyWith(
  '200 OK',
  'body',
  'Date: Thu, 01 Jan 1970 00:00:00 GMT',
  'Content-Type: text/css; charset=utf-8',
  'X-Odd: o',
  MODIFIED,
  'Server: backend/1',
  'ETag: "abc"',
  'Cache-Control: public',
  'X-Outer: 1',
  'Link: </b>',
  'X-Inner: 1',
  'X-Accel-Buffering: no',
)
/** nginx's log does not show the Last-Modified of failures. */
const failed = (status: string) => full.replace('200 OK', status).replace(`${MODIFIED}\r\n`, '')
const chunked = reply(
  '200 OK',
  ['Content-Type: a/b', 'Transfer-Encoding: chunked'],
  '3\r\nabc\r\n0\r\nX-Backend: 1\r\n\r\n',
)
const redirect = replyWith('302 F', '', 'X-Odd: o', 'Location: http://h.test/x')

const both = (target: string, port = 1): ParityCases => [
  { name: `${target} of server ${port}, known length`, send: get(target), answer: full, port },
  { name: `${target} of server ${port}, chunks`, send: get(target), answer: chunked, port },
]

const headers: ParityCases = [
  ...both('/'),
  { name: '/ to HTTP/1.0', send: 'GET / HTTP/1.0\r\n\r\n', until: 'close', answer: full },
  { name: '/ to HTTP/1.0, chunks', send: 'GET / HTTP/1.0\r\n\r\n', until: 'close', answer: chunked },
  { name: '/ to HEAD', send: request('HEAD', '/'), answer: full.slice(0, -4) },
  { name: '/, a redirect', send: get('/'), answer: redirect },
  { name: '/, 404', send: get('/'), answer: failed('404 N') },
  { name: '/, the connection is closed', send: get('/', 'Connection: close'), until: 'close', answer: full },
  ...both('/modified?m=Sun,%2022%20Nov'),
  ...both('/modified?m='),
  { name: '/modified, 404', send: get('/modified?m=x'), answer: failed('404 N') },
  ...both('/etag'),
  ...both('/gone'),
  ...both('/cache'),
  ...both('/length'),
  ...both('/odd'),
  ...both('/seen').map((one) => ({ ...one, logged: 0 })),
  { name: '/seen, a redirect', send: get('/seen'), answer: redirect, logged: 0 },
  { name: '/redirect', send: get('/redirect'), port: 2 },
  { name: '/redirect_seen', send: get('/redirect_seen'), port: 2, logged: 0 },
  ...both('/empty'),
]

const trailers: ParityCases = [
  ...both('/trailer'),
  { name: '/trailer to HTTP/1.0', send: 'GET /trailer HTTP/1.0\r\n\r\n', until: 'close', answer: full },
  {
    name: '/trailer to HTTP/1.0, chunks',
    send: 'GET /trailer HTTP/1.0\r\n\r\n',
    until: 'close',
    answer: chunked,
  },
  { name: '/trailer to HEAD', send: request('HEAD', '/trailer'), answer: full.slice(0, -4) },
  { name: '/trailer, 204', send: get('/trailer'), answer: reply('204 No Content') },
  { name: '/trailer, 304', send: get('/trailer'), answer: reply('304 Not Modified') },
  { name: '/trailer, 404', send: get('/trailer'), answer: failed('404 N') },
  { name: '/trailer, no content', send: get('/trailer'), answer: replyWith('200 OK', '') },
  { name: '/trailer twice', send: [get('/trailer'), get('/trailer')], until: 2, logged: 2, answer: full },
  ...both('/trailer_always'),
  { name: '/trailer_always, 500', send: get('/trailer_always'), answer: failed('500 E') },
  ...both('/trailer_empty'),
  ...['return', 'none', '204'].map((name) => ({ name: `/trailer_${name}`, send: get(`/trailer_${name}`) })),
  { name: '/trailer_page', send: get('/trailer_page'), logged: 0 },
  ...both('/outer/header'),
  ...both('/outer/trailer'),
  ...both('/outer/none'),
]

const passed: ParityCases = [
  ...['/', '/date', '/both', '/hide', '/cancel', '/framing', '/ignore', '/own'].flatMap((target) =>
    both(target, 2),
  ),
  { name: '/location of server 2', send: get('/location'), answer: redirect, port: 2 },
  { name: '/page of server 2', send: get('/page'), port: 2, logged: 0 },
  { name: '/dead of server 2', send: get('/dead'), port: 2, logged: 0 },
  {
    name: '/both of server 2, empty fields',
    send: get('/both'),
    answer: replyWith('200 OK', 'x', 'Server:', 'Date: '),
    port: 2,
  },
]

describeParity('add_header', CONF, headers)
describeParity('add_trailer', CONF, trailers)
describeParity('proxy_pass_header and proxy_hide_header', CONF, passed)
