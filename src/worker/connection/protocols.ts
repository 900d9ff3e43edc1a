// How a connection of each protocol begins, for opening.ts: what it imports from here on is the interface of both.

import { Http2Connection } from '../http2/connection.ts'
import { Http1Connection } from './connection.ts'
import type { ConnectionStart, HttpConnection } from './host.ts'

/** Plain, or inside of TLS. */
export function beginHttp1(start: ConnectionStart): HttpConnection {
  return new Http1Connection(start)
}

/** The first bytes that it sees are those of its preface. */
export function beginHttp2(start: ConnectionStart): HttpConnection {
  return new Http2Connection(start)
}
