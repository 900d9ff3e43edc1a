// Responses a byte below, at, and above every size of what is kept of them, framed in every way; and clients and backends
// that leave at every stage, with what is kept on and off.

import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, reply, replyWith, request } from './requests.ts'

const PLACES = {
  '/on': 'proxy_buffer_size 4k; proxy_buffers 4 4k;',
  '/off': 'proxy_buffering off; proxy_buffer_size 4k;',
  '/no_file': 'proxy_buffers 4 4k; proxy_max_temp_file_size 0;',
  '/small_file': 'proxy_buffers 4 4k; proxy_max_temp_file_size 8k; proxy_temp_file_write_size 8k;',
  '/busy': 'proxy_buffers 8 4k; proxy_busy_buffers_size 12k;',
}

/** The least and the most that may be said of sizes: both start with them. */
const EDGES = [
  'proxy_buffers 2 4k; proxy_busy_buffers_size 4k;',
  'proxy_busy_buffers_size 4096;',
  'proxy_busy_buffers_size 28672;',
  'proxy_temp_file_write_size 4096;',
  'proxy_max_temp_file_size 4096;',
  'proxy_max_temp_file_size 0;',
  'proxy_buffer_size 8k; proxy_max_temp_file_size 8k; proxy_temp_file_write_size 8k; proxy_busy_buffers_size 8k;',
]

const HTTP = `${MODERN}
  log_format sizes '$request: $status body=$body_bytes_sent upstream=$upstream_status $upstream_response_length';
  access_log logs/access.log sizes;
  client_body_timeout 5s;
  server {
    listen 127.0.0.1:%PORT%;
    server_name s.test;
    ${Object.entries(PLACES)
      .flatMap(([place, directives]) => [
        `location ${place} { ${directives} proxy_pass http://%BACKEND%; }`,
        `location ${place}/stays { proxy_ignore_client_abort on; proxy_read_timeout 100ms; ${directives} proxy_pass http://%BACKEND%; }`,
        `location ${place}/silent { proxy_read_timeout 100ms; ${directives} proxy_pass http://%BACKEND%; }`,
        `location ${place}/passed { proxy_request_buffering off; ${directives} proxy_pass http://%BACKEND%; }`,
      ])
      .join('\n')}
    ${EDGES.map((directives, number) => `location /edge${number} { ${directives} proxy_pass http://%BACKEND%; }`).join('\n')}
  }`

const LIMITS = [4096, 8192, 12_288, 16_384, 24_576, 32_768]
const text = (length: number): string => 'a line of text\n'.repeat(length / 15 + 1).slice(0, length)
const chunk = (content: string): string => `${content.length.toString(16)}\r\n${content}\r\n`
const all = Object.keys(PLACES)
/** Of a piece that came alone nginx waits for more where it keeps it, and weir does not. */
const waits = (place: string, stage: string): boolean => place !== '/off' && stage === 'in the content'

const SIZES: ParityCases = all.flatMap((place) =>
  LIMITS.flatMap((limit) =>
    [-1, 0, 1].flatMap((more) => {
      const content = text(limit + more)
      const half = content.length >> 1
      return [
        { name: `${place}: ${content.length} bytes`, send: get(place), answer: replyWith('200 OK', content) },
        {
          name: `${place}: ${content.length} bytes in chunks`,
          send: get(place),
          answer: {
            bytes: [
              reply('200 OK', ['Transfer-Encoding: chunked']),
              chunk(content.slice(0, half)),
              `${chunk(content.slice(half))}0\r\n\r\n`,
            ],
          },
        },
        {
          name: `${place}: ${content.length} bytes to the end`,
          send: get(place),
          answer: { bytes: reply('200 OK', [], content), after: 'end' as const },
        },
      ]
    }),
  ),
)

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'
const partial = { bytes: [head, 'hello'], gap: 20 }
const STAGES = {
  'before the head': '',
  'in the head': 'HTTP/1.1 200 OK\r\nX',
  'behind the head': head,
  'in the content': `${head}hello`,
  'in a chunk': `${reply('200 OK', ['Transfer-Encoding: chunked'])}a\r\nhello`,
  'behind a chunk': `${reply('200 OK', ['Transfer-Encoding: chunked'])}5\r\nhello\r\n`,
  'behind the last byte': replyWith('200 OK', 'whole'),
}

/** So that the backend has the request before the client ends. */
const LATER = Array(15).fill('')

const FAILURES: ParityCases = ['/on', '/off', '/no_file'].flatMap((place) => [
  ...Object.entries(STAGES).map(([stage, bytes]) => ({
    name: `${place}: the backend ends ${stage}`,
    send: get(place, 'Connection: close'),
    until: 'close' as const,
    answer: { bytes, gap: 20, after: 'end' as const },
  })),
  ...Object.entries(STAGES).flatMap(([stage, bytes]) =>
    waits(place, stage)
      ? []
      : [
          {
            name: `${place}: the backend is silent ${stage}`,
            send: get(`${place}/silent`, 'Connection: close'),
            until: 'close' as const,
            answer: { bytes },
          },
          {
            name: `${place}: the backend resets ${stage}`,
            send: get(place, 'Connection: close'),
            until: 'close' as const,
            answer: { bytes, gap: 20, after: 'reset' as const },
          },
        ],
  ),
  ...(['', '/stays'] as const).flatMap((more) => [
    {
      name: `${place}${more}: the client ends before the head`,
      send: [get(place + more, 'Connection: close'), ...LATER],
      halfClose: true,
      until: 'close' as const,
      answer: { bytes: '' },
      info: true,
    },
    {
      name: `${place}${more}: the client ends behind a body`,
      send: [`${request('POST', place + more, 'Content-Length: 3', 'Connection: close')}abc`, ...LATER],
      halfClose: true,
      until: 'close' as const,
      answer: { bytes: '' },
      info: true,
    },
  ]),
  {
    name: `${place}: the client ends in its body, which is passed on`,
    send: [request('POST', `${place}/passed`, 'Content-Length: 10'), 'hello', ...LATER],
    halfClose: true,
    until: 'close',
    answer: { bytes: '' },
  },
])

const LEAVING: ParityCases = ['/off', '/off/stays'].map((target) => ({
  name: `${target}: the client ends in the content`,
  send: [get(target, 'Connection: close'), ...LATER],
  halfClose: true,
  until: 'close' as const,
  answer: partial,
}))

const edges = EDGES.map((directives, number) => ({
  name: directives,
  send: get(`/edge${number}`),
  answer: replyWith('200 OK', text(50_000)),
}))

describeParity('sizes of responses', HTTP, [...SIZES, ...edges])
describeParity('ends at every stage', HTTP, [...FAILURES, ...LEAVING])
