// Request targets, Host values and header lines from small grammars: the same answer, the same request at the backend
// and the same log lines as nginx.

import type { ParityCase } from './compare.ts'
import { describeGenerated, type Random, randomFrom } from './generated.ts'

const CONF = `
  log_format parity '$request_method "$request_uri" -> "$uri" ? "$args", "$host" $server_name: $status';
  access_log logs/access.log parity;
  proxy_http_version 1.1;
  server {
    listen 127.0.0.1:%PORT% default_server;
    server_name first;
    location / { proxy_pass http://%BACKEND%; proxy_set_header X-Uri "$args|$request_uri|$host|$http_host"; }
    location /b/ { proxy_pass http://%BACKEND%/c/; proxy_set_header Host $host; }
    location = /exact { return 200 "exact $request_uri $uri"; }
    location /dir/ { proxy_pass http://%BACKEND%; }
  }
  server {
    listen 127.0.0.1:%PORT%;
    server_name second a.b .wild.example 127.0.0.1 "";
    merge_slashes off;
    location / { proxy_pass http://%BACKEND%; proxy_set_header X-Second "$host"; }
    location /go { return 301 /elsewhere; }
  }`

const SEGMENTS = [
  ...['a', 'b', 'c', 'exact', 'dir', 'go', '', '', '.', '..', '...', '.a', '..a', 'a.', 'a..'],
  ...[
    '%41',
    '%2f',
    '%2F',
    '%2e',
    '%2e%2e',
    '%2E.',
    '%20',
    '%25',
    '%3f',
    '%23',
    '%5c',
    '%c3%a9',
    '%7f',
    '%0a',
    '%0d%0a',
  ],
  ...[
    'a b',
    '%',
    '%4',
    '%zz',
    '%00',
    '%0',
    'a\tb',
    '\\',
    '\\..',
    '\xe9',
    '\xff',
    'a+b',
    'a;b=c',
    'a:b',
    '@',
    '~',
    '|',
  ],
  ...['a"b', "'", '<>', '^`{}', 'a&b', '$x', '!', '*', '(', ',', '\x01', '\x7f'],
]

const QUERIES = [
  '',
  '',
  '',
  '?',
  '?a=b',
  '?a=b&c=d',
  '??',
  '?/../x',
  '?a//b',
  '?%00',
  '?%zz',
  '?a#b',
  '?a b',
  '?\xe9',
  '?"',
]

const FRAGMENTS = ['', '', '', '', '', '#', '#f', '#f?q', '#/../a']

// Without those that only newer releases refuse (see normalizeHost).
const NAMES = [
  ...['first', 'second', 'SECOND', 'a.b', 'A.B.', 'x.wild.example', 'wild.example', 'wild.example.', 'other'],
  ...['127.0.0.1', '[::1]', '::1', 'a_b', '-a', 'a-', 'a..b', '.a', '.', 'a.b..', 'xn--e1a', 'a~b', 'a+b'],
  ...[
    'a,b',
    'a;b',
    'a=b',
    'a%41b',
    '%61',
    'a!b',
    "a'b",
    'a*b',
    'a(b)',
    'a&b',
    'a$b',
    'a/b',
    'a/',
    '',
    'FIRST',
  ],
  ...['[::ffff:1.2.3.4]', '[v1.a]', '[]', '[FE80::1]', 'localhost', 'a.b.wild.example', '.wild.example'],
]

const PORTS = ['', '', '', '', ':80', ':%PORT%', ':', ':0', ':65535', ':00080']

// CONNECT has its own form of target in newer releases.
const METHODS = [
  ...[
    'GET',
    'GET',
    'GET',
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'PROPFIND',
    'X',
    'GET_',
    '_',
    '-',
  ],
  ...['get', 'Get', 'G3T', 'G@T', 'TRACE', 'MKCOL', 'LONGMETHOD-WITH_ALL-KINDS', 'G\xe9T', 'GET\t'],
]

const VERSIONS = [
  ...[
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/1.9',
    'HTTP/2.0',
    'HTTP/3',
    'HTTP/1',
  ],
  ...[
    'HTTP/0.9',
    'HTTP/11.1',
    'HTTP/01.1',
    'HTTP/1.x',
    'HTTP/1,1',
    'http/1.1',
    'HTTP/100.1',
    'HTTP/.1',
    'HTTPS/1.1',
    'X',
  ],
]

// Without lines that have no colon, or control characters in their values: those get 400 here.
const FIELDS = [
  ...[
    'X-A: 1',
    'x-a:1',
    'X-A:   1  ',
    'X_A: 1',
    'X.A: 1',
    'X A: 1',
    'X-A : 1',
    ': 1',
    'X-A:',
    '1: 2',
    '-: 2',
    '_: 2',
  ],
  ...['X\xe9: 1', 'X(: 1', 'X/: 1', 'X-A: \xe9', 'X-A: a\tb', 'X-A: "a"', 'X-A: a:b', '$x: 1', 'X\x01: 1'],
  ...[
    'X\x7f: 1',
    '"X": 1',
    'X!: 1',
    'X*: 1',
    'X+Y: 1',
    'X~: 1',
    'X|: 1',
    'X-A: \\',
    'X@Y: 1',
    'X-A: , ,',
    'X-A: \x80',
  ],
]

function request(target: string, host: string | null, line: string[] = [], fields: string[] = []): string {
  const [method = 'GET', version = 'HTTP/1.1'] = line
  const all = [...(host === null ? [] : [`Host: ${host}`]), ...fields]
  return `${method} ${target} ${version}\r\n${all.map((field) => `${field}\r\n`).join('')}\r\n`
}

function named(send: string): ParityCase {
  return { name: JSON.stringify(send), send, info: true }
}

function path(random: Random): string {
  return random.some(1, 5, () => `/${random.pick(SEGMENTS)}`) + random.pick(QUERIES) + random.pick(FRAGMENTS)
}

const authority = (random: Random): string => random.pick(NAMES) + random.pick(PORTS)

function cases(seed: number, count: number, make: (random: Random) => string): ParityCase[] {
  const random = randomFrom(seed)
  const texts = new Set<string>()
  while (texts.size < count) {
    const text = make(random)
    // An empty query before a fragment is an empty $args there, none here.
    if (!text.includes('?#')) texts.add(text)
  }
  return [...texts].map(named)
}

describeGenerated(
  'generated paths',
  CONF,
  cases(1, 150, (random) => request(path(random), random.pick(['first', 'second']))),
)

describeGenerated(
  'generated Host values',
  CONF,
  cases(2, 100, (random) =>
    request('/go', authority(random), ['GET', random.pick(['HTTP/1.1', 'HTTP/1.0'])]),
  ),
)

describeGenerated(
  'generated absolute targets',
  CONF,
  cases(3, 100, (random) => {
    const scheme = random.pick([
      'http://',
      'http://',
      'https://',
      'HTTP://',
      'x://',
      'http:/',
      'http:',
      '1://',
      'a+b://',
    ])
    const rest = random.pick(['', '/', '/a', '?a', '#f', '//', '/go', '/a/../b', '/%41', '\\'])
    return request(scheme + authority(random) + rest, random.pick(['first', 'second', null, 'other']))
  }),
)

describeGenerated(
  'generated request lines',
  CONF,
  cases(4, 75, (random) => request(path(random), 'first', [random.pick(METHODS), random.pick(VERSIONS)])),
)

describeGenerated(
  'generated header lines',
  CONF,
  cases(5, 75, (random) =>
    request('/', random.pick(['first', 'second']), [], [random.pick(FIELDS), random.pick(FIELDS)]),
  ),
)
