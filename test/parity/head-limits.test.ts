// Room for a request's head: where each line falls in nginx's buffers decides what happens.

import type { ParityCase } from './compare.ts'
import { describeGenerated, randomFrom } from './generated.ts'
import { get, LOGGING, type ParityCases } from './requests.ts'

/** A request line of `length` bytes, its line end included. */
const line = (length: number): string => `GET /${'a'.repeat(length - 16)} HTTP/1.1\r\n`

/** A header line of `length` bytes, its line end included. */
const field = (length: number, name = 'X'): string => `${name}: ${'b'.repeat(length - name.length - 4)}\r\n`

const HOST = 'Host: a\r\n'

/** A server with these buffers; the backend gets nothing of the head but its Host. */
const server = (body: string, name = 'a', port = '%PORT%'): string => `
  server {
    listen 127.0.0.1:${port};
    server_name ${name};
    proxy_http_version 1.1;
    ${body}
    location / { proxy_pass http://%BACKEND%; proxy_set_header Host "$server_name"; }
  }`

const SMALL = 'client_header_buffer_size 600; large_client_header_buffers 2 1000;'
const TINY_LARGE = 'client_header_buffer_size 2k; large_client_header_buffers 3 1k;'
const ONE = 'client_header_buffer_size 512; large_client_header_buffers 1 512;'

const HTTP = LOGGING + server(SMALL) + server(TINY_LARGE, 'b', '%PORT2%') + server(ONE, 'c', '%PORT3%')

// nginx's words show bytes it has overwritten where a line ends with its buffer.
const SILENT = { info: false }

function named(
  name: string,
  send: string | string[],
  port: number,
  more: Partial<ParityCase> = {},
): ParityCase {
  return { name, send, port, info: send.length < 1500, ...more }
}

const end = '\r\n'

function sizes(port: number, first: number, large: number): ParityCases {
  return [-2, -1, 0, 1, 2].flatMap((by) => {
    const more = by === 0 && first === large ? SILENT : {}
    return [
      named(`request line ${by} around the first buffer`, line(first + by) + HOST + end, port, more),
      named(`request line ${by} around a large buffer`, line(large + by) + HOST + end, port, more),
      named(`header line ${by} around a large buffer`, line(50) + HOST + field(large + by) + end, port, more),
      named(
        `header line ends ${by} around the first buffer`,
        line(50) + HOST + field(first - 59 + by) + end,
        port,
        more,
      ),
      named(
        `head ends ${by} around the first buffer`,
        line(50) + HOST + field(first - 61 + by) + end,
        port,
        more,
      ),
      named(`Host ${by} around a large buffer`, line(50) + field(large + by, 'Host') + end, port, more),
      named(
        `an odd header line ${by} around a large buffer`,
        line(50) + field(large + by, 'X_') + HOST + end,
        port,
        more,
      ),
      named(`second large buffer filled ${by}`, line(first) + field(large + by) + HOST + end, port, more),
    ]
  })
}

describeGenerated('sizes around small buffers', HTTP, sizes(1, 600, 1000))
describeGenerated('sizes around a first buffer larger than the others', HTTP, sizes(2, 2048, 1024))
describeGenerated('sizes around one large buffer', HTTP, sizes(3, 512, 512))

const pieces = (text: string, ...at: number[]): string[] =>
  [0, ...at].map((from, index) => text.slice(from, [...at, text.length][index]))

describeGenerated('heads in pieces and one after the other', HTTP, [
  named('request line that fills a large buffer without an end', 'GET /'.padEnd(1000, 'a'), 1),
  named('request line that fills a first buffer larger than the others', 'GET /'.padEnd(2048, 'a'), 2),
  named('request line in three pieces', pieces(line(900) + HOST + end, 100, 700), 1),
  named('header line that fills a large buffer without an end', line(50) + HOST + 'X: '.padEnd(1000, 'a'), 1),
  named('header line in two pieces', pieces(line(50) + HOST + field(900) + end, 500), 1),
  named('empty lines in front', `\r\n\r\n${line(598)}${HOST}${end}`, 1),
  named('empty lines in front of a line that just fits', `\r\n\r\n${line(596)}${HOST}${end}`, 1),
  named('pipelined requests in one buffer', (line(100) + HOST + end).repeat(3), 1, { until: 3, logged: 3 }),
  named('pipelined requests over two buffers', (line(200) + HOST + end).repeat(4), 1, {
    until: 4,
    logged: 4,
  }),
  named('pipelined requests over ten buffers', (line(490) + HOST + end).repeat(20), 1, {
    until: 20,
    logged: 20,
    info: false,
  }),
  named('pipelined requests with one large buffer', (line(190) + HOST + end).repeat(8), 3, {
    until: 'close',
    logged: 5,
    info: false,
  }),
  named('a long request line behind a short request', line(100) + HOST + end + line(990) + HOST + end, 1, {
    until: 2,
    logged: 2,
  }),
  named('lines of 300', line(300) + HOST + field(300).repeat(4) + end, 1),
  named('lines of 400', line(400) + HOST + field(400).repeat(4) + end, 1),
  named('lines of 600', line(300) + HOST + field(600).repeat(4) + end, 1),
  named('a response behind a refused head', line(2000) + HOST + end, 1, { until: 'close' }),
])

const random = randomFrom(11)
const LENGTHS = [20, 50, 100, 200, 300, 301, 333, 400, 500, 512, 599, 600, 601, 700, 999, 1000, 1001, 1024]

function randomHead(port: number): ParityCase {
  const lengths = Array.from({ length: 1 + random.below(7) }, () => random.pick(LENGTHS))
  const [first, ...others] = lengths
  const at = random.below(others.length + 1)
  const fields = others.map((length) => field(length))
  fields.splice(at, 0, HOST)
  const send = line(first!) + fields.join('') + end
  return named(`lines of ${lengths.join(', ')}, Host at ${at}`, send, port, SILENT)
}

describeGenerated(
  'generated heads',
  HTTP,
  Array.from({ length: 90 }, (_, index) => randomHead(1 + (index % 3))),
)

const SERVERS = `${LOGGING}
  large_client_header_buffers 4 1k;
  ${server('client_header_buffer_size 512;', 'first')}
  ${server('client_header_buffer_size 4k; large_client_header_buffers 4 2k;', 'roomy')}
  ${server('large_client_header_buffers 1 512;', 'narrow')}`

describeGenerated('servers of one address with different buffers', SERVERS, [
  named('request line by the default server', `${line(1500)}Host: roomy\r\n${end}`, 1),
  named('header line behind Host by its server', `${line(50)}Host: roomy\r\n${field(1500)}${end}`, 1),
  named('header line before Host by the default server', `${line(50) + field(1500)}Host: roomy\r\n${end}`, 1),
  named('fewer buffers behind Host', `${line(50)}Host: narrow\r\n${field(500).repeat(2)}${end}`, 1),
  named('more buffers before Host', `${line(50) + field(500).repeat(3)}Host: narrow\r\n${end}`, 1),
  named('absolute target names the server', `GET http://roomy/ HTTP/1.1\r\n${field(1500)}${HOST}${end}`, 1),
  named('unknown host', `${line(50)}Host: other\r\n${field(1020)}${end}`, 1),
])

describeGenerated('defaults', LOGGING + server(''), [
  named('request line of 8192', line(8192) + HOST + end, 1),
  named('request line of 8193', line(8193) + HOST + end, 1),
  named('header line of 8192', line(50) + HOST + field(8192) + end, 1),
  named('header line of 8193', line(50) + HOST + field(8193) + end, 1),
  named('four large header lines', line(50) + HOST + field(8192).repeat(4) + end, 1),
  named('five large header lines', line(50) + HOST + field(8192).repeat(5) + end, 1),
  named('40 header lines of 1000', line(50) + HOST + field(1000).repeat(40) + end, 1),
  named('a head of 1024', get('/', `X: ${'a'.repeat(1024 - 40)}`), 1),
])
