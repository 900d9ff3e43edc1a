// auth_request and auth_request_set: who is let in by a subrequest's status, and what is kept of its answer.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const HTTP = `${MODERN}${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    location /ok { auth_request /200; return 200 "not asked: rewriting comes first"; }
    location /r200 { auth_request /200; proxy_pass http://%BACKEND%; }
    location /r204 { auth_request /204; proxy_pass http://%BACKEND%; }
    location /r401 { auth_request /401; proxy_pass http://%BACKEND%; }
    location /r403 { auth_request /403; proxy_pass http://%BACKEND%; }
    location /r404 { auth_request /404; proxy_pass http://%BACKEND%; }
    location /r500 { auth_request /500; proxy_pass http://%BACKEND%; }
    location /r302 { auth_request /302; proxy_pass http://%BACKEND%; }
    location /off { auth_request off; proxy_pass http://%BACKEND%; }
    location = /200 { internal; return 200 "yes"; }
    location = /204 { return 204; }
    location = /401 { return 401; }
    location = /403 { return 403; }
    location = /404 { return 404; }
    location = /500 { return 500; }
    location = /302 { return 302 /login; }
    location /proxied {
      auth_request /auth-backend;
      auth_request_set $user $upstream_http_x_user;
      auth_request_set $code $upstream_status;
      add_header X-User "$user $code" always;
      return 418;
    }
    location /asked/ {
      auth_request /auth-backend;
      auth_request_set $user $upstream_http_x_user;
      proxy_set_header X-User $user;
      add_header X-User $user always;
      proxy_pass http://%BACKEND%;
    }
    location = /auth-backend {
      internal;
      proxy_pass http://%BACKEND%/auth?from=$request_uri;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Method $request_method;
    }
    location /dead { auth_request /dead-backend; proxy_pass http://%BACKEND%; }
    location = /dead-backend { proxy_pass http://%REFUSED%; }
    location /paged { auth_request /401; error_page 401 /login; proxy_pass http://%BACKEND%; }
    location = /login { return 200 "log in\\n"; }
    location /redirected { auth_request /401; error_page 401 =302 /login?from=$uri; proxy_pass http://%BACKEND%; }
    location /any { satisfy any; deny all; auth_request /200; proxy_pass http://%BACKEND%; }
    location /any-refused { satisfy any; deny all; auth_request /401; proxy_pass http://%BACKEND%; }
    location /all { allow all; auth_request /403; proxy_pass http://%BACKEND%; }
    ${[408, 444, 499].map((status) => `location /r${status} { auth_request /${status}; proxy_pass http://%BACKEND%; } location = /${status} { return ${status}; }`).join('\n    ')}
    location /cycle { auth_request /cycle; proxy_pass http://%BACKEND%; }
    location /logged { log_subrequest on; auth_request /logged-auth; proxy_pass http://%BACKEND%; }
    location = /logged-auth { log_subrequest on; return 200; }
  }
`

const paths = [
  '/r200',
  '/r204',
  '/r401',
  '/r403',
  '/r404',
  '/r500',
  '/r302',
  '/ok',
  '/off',
  '/dead',
  '/paged',
]
const more = ['/redirected', '/any', '/any-refused', '/all', '/cycle', '/proxied', '/200', '/401']

const user = replyWith('200 OK', 'ok', 'X-User: alice')

const cases: ParityCases = [
  ...[...paths, ...more].map((path) => ({ name: path, send: get(`${path}?a=b`) })),
  { name: 'the answer of the subrequest is kept', send: get('/asked/x?y', 'X-A: b'), answer: user },
  {
    name: 'a body passes once the request is let in',
    send: `${request('POST', '/asked/x', 'Content-Length: 4')}body`,
    answer: user,
  },
  {
    name: 'a body of a request that is refused',
    send: `${request('POST', '/r403', 'Content-Length: 4')}body${get('/r200')}`,
    until: 2,
    logged: 2,
  },
  {
    name: 'a challenge reaches the client',
    send: get('/asked/x'),
    answer: reply('401 No', ['WWW-Authenticate: Basic realm="r"', 'Content-Length: 0']),
  },
  {
    name: 'any other status is an error',
    send: get('/asked/x'),
    answer: replyWith('302 Found', '', 'Location: /a'),
  },
  { name: 'kept connections go on', send: get('/r200') + get('/r401') + get('/r204'), until: 3, logged: 3 },
  ...[408, 444, 499].map((status) => ({
    name: `a subrequest that would close the connection: ${status}`,
    send: get(`/r${status}`),
    until: 'close' as const,
  })),
  { name: 'log_subrequest', send: get('/logged'), logged: 2 },
]

describeParity('auth_request', HTTP, cases)
