// `X-Accel-Charset`: a backend names the charset of its response, one of those that the configuration knows.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith } from './requests.ts'

const LOCATIONS = `
    location / { proxy_pass http://%BACKEND%; }
    location /passed { proxy_pass_header X-Accel-Charset; proxy_pass http://%BACKEND%; }
    location /ignored { proxy_ignore_headers X-Accel-Charset; proxy_pass http://%BACKEND%; }
    location /ignored_passed { proxy_ignore_headers X-Accel-Charset; proxy_pass_header X-Accel-Charset; proxy_pass http://%BACKEND%; }`

const HTTP = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    ${LOCATIONS}
    location /on { charset koi8-r; proxy_pass http://%BACKEND%; }
    location /override { charset koi8-r; override_charset on; proxy_pass http://%BACKEND%; }
    location /types { charset UTF-8; charset_types text/css; proxy_pass http://%BACKEND%; }
  }
`

/** No `charset` anywhere. */
const BARE = `${LOGGING}${MODERN}
  server { listen 127.0.0.1:%PORT%; ${LOCATIONS} }
`

const TYPES = [
  'text/html',
  'image/png',
  'text/html; charset=utf-8',
  'text/html; charset=KOI8-R',
  'text/html; charset=odd',
  'text/html; level=1; charset=utf-8',
]

const cases = (
  paths: string,
  charsets: readonly string[],
  status = '200 OK',
  more: string[] = [],
): ParityCases =>
  paths.split(' ').flatMap((path) =>
    charsets.flatMap((charset) =>
      TYPES.map((type) => ({
        name: `${status} ${path} ${type} as "${charset}" ${more.join()}`,
        send: get(path),
        answer: replyWith(status, 'body', `Content-Type: ${type}`, `X-Accel-Charset: ${charset}`, ...more),
      })),
    ),
  )

describeParity('X-Accel-Charset', HTTP, [
  ...cases('/ /passed /ignored /ignored_passed /on /override /types', ['utf-8', 'Koi8-R', 'odd', '']),
  ...cases('/', ['utf-8'], '301 Moved Permanently', ['Location: /x']),
  ...cases('/', ['utf-8', 'odd'], '404 Not Found'),
  ...cases('/', ['utf-8'], '200 OK', ['Content-Encoding: gzip']),
  { name: 'no type', send: get('/'), answer: replyWith('200 OK', 'body', 'X-Accel-Charset: utf-8') },
])

describeParity('X-Accel-Charset where no charset is known', BARE, [
  ...cases('/ /passed /ignored', ['utf-8', '']),
])
