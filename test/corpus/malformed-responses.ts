// What broken or lying backends send. `head`: the answer cannot be used, the client gets 502. `body`: the head and some
// content are sound, so the client has them already: its connection ends before the response does. `surplus`: the
// response is whole, and the connection that brought more must not be used again.

export interface MalformedResponse {
  name: string
  kind: 'head' | 'body' | 'surplus'
  /** What the backend sends; for 'body' in two parts, the first of them sound. */
  parts: string[]
  /** Method of the request; default GET. */
  method?: 'HEAD'
  /** It ends the connection afterwards. */
  ends?: true
  /** Words of the error-log line. */
  log: string
}

const NO_HEADER = 'upstream sent no valid HTTP/1.0 header'
const INVALID = 'upstream sent invalid header'
const PREMATURE = 'upstream prematurely closed connection'

const status = (name: string, text: string, log = NO_HEADER): MalformedResponse => ({
  name: `status line: ${name}`,
  kind: 'head',
  parts: [`${text}\r\nContent-Length: 2\r\n\r\nok`],
  log,
})

const field = (name: string, text: string, log = INVALID): MalformedResponse => ({
  name: `field: ${name}`,
  kind: 'head',
  parts: [`HTTP/1.1 200 OK\r\n${text}\r\n\r\nok`],
  log,
})

const ended = (name: string, text: string): MalformedResponse => ({
  name: `end: ${name}`,
  kind: 'head',
  parts: text === '' ? [] : [text],
  ends: true,
  log: PREMATURE,
})

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'
const INVALID_CHUNKS = 'upstream sent invalid chunked response'

const chunks = (name: string, rest: string): MalformedResponse => ({
  name: `chunks: ${name}`,
  kind: 'body',
  parts: [CHUNKED, rest],
  log: INVALID_CHUNKS,
})

export const malformedResponses: readonly MalformedResponse[] = [
  status('no version', 'HTTP 200 OK'),
  status('version 2', 'HTTP/2 200 OK'),
  status('version 2.0', 'HTTP/2.0 200 OK'),
  status('lower case', 'http/1.1 200 OK'),
  status('other protocol', 'ICY 200 OK'),
  status('space before it', ' HTTP/1.1 200 OK'),
  status('empty line before it', '\r\nHTTP/1.1 200 OK'),
  status('no status', 'HTTP/1.1 '),
  status('two digits', 'HTTP/1.1 20 OK'),
  status('four digits', 'HTTP/1.1 2000 OK'),
  status('letters', 'HTTP/1.1 abc OK'),
  status('below 100', 'HTTP/1.1 099 OK'),
  status('text glued to the status', 'HTTP/1.1 200OK'),
  status('two spaces', 'HTTP/1.1  200 OK'),
  status('tab', 'HTTP/1.1\t200 OK'),
  status('control character in the text', 'HTTP/1.1 200 O\x01K'),
  status('NUL in the text', 'HTTP/1.1 200 O\0K'),
  status('carriage return in the text', 'HTTP/1.1 200 O\rK', 'upstream sent'),
  status('request instead', 'GET / HTTP/1.1'),
  {
    name: 'status line: ends in LF',
    kind: 'head',
    parts: ['HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    log: 'upstream sent',
  },
  {
    name: 'status line: garbage',
    kind: 'head',
    parts: ['hello world, this is no HTTP\r\n\r\n'],
    log: NO_HEADER,
  },
  field('no colon', 'Content-Length 2'),
  field('space before the colon', 'Content-Length : 2'),
  field('empty name', ': x\r\nContent-Length: 2'),
  field('space in the name', 'X Y: 1\r\nContent-Length: 2'),
  field('high byte in the name', 'X\xe9: 1\r\nContent-Length: 2'),
  field('NUL in the value', 'X: a\0b\r\nContent-Length: 2'),
  field('control character in the value', 'X: a\x01b\r\nContent-Length: 2'),
  field('folded', 'X: 1\r\n 2\r\nContent-Length: 2'),
  field('line ends in LF', 'X: 1\nContent-Length: 2'),
  field('line ends in CR', 'X: 1\rContent-Length: 2'),
  field(
    '1100 fields',
    `${Array.from({ length: 1100 }, (_, index) => `F${index}: 1`).join('\r\n')}`,
    'upstream sent',
  ),
  field('200 000 bytes', `X: ${'b'.repeat(200_000)}\r\nContent-Length: 2`, 'upstream sent too big header'),
  field('two lengths', 'Content-Length: 2\r\nContent-Length: 5', 'upstream sent duplicate header line'),
  field(
    'the same length twice',
    'Content-Length: 2\r\nContent-Length: 2',
    'upstream sent duplicate header line',
  ),
  field('negative length', 'Content-Length: -2', 'upstream sent invalid "Content-Length" header'),
  field('length of words', 'Content-Length: two', 'upstream sent invalid "Content-Length" header'),
  field('empty length', 'Content-Length:', 'upstream sent invalid "Content-Length" header'),
  field('list of lengths', 'Content-Length: 2, 2', 'upstream sent invalid "Content-Length" header'),
  field(
    'length beyond all numbers',
    'Content-Length: 18446744073709551618',
    'upstream sent invalid "Content-Length" header',
  ),
  field(
    'length and chunks',
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time',
  ),
  field('another coding', 'Transfer-Encoding: gzip', 'upstream sent unknown "Transfer-Encoding"'),
  field(
    'chunked before another coding',
    'Transfer-Encoding: chunked, gzip',
    'upstream sent unknown "Transfer-Encoding"',
  ),
  field(
    'chunked twice',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'upstream sent duplicate header line',
  ),
  ended('without a byte', ''),
  ended('within the status line', 'HTTP/1.1 2'),
  ended('after the status line', 'HTTP/1.1 200 OK\r\n'),
  ended('within a field', 'HTTP/1.1 200 OK\r\nContent-Len'),
  ended('before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'),
  ended('after an interim response', 'HTTP/1.1 100 Continue\r\n\r\n'),
  chunks('no size', '\r\nabc\r\n0\r\n\r\n'),
  chunks('size of no digit', 'zz\r\nabc\r\n0\r\n\r\n'),
  chunks('size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n'),
  chunks('negative size', '-3\r\nabc\r\n0\r\n\r\n'),
  chunks('size that overflows', 'FFFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n'),
  chunks('size line ends in LF', '3\nabc\r\n0\r\n\r\n'),
  chunks('data longer than its size', '3\r\nabcd\r\n0\r\n\r\n'),
  chunks('data without an end', '3\r\nabc0\r\n\r\n'),
  chunks('data ends in LF', '3\r\nabc\n0\r\n\r\n'),
  chunks('extension with a control character', '3;\x01\r\nabc\r\n0\r\n\r\n'),
  chunks('extension of 5000 bytes', `3;${'e'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`),
  chunks('last line ends in LF', '0\r\n\n'),
  chunks('trailer without colon', '0\r\nX\r\n\r\n'),
  { name: 'end: within chunk data', kind: 'body', parts: [CHUNKED, '5\r\nab'], ends: true, log: PREMATURE },
  { name: 'end: between chunks', kind: 'body', parts: [CHUNKED, ''], ends: true, log: PREMATURE },
  { name: 'end: within the last chunk', kind: 'body', parts: [CHUNKED, '0\r\n'], ends: true, log: PREMATURE },
  {
    name: 'end: within a known length',
    kind: 'body',
    parts: ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'def'],
    ends: true,
    log: PREMATURE,
  },
  {
    name: 'end: one byte short',
    kind: 'body',
    parts: ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc', ''],
    ends: true,
    log: PREMATURE,
  },
  {
    name: 'surplus: more than the length',
    kind: 'surplus',
    parts: ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcmore'],
    log: 'upstream sent more data than specified',
  },
  {
    name: 'surplus: another response',
    kind: 'surplus',
    parts: [
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
    ],
    log: 'upstream sent more data than specified',
  },
  {
    name: 'surplus: bytes behind the last chunk',
    kind: 'surplus',
    parts: [`${CHUNKED}0\r\n\r\nmore`],
    log: '',
  },
  {
    name: 'surplus: a body of 204',
    kind: 'surplus',
    parts: ['HTTP/1.1 204 No Content\r\n\r\nmore'],
    log: '',
  },
  {
    name: 'surplus: a body of 304',
    kind: 'surplus',
    parts: ['HTTP/1.1 304 Not Modified\r\n\r\nmore'],
    log: '',
  },
  {
    name: 'surplus: a body for HEAD',
    kind: 'surplus',
    method: 'HEAD',
    parts: ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore'],
    log: '',
  },
  {
    name: 'surplus: chunks for HEAD',
    kind: 'surplus',
    method: 'HEAD',
    parts: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    log: '',
  },
  {
    name: 'surplus: behind a length of 0',
    kind: 'surplus',
    parts: ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore'],
    log: 'upstream sent more data than specified',
  },
]
