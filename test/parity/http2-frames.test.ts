// Clients that break the rules of HTTP/2 in ways that nginx notices: the code of GOAWAY or RST_STREAM, and the log.

import { continuation, frame, priority, rstStream, settings, windowUpdate } from '../support/http2-bytes.ts'
import { data, describeHttp2Parity, get, type Http2Case } from './http2-compare.ts'

/** `:method: GET`, and nothing else yet. */
const GET = Buffer.from([0x82])

const CONNECTION: Http2Case[] = [
  { name: 'HEADERS on an even stream', send: get(2) },
  { name: 'HEADERS shorter than their priority', send: frame('HEADERS', 0x20, 1, 'abc') },
  { name: 'CONTINUATION of nothing', send: continuation(1, GET) },
  { name: 'DATA on stream 0', send: data(0, 'x') },
  { name: 'PRIORITY of 4 bytes', send: frame('PRIORITY', 0, 1, 'abcd') },
  { name: 'PRIORITY on stream 0', send: priority(0) },
  { name: 'RST_STREAM of 3 bytes', send: frame('RST_STREAM', 0, 1, 'abc') },
  { name: 'RST_STREAM on stream 0', send: rstStream(0) },
  { name: 'SETTINGS of 5 bytes', send: frame('SETTINGS', 0, 0, 'abcde') },
  { name: 'SETTINGS on stream 1', send: frame('SETTINGS', 0, 1) },
  { name: 'SETTINGS_INITIAL_WINDOW_SIZE too large', send: settings([4, 2 ** 31]) },
  { name: 'SETTINGS_MAX_FRAME_SIZE too small', send: settings([5, 16_383]) },
  { name: 'SETTINGS_ENABLE_PUSH of 2', send: settings([2, 2]) },
  { name: 'PUSH_PROMISE', send: frame('PUSH_PROMISE', 0, 1, 'abcd') },
  { name: 'PING of 7 bytes', send: frame('PING', 0, 0, 'abcdefg') },
  { name: 'PING on stream 1', send: frame('PING', 0, 1, 'abcdefgh') },
  { name: 'WINDOW_UPDATE of 3 bytes', send: frame('WINDOW_UPDATE', 0, 0, 'abc') },
  { name: 'WINDOW_UPDATE of 0', send: windowUpdate(0, 0) },
  { name: 'WINDOW_UPDATE too large', send: windowUpdate(0, 2 ** 31 - 1) },
].map((one) => ({ ...one, logged: 0, options: { windows: 'as they are' } }))

const STREAM: Http2Case[] = [
  { name: 'WINDOW_UPDATE too large', send: [get(1, '/hold'), windowUpdate(1, 2 ** 31 - 1)] },
  { name: 'DATA behind the end', send: [get(1, '/hold'), data(1, 'x')] },
]

const SERVER = 'location / { return 200 ok; } location /hold { proxy_pass http://%BACKEND%; }'
const HOLDING = { bytes: [], when: 'head' } as const

describeHttp2Parity('frames that end the connection', '', SERVER, CONNECTION)
describeHttp2Parity(
  'frames that end a stream',
  '',
  SERVER,
  STREAM.map((one) => ({ ...one, answer: { ...HOLDING, bytes: [] } })),
)
