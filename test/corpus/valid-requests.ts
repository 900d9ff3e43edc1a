// Sound requests of every shape, several of them pipelined: whatever way they are cut, the answers are the same.

export interface ValidRequest {
  name: string
  bytes: string
  /** Responses to expect. */
  responses: number
}

const one = (name: string, bytes: string): ValidRequest => ({ name, bytes, responses: 1 })
const head = (text: string): string => `${text.trim().replace(/\n */g, '\r\n')}\r\n\r\n`

export const validRequests: readonly ValidRequest[] = [
  one('the shortest', head('GET / HTTP/1.1\nHost: a')),
  one(
    'many fields',
    head(
      'GET /a?b=c HTTP/1.1\nHost: a.test:80\nUser-Agent: u (v; w)\nAccept: */*\nCookie: a=b; c=d\nX-Empty:\nX-Tab:\tv\t',
    ),
  ),
  one('empty lines first', `\r\n\r\n${head('GET /after-lines HTTP/1.1\nHost: a')}`),
  one('absolute form', head('GET http://b.test/abs?q HTTP/1.1\nHost: a')),
  one('encoded target', head('GET /%41%20%2F?%00 HTTP/1.1\nHost: a')),
  one('high bytes', head('GET /\xe9 HTTP/1.1\nHost: a\nX-High: \xff\xfe')),
  one('names of all token characters', head("GET / HTTP/1.1\nHost: a\n!#$%&'*+-.^`|~09azAZ: odd")),
  one('HTTP/1.0', head('GET /ten HTTP/1.0')),
  one('HEAD', head('HEAD /head HTTP/1.1\nHost: a')),
  one('unknown method', head('MY-METHOD /m HTTP/1.1\nHost: a')),
  one('length', `${head('POST /length HTTP/1.1\nHost: a\nContent-Length: 11')}hello\r\n\r\nyo`),
  one('length 0', head('POST /zero HTTP/1.1\nHost: a\nContent-Length: 0')),
  one('GET with a body', `${head('GET /get-body HTTP/1.1\nHost: a\nContent-Length: 3')}abc`),
  one(
    'chunks',
    `${head('POST /chunks HTTP/1.1\nHost: a\nTransfer-Encoding: chunked')}3\r\nabc\r\n1\r\n\r\r\n0\r\n\r\n`,
  ),
  one(
    'chunks with extensions',
    `${head('POST /ext HTTP/1.1\nHost: a\nTransfer-Encoding: chunked')}3;a="b c";d\r\nabc\r\n000;x=y\r\n\r\n`,
  ),
  one(
    'chunks with trailers',
    `${head('POST /trailers HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: X')}A\r\n0123456789\r\n0\r\nX: 1\r\nY: 2\r\n\r\n`,
  ),
  one('no chunk', `${head('POST /no-chunk HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked')}0\r\n\r\n`),
  one('answered without a backend', head('GET /text HTTP/1.1\nHost: a')),
  one('body that nobody wants', `${head('POST /text HTTP/1.1\nHost: a\nContent-Length: 4')}junk`),
  {
    name: 'three pipelined',
    bytes: [1, 2, 3].map((n) => head(`GET /pipe${n} HTTP/1.1\nHost: a`)).join(''),
    responses: 3,
  },
  {
    name: 'pipelined with bodies',
    bytes: `${head('POST /p1 HTTP/1.1\nHost: a\nContent-Length: 5')}GET /${head('POST /p2 HTTP/1.1\nHost: a\nTransfer-Encoding: chunked')}4\r\nGET \r\n0\r\n\r\n${head('GET /p3 HTTP/1.1\nHost: a')}`,
    responses: 3,
  },
  {
    name: 'pipelined, the last one closes',
    bytes: `${head('GET /text HTTP/1.1\nHost: a')}${head('GET /last HTTP/1.1\nHost: a\nConnection: close')}`,
    responses: 2,
  },
]
