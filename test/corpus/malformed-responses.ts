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

/** Interim responses before a final one. */
const interim = (name: string, text: string, log: string): MalformedResponse => ({
  name: `interim: ${name}`,
  kind: 'head',
  parts: [`${text}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`],
  log,
})

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'
const INVALID_CHUNKS = 'upstream sent invalid chunked response'
const INVALID_TRAILER = 'upstream sent invalid trailer'

const chunks = (name: string, rest: string, log = INVALID_CHUNKS): MalformedResponse => ({
  name: `chunks: ${name}`,
  kind: 'body',
  parts: [CHUNKED, rest],
  log,
})

export const malformedResponses: readonly MalformedResponse[] = [
  { name: 'status line: none, and no end', kind: 'head', parts: ['surplus'], log: NO_HEADER },
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
  status('minor version of two digits', 'HTTP/1.10 200 OK'),
  status('no minor version', 'HTTP/1. 200 OK'),
  status('no space before the status', 'HTTP/1.1200 OK'),
  status('signed status', 'HTTP/1.1 +20 OK'),
  status('hexadecimal status', 'HTTP/1.1 0xC OK'),
  status('high byte in the status', 'HTTP/1.1 2\xb20 OK'),
  status('colon after the status', 'HTTP/1.1 200: OK'),
  status('DEL in the text', 'HTTP/1.1 200 O\x7fK'),
  status('HTTP/0.9, a page', '<html>hello</html>'),
  status('a TLS alert', '\x15\x03\x01\x00\x02\x02\x46'),
  status('an HTTP/2 frame', '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64'),
  status('5000 bytes', `HTTP/1.1 200 ${'O'.repeat(5000)}`, 'upstream sent too big header'),
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
  field(
    'many small fields',
    `${Array.from({ length: 500 }, (_, index) => `F${index}: 1`).join('\r\n')}`,
    'upstream sent too big header',
  ),
  field('folded with a tab', 'X: 1\r\n\t2\r\nContent-Length: 2'),
  field('folded behind the status line', ' X: 1\r\nContent-Length: 2'),
  field('tab before the colon', 'Content-Length\t: 2'),
  field('DEL in the value', 'X: a\x7fb\r\nContent-Length: 2'),
  field('NUL in the name', 'X\0: 1\r\nContent-Length: 2'),
  field('length with a sign', 'Content-Length: +2', 'upstream sent invalid "Content-Length" header'),
  field('hexadecimal length', 'Content-Length: 0x2', 'upstream sent invalid "Content-Length" header'),
  field('fraction of a length', 'Content-Length: 2.0', 'upstream sent invalid "Content-Length" header'),
  field('length with a blank', 'Content-Length: 2 2', 'upstream sent invalid "Content-Length" header'),
  field(
    'two lengths in different case',
    'content-LENGTH: 2\r\nContent-Length: 3',
    'duplicate header line: "Content-Length: 3", previous value: "content-LENGTH: 2"',
  ),
  field(
    'chunks and length',
    'Transfer-Encoding: chunked\r\nContent-Length: 2',
    'upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time',
  ),
  field('identity', 'Transfer-Encoding: identity', 'upstream sent unknown "Transfer-Encoding": "identity"'),
  field('no coding', 'Transfer-Encoding:', 'upstream sent unknown "Transfer-Encoding"'),
  field('coding with a parameter', 'Transfer-Encoding: chunked;q=1', 'upstream sent unknown'),
  field('coding with something before it', 'Transfer-Encoding: xchunked', 'upstream sent unknown'),
  field('control character before a coding', 'Transfer-Encoding: \x0bchunked'),
  field('list of codings', 'Transfer-Encoding: chunked, chunked', 'upstream sent unknown'),
  interim('40 of them', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(40), 'too many interim responses'),
  interim(
    '40 with fields',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(40),
    'too many interim responses',
  ),
  interim(
    '40 of different kinds',
    'HTTP/1.1 102 P\r\n\r\nHTTP/1.0 199 \r\n\r\n'.repeat(20),
    'too many interim responses',
  ),
  interim('an upgrade nobody asked for', 'HTTP/1.1 101 Up\r\n\r\n', 'upstream sent unexpected 101'),
  interim('with a body', 'HTTP/1.1 102 P\r\nContent-Length: 4\r\n\r\nmore', NO_HEADER),
  interim('with a length of words', 'HTTP/1.1 100 C\r\nContent-Length: x\r\n\r\n', 'upstream sent invalid'),
  interim('malformed', 'HTTP/1.1 100 C\r\nX Y: 1\r\n\r\n', INVALID),
  interim('with a bare LF', 'HTTP/1.1 100 C\n\n', 'upstream sent'),
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
  chunks('last line ends in LF', '0\r\n\n', INVALID_TRAILER),
  chunks('space before the size', ' 3\r\nabc\r\n0\r\n\r\n'),
  chunks('size with a sign', '+3\r\nabc\r\n0\r\n\r\n'),
  chunks('letters behind the size', '3x\r\nabc\r\n0\r\n\r\n'),
  chunks('size with too many zeros', '00000000000003\r\nabc\r\n0\r\n\r\n'),
  chunks('bare CR behind the size', '3\rabc\r\n0\r\n\r\n'),
  chunks('bare CR in an extension', '3;a\rb\r\nabc\r\n0\r\n\r\n'),
  chunks('bare LF in an extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'),
  chunks('NUL in an extension', '3;a=\0\r\nabc\r\n0\r\n\r\n'),
  chunks('extension of the last chunk', `0;${'e'.repeat(5000)}\r\n\r\n`),
  chunks('data ends in CR', '3\r\nabc\r0\r\n\r\n'),
  chunks('trailer with a control character', '0\r\nX: a\x01b\r\n\r\n', `${INVALID_TRAILER}: "X: a\\x01..."`),
  chunks('trailer with NUL', '0\r\nX: a\0b\r\n\r\n', `${INVALID_TRAILER}: "X: a\\x00..."`),
  chunks('trailer with a bare LF', '0\r\nX: a\nY: b\r\n\r\n', INVALID_TRAILER),
  chunks('folded trailer', '0\r\nX: a\r\n b\r\n\r\n', `${INVALID_TRAILER}: "\\x20..."`),
  chunks('space in the name of a trailer', '0\r\nX Y: a\r\n\r\n', `${INVALID_TRAILER}: "X\\x20..."`),
  chunks(
    'trailers of 40 000 bytes',
    `0\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`,
    'upstream sent too big trailers',
  ),
  chunks('trailer without colon', '0\r\nX\r\n\r\n', `${INVALID_TRAILER}: "X\\x0d..."`),
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
    name: 'end: far from a huge length',
    kind: 'body',
    parts: ['HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\nabc', ''],
    ends: true,
    log: PREMATURE,
  },
  {
    name: 'surplus: a length of 304 with its body',
    kind: 'surplus',
    parts: ['HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nmore'],
    log: 'upstream sent more data than specified',
  },
  {
    name: 'surplus: chunks of 204',
    kind: 'surplus',
    parts: ['HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n'],
    log: 'upstream sent more data than specified',
  },
  {
    name: 'surplus: another response behind 204',
    kind: 'surplus',
    parts: ['HTTP/1.1 204 N\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    log: 'upstream sent more data than specified',
  },
  {
    name: 'surplus: another response behind the last chunk',
    kind: 'surplus',
    parts: [`${CHUNKED}0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
    log: 'upstream sent data after final chunk',
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
    log: 'upstream sent data after final chunk',
  },
  {
    name: 'surplus: a body of 204',
    kind: 'surplus',
    parts: ['HTTP/1.1 204 No Content\r\n\r\nmore'],
    log: 'upstream sent more data than specified',
  },
  {
    name: 'surplus: a body of 304',
    kind: 'surplus',
    parts: ['HTTP/1.1 304 Not Modified\r\n\r\nmore'],
    log: 'upstream sent more data than specified',
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
