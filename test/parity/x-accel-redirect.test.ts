// `X-Accel-Redirect` and `proxy_intercept_errors`: a backend's response that others make instead.

import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const HTTP = `${MODERN}
  log_format accel '$request_method $request_uri -> $uri ? $args: $status $upstream_status [$upstream_http_x_own] body=$body_bytes_sent';
  access_log logs/access.log accel;
  types { text/html html; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://%BACKEND%; }
    location /ignored { proxy_ignore_headers X-Accel-Redirect; proxy_pass http://%BACKEND%; }
    location /passed { proxy_pass_header X-Accel-Redirect; proxy_pass http://%BACKEND%; }
    location /both { proxy_pass_header X-Accel-Redirect; proxy_ignore_headers X-Accel-Redirect; proxy_pass http://%BACKEND%; }
    location /hidden { proxy_hide_header Set-Cookie; proxy_hide_header Expires; proxy_pass http://%BACKEND%; }
    location /cookies { proxy_cookie_path / /other/; proxy_cookie_domain a.test b.test; proxy_pass http://%BACKEND%; }
    location /inner { internal; return 200 "inner $uri ? $args $request_method\\n"; }
    location /open { return 201 "open $uri ? $args\\n"; }
    location /expires { expires 1h; add_header X-More more; return 200 "expires"; }
    location /refused { return 403; }
    location /page { error_page 404 = /inner/page; return 404; }
    location /again { proxy_pass http://%BACKEND%/second; }
    location /moved { return 302 /elsewhere; }
    location /empty { return 204; }
    location @named { return 200 "named $uri ? $args $request_method\\n"; }
    location @proxied { proxy_pass http://%BACKEND%; }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    proxy_intercept_errors on;
    error_page 404 /inner/404;
    error_page 500 =200 @named;
    error_page 401 /inner/401;
    error_page 403 =403 /again;
    error_page 302 /inner/302;
    error_page 410 http://a.test/gone;
    location / { proxy_pass http://%BACKEND%; }
    location /none { error_page 499.1 /inner; proxy_pass http://%BACKEND%; }
    location /off { proxy_intercept_errors off; proxy_pass http://%BACKEND%; }
    location /without { error_page 505 /inner; proxy_pass http://%BACKEND%; }
    location /next { proxy_next_upstream http_404; proxy_pass http://%BACKEND%; }
    location /recursive { recursive_error_pages on; proxy_pass http://%BACKEND%; error_page 403 /again; }
    location /again { proxy_pass http://%BACKEND%; }
    location /inner { internal; return 200 "inner $uri $upstream_http_x_own\\n"; }
    location @named { return 200 "named $uri\\n"; }
  }
`.replace('    location /none { error_page 499.1 /inner; proxy_pass http://%BACKEND%; }\n', '')

/** A first answer that leaves the response to `target`; what else is asked for is answered plainly. */
const leaving =
  (target: string, ...headers: string[]) =>
  (bytes: Buffer, index: number) =>
    index === 0 || bytes.includes('loop')
      ? replyWith('200 Left', 'not for anybody', `X-Accel-Redirect: ${target}`, 'X-Own: own', ...headers)
      : replyWith('200 Second', 'second', 'Content-Type: text/second')

const to = (target: string, from = '/a?b', ...headers: string[]) => ({
  name: `${from} to ${target} ${headers.join(', ')}`,
  send: get(from),
  answer: leaving(target, ...headers),
})

const TARGETS = [
  ...[
    '/inner/a',
    '/inner/a?b=c',
    '/inner/%41%20b',
    '/inner/a%3Fb',
    '/open/',
    '/open?x#y',
    '@named',
    '@none',
    '@',
  ],
  ...[
    '/inner/..',
    '/inner/../open',
    '../inner',
    '..',
    '/inner/..a',
    '/inner/%2e%2e/open',
    '/inner/%2e%2e',
    '/inner%2F..',
  ],
  ...[
    '',
    '?',
    '?a',
    'inner',
    'http://a.test/',
    '/inner/%zz%4',
    '/inner/%az',
    '/inner/%',
    '//inner//a',
    '/inner/./a',
  ],
  ...[
    '/refused',
    '/page',
    '/again/x',
    '@proxied',
    '/moved',
    '/empty',
    '/missing/file',
    '/expires',
    '/inner/a b',
  ],
]

const FIELDS = [
  'Content-Type: text/kept',
  'Content-Disposition: attachment',
  'Set-Cookie: a=b; path=/; domain=a.test',
  'set-cookie: c=d',
  'Cache-Control: no-cache',
  'Expires: Thu, 01 Jan 1970 00:00:01 GMT',
  'Accept-Ranges: bytes',
  'ETag: "a"',
  'Last-Modified: Thu, 01 Jan 2015 00:00:01 GMT',
  'Location: /x',
  'Refresh: 3; url=/x',
  'Vary: X',
  'Link: </a>',
  'WWW-Authenticate: Basic realm="a"',
  'Content-Encoding: br',
  'Content-Range: bytes 1-2/3',
  'X-Other: other',
  'X-Accel-Limit-Rate: 5000',
  'Server: other',
  'Date: Thu, 01 Jan 2015 00:00:01 GMT',
]

const REDIRECTS: ParityCases = [
  ...TARGETS.map((target) => to(target)),
  ...FIELDS.flatMap((field) => [
    to('/inner', '/a', field),
    to('/refused', '/a', field),
    to('/again', '/a', field),
  ]),
  ...['/inner', '/refused', '/again', '/expires', '/moved', '/page'].flatMap((target) =>
    ['/a', '/hidden', '/cookies'].map((from) => to(target, from, ...FIELDS)),
  ),
  ...['/ignored', '/passed', '/both'].map((from) => to('/inner', from)),
  ...['HEAD', 'POST', 'DELETE'].flatMap((method) =>
    ['/inner', '@named'].map((target) => ({
      name: `${method} to ${target}`,
      send:
        request(method, '/a', ...(method === 'HEAD' ? [] : ['Content-Length: 3'])) +
        (method === 'HEAD' ? '' : 'abc'),
      answer: leaving(target),
    })),
  ),
  {
    name: 'with a status of its own',
    send: get('/a'),
    answer: replyWith('404 None', 'x', 'X-Accel-Redirect: /inner'),
  },
  { name: 'with a 304', send: get('/a'), answer: reply('304 Not Modified', ['X-Accel-Redirect: /inner']) },
  { name: 'a loop', send: get('/loop'), answer: leaving('/loop') },
  {
    name: 'on a connection that goes on',
    send: get('/a') + get('/open'),
    answer: leaving('/inner'),
    until: 2,
    logged: 2,
  },
]

describeParity('X-Accel-Redirect', HTTP, REDIRECTS)

const STATUSES = [
  '200 OK',
  '204 None',
  '302 Found',
  '304 Not',
  '401 No',
  '403 No',
  '404 None',
  '410 Gone',
  '500 No',
  '503 No',
  '505 No',
]

const INTERCEPTED: ParityCases = [
  ...STATUSES.flatMap((status) =>
    ['/', '/off', '/without', '/recursive', '/next'].map((target) => ({
      name: `${status} of ${target}`,
      send: get(target),
      port: 2,
      answer: (_: Buffer, index: number) =>
        index > 0
          ? replyWith('404 Again', 'again')
          : reply(
              status,
              [
                'X-Own: own',
                'WWW-Authenticate: Basic realm="a"',

                'Location: /l',
                'Set-Cookie: a=b',
              ].concat(/^(204|304)/.test(status) ? [] : ['Content-Length: 4']),
              /^(204|304)/.test(status) ? '' : 'body',
            ),
    })),
  ),
  ...['404 None', '500 No'].flatMap((status) => [
    { name: `HEAD and ${status}`, send: request('HEAD', '/'), port: 2, answer: replyWith(status, '') },
    {
      name: `POST and ${status}`,
      send: `${request('POST', '/', 'Content-Length: 3')}abc`,
      port: 2,
      answer: replyWith(status, 'long'),
    },
    {
      name: `${status} without an end`,
      send: get('/'),
      port: 2,
      answer: reply(status, ['Content-Length: 100'], 'short'),
    },
  ]),
]

describeParity('proxy_intercept_errors', HTTP, INTERCEPTED)
