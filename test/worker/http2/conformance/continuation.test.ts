// RFC 9113 sections 6.2 and 6.10: a header block is HEADERS and CONTINUATION frames, and nothing between them.

import {
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  fieldsOf,
  frame,
  get,
  goaway,
  headers,
  ping,
  post,
  priority,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from '../../../support/http2-bytes.ts'
import { block } from '../../../support/http2-hpack.ts'
import { type ConformanceCase, describeCases, withServer } from './server.ts'

const server = withServer()

const REQUEST = block(...fieldsOf('GET', '/'))
const EMPTY = Buffer.alloc(0)

const INSIDE: [what: string, bytes: Buffer][] = [
  ['DATA', data(1, 'x')],
  ['HEADERS', headers(1, EMPTY)],
  ['HEADERS of another stream', get(3)],
  ['PRIORITY', priority(1)],
  ['RST_STREAM', rstStream(1)],
  ['SETTINGS', settings()],
  ['PUSH_PROMISE', frame('PUSH_PROMISE', 4, 1, uint32(2))],
  ['PING', ping()],
  ['GOAWAY', goaway(0)],
  ['WINDOW_UPDATE', windowUpdate(0, 1)],
  ['CONTINUATION of another stream', continuation(3, EMPTY)],
  ['CONTINUATION of stream 0', continuation(0, EMPTY)],
]

const inside = INSIDE.flatMap(([what, bytes]): ConformanceCase[] => [
  {
    name: `6.2 ${what} behind HEADERS without END_HEADERS`,
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [headers(1, REQUEST, END_STREAM), bytes, continuation(1, EMPTY)],
  },
  {
    name: `6.10 ${what} behind CONTINUATION without END_HEADERS`,
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [headers(1, REQUEST, END_STREAM), continuation(1, EMPTY, 0), bytes, continuation(1, EMPTY)],
  },
])

const CONTINUATIONS: ConformanceCase[] = [
  { name: '6.10 CONTINUATION on stream 0', want: 'GOAWAY PROTOCOL_ERROR', send: continuation(0, REQUEST) },
  {
    name: '6.10 CONTINUATION behind END_HEADERS',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), continuation(1, EMPTY)],
  },
  {
    name: '6.10 CONTINUATION behind the last CONTINUATION',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [headers(1, block(...fieldsOf('GET', '/hold')), 0), continuation(1, EMPTY), continuation(1, EMPTY)],
  },
  {
    name: '6.10 CONTINUATION behind DATA',
    want: 'GOAWAY PROTOCOL_ERROR',
    send: [post(1, '/hold'), data(1, 'x', 0), continuation(1, EMPTY)],
  },
  { name: '6.10 CONTINUATION first of all', want: 'GOAWAY PROTOCOL_ERROR', send: continuation(1, REQUEST) },
  {
    name: '6.10 HEADERS without a block, and CONTINUATION',
    want: '200',
    send: [headers(1, EMPTY, END_STREAM), continuation(1, EMPTY, 0), continuation(1, REQUEST)],
  },
  {
    name: '6.10 END_STREAM of CONTINUATION means nothing',
    want: '200',
    send: [
      headers(1, block(...fieldsOf('POST', '/proxy')), 0),
      continuation(1, EMPTY, END_HEADERS | END_STREAM),
      data(1, 'body'),
    ],
  },
]

describeCases('frames inside a block', server, inside)
describeCases('CONTINUATION', server, CONTINUATIONS)
