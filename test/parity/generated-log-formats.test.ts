// log_format from a grammar: variables in every escaping, beside texts of all kinds; the lines must be nginx's.

import type { ParityCase } from './compare.ts'
import { describeGenerated, randomFrom } from './generated.ts'
import { MODERN, replyWith } from './requests.ts'

const random = randomFrom(20261121)
const FORMATS = 72

const ESCAPES = ['', 'escape=default ', 'escape=json ', 'escape=none ']
const VARIABLES = [
  ...[
    'args',
    'arg_a',
    'body_bytes_sent',
    'connection_requests',
    'content_length',
    'content_type',
    'cookie_c',
  ],
  ...['host', 'hostname', 'http_referer', 'http_user_agent', 'http_x_a', 'http_x_none', 'is_args'],
  ...['query_string', 'remote_addr', 'remote_user', 'request', 'request_length', 'request_method'],
  ...['request_time', 'request_uri', 'scheme', 'sent_http_x_b', 'server_name', 'server_port'],
  ...['server_protocol', 'status', 'time_iso8601', 'time_local', 'upstream_addr', 'upstream_http_x_b'],
  ...['upstream_response_length', 'upstream_status', 'uri'],
]
/** As they stand between single quotes. */
const TEXTS = [
  ' ',
  '"',
  '[',
  ']',
  ' - ',
  '{"a":',
  ',',
  '\\n',
  '\\t',
  '\\\\',
  '%',
  '%20',
  '\xe9',
  'longer than a word',
  '}',
]

/** One argument of the directive. */
function part(): string {
  const piece = (): string => {
    const name = random.pick(VARIABLES)
    const shown = random.below(8) === 0 ? name.toUpperCase() : name
    const variable = random.below(3) === 0 ? `\${${shown}}` : `$${shown}`
    // What follows a name without braces must not be a part of it.
    return `${random.some(0, 2, () => random.pick(TEXTS))}${variable}${random.pick(TEXTS.slice(0, 7))}`
  }
  return `'${random.some(1, 4, piece)}'`
}

const formats = Array.from({ length: FORMATS }, (_, index) => ({
  format: `log_format f${index} ${random.pick(ESCAPES)}${random.some(1, 3, () => `${part()} `)};`,
  location: `location /f${index}/ { access_log logs/access.log f${index}; ${random.pick([
    'return 200 "text";',
    'proxy_pass http://%BACKEND%;',
  ])} }`,
}))

const VALUES = ['x', '', 'a "quoted" one', 'back\\slash', 'tab\there', '\xe9\xff\x80', '{"a": 1}', "it's"]

function send(index: number): string {
  const target = `/f${index}/${random.some(0, 3, () => random.pick(['a', '%20', '%22', '%C3%A9', '%0a', '%5c', '%7f']))}`
  const query = random.pick(['', '?', '?a=1', '?b=2&a=%22&a=3', '?a=<>"'])
  const field = (name: string): string => (random.below(3) === 0 ? '' : `${name}: ${random.pick(VALUES)}\r\n`)
  const fields = ['Referer', 'User-Agent', 'X-A'].map(field).join('')
  const credentials = random.pick([
    '',
    'Authorization: Basic dToicA==\r\n',
    'Authorization: Basic ImE6Yg==\r\n',
  ])
  const cookie = random.pick(['', 'Cookie: c=1\r\n', 'Cookie: b=2; c="q"\r\n'])
  const method = random.pick(['GET', 'GET', 'HEAD', 'DELETE'])
  return `${method} ${target}${query} HTTP/1.1\r\nHost: Log.test\r\n${fields}${credentials}${cookie}\r\n`
}

const cases: ParityCase[] = formats.map(({ format }, index) => {
  const bytes = send(index)
  return {
    name: `${format} for ${JSON.stringify(bytes)}`,
    send: bytes,
    answer: replyWith(
      '200 OK',
      bytes.startsWith('HEAD') ? '' : 'answer',
      `X-B: ${random.pick(['b', '"b"', 'b\\'])}`,
    ),
  }
})

describeGenerated(
  'generated log formats',
  `${MODERN}
  ${formats.map(({ format }) => format).join('\n  ')}
  server {
    listen 127.0.0.1:%PORT%;
    server_name log.test;
    ${formats.map(({ location }) => location).join('\n    ')}
  }`,
  cases,
)
