// Sound responses of every shape: whatever way they are cut, the client gets the same.

export interface ValidResponse {
  name: string
  bytes: string
  /** The backend ends the connection: the end of the body. */
  ends?: true
}

export const validResponses: readonly ValidResponse[] = [
  { name: 'length', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' },
  { name: 'length 0', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' },
  {
    name: 'many fields',
    bytes:
      'HTTP/1.1 201 Created\r\nDate: x\r\nServer: s\r\nContent-Type: a/b\r\nX-A: 1\r\nX-A: 2\r\nX-Empty:\r\nX-Tab:\tv\t\r\nContent-Length: 1\r\n\r\nx',
  },
  { name: 'no text', bytes: 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx' },
  {
    name: 'chunks',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n',
  },
  {
    name: 'chunks with extensions',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a="b"\r\nabc\r\n00;x\r\n\r\n',
  },
  {
    name: 'chunks with trailers',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n',
  },
  { name: 'no chunk', bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' },
  { name: 'until the end', bytes: 'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nuntil the end', ends: true },
  { name: 'HTTP/1.0 with a length', bytes: 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nten', ends: true },
  { name: '204', bytes: 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n' },
  { name: '304', bytes: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n' },
  { name: '404', bytes: 'HTTP/1.1 404 Not Here\r\nContent-Length: 4\r\n\r\ngone' },
  {
    name: '100 first',
    bytes: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter',
  },
  { name: 'high bytes', bytes: 'HTTP/1.1 200 \xe9\r\nX-High: \xff\r\nContent-Length: 2\r\n\r\n\0\xff' },
]
