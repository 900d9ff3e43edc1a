// How request lines and header lines are read by the settings of their server: odd names, underscores, slashes, and
// lines that may stand once; and the configurations nginx refuses.

import type { ParityCase } from './compare.ts'
import { describeGenerated } from './generated.ts'

const LOCATION = `
  location / { proxy_pass http://%BACKEND%; proxy_set_header Host "$host"; proxy_http_version 1.1; }
  location /merged/x { return 200 "merged $uri"; }
  location //kept { return 200 "kept $uri"; }`

const server = (port: string, name: string, body: string): string =>
  `server { listen 127.0.0.1:%PORT${port}%; server_name ${name}; ${body} ${LOCATION} }`

const HTTP = `
  log_format parity '$request_method "$request_uri" "$uri" "$args" $server_name $http_x_a $http_x: $status';
  access_log logs/access.log parity;
  ${server('', 'plain', '')}
  ${server('', 'keeping', 'ignore_invalid_headers off; merge_slashes off;')}
  ${server('', 'under', 'underscores_in_headers on;')}
  ${server('', 'both', 'ignore_invalid_headers off; underscores_in_headers on;')}
  ${server('2', 'kept', 'ignore_invalid_headers off; merge_slashes off; underscores_in_headers on;')}
  ${server('2', 'other', '')}`

const HOSTS = ['plain', 'keeping', 'under', 'both', 'unknown']

function exchange(name: string, send: string, more: Partial<ParityCase> = {}): ParityCase {
  return { name, send: `${send}\r\n`, info: true, ...more }
}

const ODD = [
  'X_A: 1',
  '_: 1',
  'X.A: 1',
  'X*: 1',
  'X\xe9: 1',
  '"X": 1',
  'X/A: 1',
  'X A: 1',
  '\x01: 1',
  'X_A:  1 ',
]

describeGenerated('odd names', HTTP, [
  ...HOSTS.flatMap((host) =>
    ODD.flatMap((field) => [
      exchange(`${field} behind ${host}`, `GET / HTTP/1.1\r\nHost: ${host}\r\n${field}\r\n`),
      exchange(`${field} before ${host}`, `GET / HTTP/1.1\r\n${field}\r\nHost: ${host}\r\n`),
    ]),
  ),
  ...ODD.map((field) =>
    exchange(
      `${field} with a target naming keeping`,
      `GET http://keeping/ HTTP/1.1\r\n${field}\r\nHost: plain\r\n`,
    ),
  ),
  ...ODD.map((field) =>
    exchange(`${field} by the default server`, `GET / HTTP/1.1\r\n${field}\r\nHost: other\r\n`, { port: 2 }),
  ),
  exchange('two odd ones', 'GET / HTTP/1.1\r\nX_A: 1\r\nHost: plain\r\nX.A: 2\r\nReferer: r\r\nX_A: 3\r\n'),
])

const PATHS = [
  '//kept',
  '/a//b',
  '//',
  '///a///',
  '/a/..//b',
  '/a//../b',
  '//..',
  '/a/.//b',
  '/%2f/a',
  '//merged//x',
  '/.//',
]

describeGenerated('slashes', HTTP, [
  ...PATHS.flatMap((path) => [
    exchange(`${path} merged`, `GET ${path} HTTP/1.1\r\nHost: plain\r\n`),
    exchange(`${path} by the default server`, `GET ${path} HTTP/1.1\r\nHost: keeping\r\n`),
    exchange(`${path} kept`, `GET ${path}?//a HTTP/1.1\r\nHost: kept\r\n`, { port: 2 }),
    exchange(`${path} kept, another host`, `GET ${path} HTTP/1.1\r\nHost: other\r\n`, { port: 2 }),
    exchange(`${path} of a URL`, `GET http://keeping${path} HTTP/1.1\r\nHost: keeping\r\n`),
  ]),
])

const ONCE = [
  ...['If-Modified-Since', 'If-Unmodified-Since', 'If-Match', 'If-None-Match', 'User-Agent', 'Referer'],
  ...[
    'Content-Range',
    'Content-Type',
    'Range',
    'If-Range',
    'Expect',
    'Upgrade',
    'Authorization',
    'Keep-Alive',
  ],
  ...[
    'Accept-Encoding',
    'Via',
    'Cookie',
    'X-Forwarded-For',
    'Connection',
    'TE',
    'Date',
    'Depth',
    'Accept',
    'Host',
  ],
]

describeGenerated('lines that stand twice', HTTP, [
  ...ONCE.map((name) => exchange(name, `GET / HTTP/1.1\r\nHost: plain\r\n${name}: a\r\n${name}: b\r\n`)),
  exchange('Host twice before a broken line', 'GET / HTTP/1.1\r\nHost: plain\r\nHost: b\r\nX A: 1\r\n'),
  exchange('Host twice behind a broken line', 'GET / HTTP/1.1\r\nX A: 1\r\nHost: plain\r\nHost: b\r\n'),
  exchange('a Host that is none before a broken line', 'GET / HTTP/1.1\r\nHost: a/b\r\nX A: 1\r\n'),
  exchange('no Host and a broken line', 'GET / HTTP/1.1\r\nX A: 1\r\n'),
  exchange(
    'two lengths before a broken line',
    'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\nX A: 1\r\n',
  ),
])
