// `expires`: its forms and places, with what a backend says of the same, and what is refused.

import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith } from './requests.ts'

const CONF = `${LOGGING}${MODERN}
  map $arg_e $mapped { default off; max max; epoch epoch; days 3d; past -2d; daily @3h; bad 1q; none ""; sign +; modified modified; }
  map $sent_http_content_type $by_type { default off; text/css max; ~image/ 30d; text/html epoch; }
  server {
    listen 127.0.0.1:%PORT%;
    default_type text/css;
    location / { expires 5d; proxy_pass http://%BACKEND%; }
    location /off { expires off; proxy_pass http://%BACKEND%; }
    location /epoch { expires epoch; proxy_pass http://%BACKEND%; }
    location /max { expires max; proxy_pass http://%BACKEND%; }
    location /zero { expires 0; proxy_pass http://%BACKEND%; }
    location /plus { expires +2d3h4m5s; proxy_pass http://%BACKEND%; }
    location /plain { expires 172801; proxy_pass http://%BACKEND%; }
    location /years { expires 1y2M; proxy_pass http://%BACKEND%; }
    location /minus { expires -2d; proxy_pass http://%BACKEND%; }
    location /minus_zero { expires -0; proxy_pass http://%BACKEND%; }
    location /second { expires -1; proxy_pass http://%BACKEND%; }
    location /daily { expires @15h30m; proxy_pass http://%BACKEND%; }
    location /midnight { expires @0; proxy_pass http://%BACKEND%; }
    location /whole_day { expires @24h; proxy_pass http://%BACKEND%; }
    location /modified { expires modified +2d; proxy_pass http://%BACKEND%; }
    location /modified_minus { expires modified -2d; proxy_pass http://%BACKEND%; }
    location /modified_zero { expires modified 0; proxy_pass http://%BACKEND%; }
    location /hidden { expires modified 3d; proxy_hide_header Last-Modified; proxy_hide_header Expires; proxy_pass http://%BACKEND%; }
    location /mapped { expires $mapped; proxy_pass http://%BACKEND%; }
    location /mapped_modified { expires modified $mapped; proxy_pass http://%BACKEND%; }
    location /by_type { expires $by_type; proxy_pass http://%BACKEND%; }
    location /joined { expires "$arg_sign$arg_e"; proxy_pass http://%BACKEND%; }
    location /added { expires 9d; add_header Cache-Control public; add_header Expires x; add_header X-Seen "$sent_http_cache_control"; proxy_pass http://%BACKEND%; }
    location /status/ {
      expires max;
      location /status/200 { return 200 text; } location /status/201 { return 201 text; } location /status/202 { return 202 text; }
      location /status/204 { return 204; } location /status/206 { return 206 text; } location /status/301 { return 301 /; }
      location /status/302 { return 302 /; } location /status/303 { return 303 /; } location /status/304 { return 304; }
      location /status/307 { return 307 /; } location /status/308 { return 308 /; } location /status/400 { return 400; }
      location /status/404 { return 404 text; } location /status/500 { return 500; }
      location /status/off { expires off; return 200 text; }
    }
    location /if { if ($arg_e) { expires max; } if ($arg_off) { expires off; } expires 4d; proxy_pass http://%BACKEND%; }
    location /page { expires 6d; error_page 404 =200 /status/200; return 404; }
    location /fails { expires 6d; error_page 404 /shown; return 404; }
    location /shown { expires 7d; return 200 shown; }
  }
`

const MODIFIED = 'Last-Modified: Sun, 06 Nov 2005 08:49:37 GMT'
const OWN = ['EXPIRES: Thu, 01 Jan 2004 00:00:00 GMT', 'X-A: 1', 'cache-control: private', 'X-B: 1']
const backend = (...headers: string[]) => replyWith('200 OK', 'body', ...headers)

const paths = (list: string, ...headers: string[]): ParityCases =>
  list.split(' ').map((path) => ({
    name: `${path} ${headers.join(', ')}`,
    send: get(path),
    answer: backend(...headers),
  }))

const FORMS =
  '/ /off /epoch /max /zero /plus /plain /years /minus /minus_zero /second /daily /midnight /whole_day /added'
const MODIFIED_FORMS = '/modified /modified_minus /modified_zero /hidden'
const STATUSES = '200 201 202 204 206 301 302 303 304 307 308 400 404 500 off'
const VALUES = 'max epoch days past daily bad none sign modified other'

describeParity('forms', CONF, paths(FORMS))
describeParity('forms, with fields of the backend', CONF, [
  ...paths(FORMS, ...OWN),
  ...paths('/max /', 'Cache-Control: a', 'Cache-Control: b', 'X-C: 1', 'Cache-Control: c'),
  ...paths('/epoch /plus', 'Expires: 0'),
  ...paths('/max', 'Cache-Control:', 'Expires:'),
])
describeParity('since the last change', CONF, [
  ...paths(MODIFIED_FORMS),
  ...paths(MODIFIED_FORMS, MODIFIED),
  ...paths(MODIFIED_FORMS, 'Last-Modified: Mon, 06 Nov 2056 08:49:37 GMT', ...OWN),
  ...paths('/modified', 'Last-Modified: never'),
  ...paths('/modified', 'Last-Modified: Sunday, 06-Nov-94 08:49:37 GMT'),
  ...paths('/modified', 'Last-Modified: Sun Nov  6 08:49:37 1994'),
  ...paths('/modified', 'Last-Modified: Tue, 30 Feb 2010 08:49:37 GMT'),
])
describeParity('variables', CONF, [
  ...paths(
    VALUES.split(' ')
      .map((value) => `/mapped?e=${value}`)
      .join(' '),
  ),
  ...paths(
    VALUES.split(' ')
      .map((value) => `/mapped_modified?e=${value}`)
      .join(' '),
    'Last-Modified: Mon, 06 Nov 2056 08:49:37 GMT',
  ),
  ...paths('/by_type', 'Content-Type: text/css'),
  ...paths('/by_type', 'Content-Type: image/png'),
  ...paths('/by_type', 'Content-Type: text/html; charset=x'),
  ...paths('/by_type', ...OWN),
  ...paths('/joined?sign=-&e=4d /joined?sign=%2B&e=4d /joined /joined?e=2147483648 /joined?sign=-'),
])
describeParity(
  'statuses',
  CONF,
  paths(
    STATUSES.split(' ')
      .map((status) => `/status/${status}`)
      .join(' '),
  ),
)
describeParity('statuses of a backend', CONF, [
  { name: '301', send: get('/max'), answer: replyWith('301 Moved', '', 'Location: /a', ...OWN) },
  { name: '404', send: get('/max'), answer: replyWith('404 Gone', 'x', ...OWN) },
  { name: '206', send: get('/max'), answer: replyWith('206 Partial', 'x', 'Content-Range: bytes 0-0/4') },
])
describeParity('places', CONF, paths('/if /if?e=1 /if?off=1 /if?e=1&off=1 /page /fails'))

describeRefusals('what expires refuses', [
  'expires;',
  'expires 1 2 3;',
  'expires 1h 2h;',
  'expires Modified 2h;',
  'expires modified;',
  'expires modified max;',
  'expires modified @1h;',
  'expires 1q;',
  'expires "";',
  'expires +;',
  'expires -;',
  'expires @;',
  'expires --1;',
  'expires +-1;',
  'expires MAX;',
  'expires 500ms;',
  'expires @25h;',
  'expires @24h1s;',
  'expires $nowhere;',
  'expires modified $nowhere;',
  'expires 1h; expires 2h;',
  'expires $host; expires off;',
  'server { if ($host) { expires 1h; } }',
  'upstream u { expires 1h; }',
  'server { location / { limit_except GET { expires 1h; } } }',
])
