// `charset`: types it is for, names, what a backend says of its own, and what is refused.

import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith } from './requests.ts'

const CONF = `${LOGGING}${MODERN}
  charset UTF-8;
  map $arg_c $mapped { default ""; utf utf-8; odd odd; koi KOI8-R; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://%BACKEND%; }
    location /off { charset off; proxy_pass http://%BACKEND%; }
    location /lower { charset utf-8; proxy_pass http://%BACKEND%; }
    location /koi { charset koi8-r; proxy_pass http://%BACKEND%; }
    location /types { charset_types text/css IMAGE/PNG; charset_types a/b; proxy_pass http://%BACKEND%; }
    location /all { charset_types *; proxy_pass http://%BACKEND%; }
    location /override { override_charset on; proxy_pass http://%BACKEND%; }
    location /override_koi { override_charset on; charset koi8-r; proxy_pass http://%BACKEND%; }
    location /override_mapped { override_charset on; charset $mapped; proxy_pass http://%BACKEND%; }
    location /mapped { charset $mapped; proxy_pass http://%BACKEND%; }
    location /if { if ($arg_c) { charset koi8-r; } proxy_pass http://%BACKEND%; }
    location /return { default_type text/plain; return 200 text; }
    location /written { default_type "text/plain; charset=x"; return 200 text; }
    location /written_all { default_type "text/plain; charset=x"; charset_types *; return 200 text; }
    location /moved { return 301 /; }
    location /found { return 302 /; }
    location /other { return 303 /; }
    location /gone { return 410; }
    location /nothing { return 204; }
    location /seen { add_header X-Seen "$sent_http_content_type"; default_type text/html; return 200 text; }
  }
`

const TYPES = [
  'text/html',
  'Text/HTML',
  'text/css',
  'image/png',
  'a/b',
  'application/javascript',
  'text/html; level=1',
  'text/html;charset=utf-8',
  'text/html; charset="utf-8"',
  'text/html; charset=koi8-r',
  'text/html; charset=Odd',
  'text/css; level=1; CHARSET=utf-8',
  'text/html; charset=',
]

const cases = (paths: string, types: readonly string[], status = '200 OK'): ParityCases =>
  paths.split(' ').flatMap((path) =>
    types.map((type) => ({
      name: `${status} ${path} ${type}`,
      send: get(path),
      answer: replyWith(status, 'body', `Content-Type: ${type}`),
    })),
  )

describeParity(
  'types of a backend',
  CONF,
  cases('/ /off /lower /koi /types /all /override /override_koi /if /if?c=1', TYPES),
)
describeParity(
  'variables',
  CONF,
  cases(
    '/mapped /mapped?c=utf /mapped?c=odd /mapped?c=koi /override_mapped?c=utf /override_mapped?c=odd',
    TYPES,
  ),
)
describeParity('statuses of a backend', CONF, [
  ...cases('/ /override', TYPES.slice(0, 8), '301 Moved'),
  ...cases('/ /override', TYPES.slice(0, 8), '404 Gone'),
])
describeParity(
  'answers of its own',
  CONF,
  cases('/return /written /written_all /moved /found /other /gone /nothing /seen', ['']),
)

describeRefusals('what is refused', [
  'charset;',
  'charset a b;',
  'charset utf-8; charset off;',
  'charset $;',
  'charset $nowhere;',
  'charset_types;',
  'override_charset;',
  'override_charset maybe;',
  'server { if ($host) { charset utf-8; } }',
  'server { location / { if ($host) { charset_types a/b; } } }',
])
