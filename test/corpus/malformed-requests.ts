// Requests that must be refused, each with the status it gets before its connection is closed. None may reach a
// backend as a whole request; none of those that hide a second request (GET /smuggled) may let it through.
// RFC 9112 sections 2.2, 3, 5, 6 and 7 read strictly; statuses are nginx's.

export interface MalformedRequest {
  name: string
  bytes: string
  /** The answer before the connection is closed. */
  status: number
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

/** A request line followed by a sound header. */
const line = (name: string, text: string, status = 400): MalformedRequest => ({
  name: `request line: ${name}`,
  bytes: `${text}\r\nHost: a\r\n\r\n`,
  status,
})

/** A header line after a sound request line and Host. */
const field = (name: string, text: string, status = 400): MalformedRequest => ({
  name: `field: ${name}`,
  bytes: `GET /x HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n`,
  status,
})

const host = (name: string, ...lines: string[]): MalformedRequest => ({
  name: `Host: ${name}`,
  bytes: `GET /x HTTP/1.1\r\n${lines.map((text) => `${text}\r\n`).join('')}\r\n`,
  status: 400,
})

/** Framing fields of a POST whose body could be read as another request. */
const framing = (name: string, lines: string[], status = 400, version = '1.1'): MalformedRequest => ({
  name: `framing: ${name}`,
  bytes: `POST /x HTTP/${version}\r\nHost: a\r\n${lines.map((text) => `${text}\r\n`).join('')}\r\n${SMUGGLED}`,
  status,
})

/** A chunked body. */
const chunked = (name: string, body: string): MalformedRequest => ({
  name: `chunks: ${name}`,
  bytes: `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
  status: 400,
})

const requestLines = [
  line('no method', ' / HTTP/1.1'),
  line('lower-case method', 'get / HTTP/1.1'),
  line('method with a digit', 'G3T / HTTP/1.1'),
  line('method with a colon', 'GET: / HTTP/1.1'),
  line('method of 100 letters', `${'M'.repeat(100)}( / HTTP/1.1`),
  line('method alone', 'GET'),
  line('no version', 'GET /'),
  line('a space for a version', 'GET / '),
  line('two spaces after the method', 'GET  / HTTP/1.1'),
  line('two spaces before the version', 'GET /  HTTP/1.1'),
  line('a space after the version', 'GET / HTTP/1.1 '),
  line('a tab after the method', 'GET\t/ HTTP/1.1'),
  line('a tab before the version', 'GET /\tHTTP/1.1'),
  line('a space before the method', ' GET / HTTP/1.1'),
  line('lower-case protocol', 'GET / http/1.1'),
  line('other protocol', 'GET / XTTP/1.1'),
  line('longer protocol', 'GET / HTTPS/1.1'),
  line('no minor version', 'GET / HTTP/1'),
  line('empty minor version', 'GET / HTTP/1.'),
  line('empty major version', 'GET / HTTP/.1'),
  line('letter behind the version', 'GET / HTTP/1.1x'),
  line('two digits of minor version', 'GET / HTTP/1.11'),
  line('version 0.9', 'GET / HTTP/0.9'),
  line('negative version', 'GET / HTTP/-1.1'),
  line('version 2.0', 'GET / HTTP/2.0', 505),
  line('version 3.7', 'GET / HTTP/3.7', 505),
  line('comma in the version', 'GET / HTTP/1,1'),
  line('spaces in the version', 'GET / HTTP/ 1.1'),
  line('space in the target', 'GET /a b HTTP/1.1'),
  line('target without slash', 'GET a HTTP/1.1'),
  line('target that is a query', 'GET ?a HTTP/1.1'),
  line('target that is a fragment', 'GET #a HTTP/1.1'),
  line('asterisk for GET', 'GET * HTTP/1.1'),
  line('control character in the target', 'GET /\x01 HTTP/1.1'),
  line('escape character in the query', 'GET /?\x1b HTTP/1.1'),
  line('NUL in the target', 'GET /a\0b HTTP/1.1'),
  line('DEL in the target', 'GET /\x7f HTTP/1.1'),
  line('encoded NUL', 'GET /%00 HTTP/1.1'),
  line('percent without digits', 'GET /%zz HTTP/1.1'),
  line('percent at the end', 'GET /a% HTTP/1.1'),
  line('percent and one digit', 'GET /a%2 HTTP/1.1'),
  line('above the root', 'GET /../etc HTTP/1.1'),
  line('above the root, encoded', 'GET /a/%2e%2e/%2e%2e/etc HTTP/1.1'),
  line('absolute form without host', 'GET http:///x HTTP/1.1'),
  line('absolute form with a user', 'GET http://u:p@h/ HTTP/1.1'),
  line('absolute form with one slash', 'GET http:/h/x HTTP/1.1'),
  line('scheme with a wrong character', 'GET ht~tp://h/ HTTP/1.1'),
  line('CONNECT', 'CONNECT a:443 HTTP/1.1', 405),
  line('TRACE', 'TRACE / HTTP/1.1', 405),
  line('target of 10 000 bytes', `GET /${'a'.repeat(10_000)} HTTP/1.1`, 414),
  line('carriage return in the target', 'GET /\r HTTP/1.1'),
  { name: 'request line: ends in LF', bytes: 'GET /x HTTP/1.1\nHost: a\r\n\r\n', status: 400 },
  { name: 'request line: ends in CR', bytes: 'GET /x HTTP/1.1\rHost: a\r\n\r\n', status: 400 },
  { name: 'request line: ends in CR CR LF', bytes: 'GET /x HTTP/1.1\r\r\nHost: a\r\n\r\n', status: 400 },
  { name: 'request line: TLS hello', bytes: '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', status: 400 },
  { name: 'request line: high bytes', bytes: '\xff\xfe\xfd\r\n\r\n', status: 400 },
  { name: 'request line: NUL', bytes: '\0\0\0\0\r\n\r\n', status: 400 },
]

const fields = [field('every line ends in LF', 'X: 1\n').bytes.replaceAll('\r\n', '\n')]
  .map((bytes) => ({ name: 'field: every line ends in LF', bytes, status: 400 }))
  .concat([
    field('line ends in LF', 'X: 1\nY: 2'),
    field('line ends in CR', 'X: 1\rY: 2'),
    field('line ends in CR CR LF', 'X: 1\r\r\nY: 2'),
    field('empty line ends in LF', 'X: 1\r\n\nY: 2'),
    field('space before the colon', 'X : 1'),
    field('tab before the colon', 'X\t: 1'),
    field('no colon', 'X 1'),
    field('name alone', 'X'),
    field('empty name', ': 1'),
    field('space in the name', 'X Y: 1'),
    field('control character in the name', 'X\x01: 1'),
    field('NUL in the name', 'X\0: 1'),
    field('high byte in the name', 'X\xe9: 1'),
    field('parenthesis in the name', 'X(: 1'),
    field('quote in the name', '"X": 1'),
    field('slash in the name', 'X/Y: 1'),
    field('at sign in the name', 'X@Y: 1'),
    field('bracket in the name', 'X[0]: 1'),
    field('NUL in the value', 'X: a\0b'),
    field('bell in the value', 'X: a\x07b'),
    field('vertical tab in the value', 'X: a\x0bb'),
    field('DEL in the value', 'X: a\x7fb'),
    field('folded with a space', 'X: 1\r\n 2'),
    field('folded with a tab', 'X: 1\r\n\t2'),
    field('folded framing', 'Transfer-Encoding:\r\n chunked'),
    field('line of a space', 'X: 1\r\n \r\nY: 2'),
    field('line of 10 000 bytes', `X: ${'b'.repeat(10_000)}`),
    field(
      '40 000 bytes of fields',
      Array.from({ length: 40 }, (_, index) => `X-${index}: ${'c'.repeat(1000)}`).join('\r\n'),
    ),
    field('1100 fields', Array.from({ length: 1100 }, (_, index) => `F${index}: 1`).join('\r\n')),
    {
      name: 'field: the first one is folded',
      bytes: 'GET /x HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n',
      status: 400,
    },
  ])

const hosts = [
  host('missing'),
  host('empty', 'Host:'),
  host('twice the same', 'Host: a', 'Host: a'),
  host('twice', 'Host: a', 'Host: b'),
  host('twice, in other case', 'Host: a', 'HOST: b'),
  host('with a slash', 'Host: a/b'),
  host('with a user', 'Host: u@a'),
  host('with a space', 'Host: a b'),
  host('with a question mark', 'Host: a?b'),
  host('with a hash', 'Host: a#b'),
  host('with a backslash', 'Host: a\\b'),
  host('with two dots', 'Host: a..b'),
  host('of a dot', 'Host: .'),
  host('with letters for a port', 'Host: a:b'),
  host('with two ports', 'Host: a:1:2'),
  host('with an open bracket', 'Host: [::1'),
  host('with a closed bracket', 'Host: ::1]'),
  host('with an IPv6 address without brackets', 'Host: ::1'),
  host('that is a port', 'Host: :80'),
]

const framings = [
  framing('length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']),
  framing('chunks and length', ['Transfer-Encoding: chunked', 'Content-Length: 0']),
  framing('two lengths', ['Content-Length: 0', 'Content-Length: 5']),
  framing('the same length twice', ['Content-Length: 0', 'Content-Length: 0']),
  framing('a list of lengths', ['Content-Length: 0, 0']),
  framing('length with a sign', ['Content-Length: +5']),
  framing('negative length', ['Content-Length: -1']),
  framing('empty length', ['Content-Length:']),
  framing('length of words', ['Content-Length: five']),
  framing('length in hexadecimal', ['Content-Length: 0x5']),
  framing('length with a fraction', ['Content-Length: 5.0']),
  framing('length with an exponent', ['Content-Length: 1e1']),
  framing('length with a space', ['Content-Length: 5 5']),
  framing('length with a semicolon', ['Content-Length: 5;']),
  framing('length in quotes', ['Content-Length: "5"']),
  framing('length beyond all numbers', ['Content-Length: 99999999999999999999999']),
  framing('length that overflows 64 bits to 5', ['Content-Length: 18446744073709551621']),
  framing('space before the colon of the length', ['Content-Length : 5']),
  framing('chunks in HTTP/1.0', ['Transfer-Encoding: chunked'], 400, '1.0'),
  framing('another coding', ['Transfer-Encoding: gzip'], 501),
  framing('identity', ['Transfer-Encoding: identity'], 501),
  framing('no coding', ['Transfer-Encoding:'], 501),
  framing('chunked before another coding', ['Transfer-Encoding: chunked, gzip'], 501),
  framing('chunked behind another coding', ['Transfer-Encoding: gzip, chunked'], 501),
  framing('chunked twice', ['Transfer-Encoding: chunked, chunked'], 501),
  framing('chunked with a parameter', ['Transfer-Encoding: chunked;q=1'], 501),
  framing('chunked in quotes', ['Transfer-Encoding: "chunked"'], 501),
  framing('nearly chunked', ['Transfer-Encoding: xchunked'], 501),
  framing('chunked with a comma', ['Transfer-Encoding: chunked,'], 501),
  framing('two lines of chunked', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']),
  framing('two lines of codings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']),
  framing('vertical tab before chunked', ['Transfer-Encoding: \x0bchunked']),
  framing('space before the colon of the coding', ['Transfer-Encoding : chunked']),
]

const bodies = [
  chunked('no size', '\r\nabc\r\n0\r\n\r\n'),
  chunked('size of no digit', 'g\r\nabc\r\n0\r\n\r\n'),
  chunked('size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n'),
  chunked('size with a minus', '-3\r\nabc\r\n0\r\n\r\n'),
  chunked('size with a plus', '+3\r\nabc\r\n0\r\n\r\n'),
  chunked('size with a space before it', ' 3\r\nabc\r\n0\r\n\r\n'),
  chunked('size with an underscore', '1_0\r\n0123456789abcdef\r\n0\r\n\r\n'),
  chunked('extension without a size', ';a=b\r\nabc\r\n0\r\n\r\n'),
  chunked('size of 17 digits', '00000000000000003\r\nabc\r\n0\r\n\r\n'),
  chunked('size that overflows 64 bits to 3', '10000000000000003\r\nabc\r\n0\r\n\r\n'),
  chunked('size of F only', 'FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n'),
  chunked('size line ends in LF', '3\nabc\r\n0\r\n\r\n'),
  chunked('size line ends in CR', '3\rabc\r\n0\r\n\r\n'),
  chunked('size line ends in CR CR LF', '3\r\r\nabc\r\n0\r\n\r\n'),
  chunked('data longer than its size', '3\r\nabcd\r\n0\r\n\r\n'),
  chunked('data shorter than its size', '5\r\nabc\r\n0\r\n\r\n'),
  chunked('data ends in LF', '3\r\nabc\n0\r\n\r\n'),
  chunked('data ends in CR', '3\r\nabc\r0\r\n\r\n'),
  chunked('data without an end', '3\r\nabc0\r\n\r\n'),
  chunked('extension ends in LF', '3;a=b\nabc\r\n0\r\n\r\n'),
  chunked('extension with a control character', '3;a=\x01\r\nabc\r\n0\r\n\r\n'),
  chunked('extension with NUL', '3;a=\0\r\nabc\r\n0\r\n\r\n'),
  chunked('extension of 5000 bytes', `3;${'e'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`),
  chunked('last chunk ends in LF', '3\r\nabc\r\n0\n\r\n'),
  chunked('empty line ends in LF', '3\r\nabc\r\n0\r\n\n'),
  chunked('trailer without colon', '3\r\nabc\r\n0\r\nX\r\n\r\n'),
  chunked('trailer with a space before the colon', '3\r\nabc\r\n0\r\nX : 1\r\n\r\n'),
  chunked('trailer ends in LF', '3\r\nabc\r\n0\r\nX: 1\n\r\n'),
  chunked('trailer that is folded', '3\r\nabc\r\n0\r\nX: 1\r\n 2\r\n\r\n'),
  chunked('trailer with NUL', '3\r\nabc\r\n0\r\nX: \0\r\n\r\n'),
  chunked('trailers of 40 000 bytes', `3\r\nabc\r\n0\r\nX: ${'t'.repeat(40_000)}\r\n\r\n`),
  chunked('a request for a trailer', `3\r\nabc\r\n0\r\n${SMUGGLED}`),
]

export const malformedRequests: readonly MalformedRequest[] = [
  ...requestLines,
  ...fields,
  ...hosts,
  ...framings,
  ...bodies,
]
