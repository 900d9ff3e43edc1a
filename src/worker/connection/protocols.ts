// How a connection of each protocol begins, for opening.ts: what it imports from here on is the interface of both.

import { Http1Connection } from './connection.ts'
import type { ConnectionStart, HttpConnection } from './host.ts'

type Begin = (start: ConnectionStart) => HttpConnection

let http2: Begin = (start) => new Http1Connection(start)

/** Says what connections that speak HTTP/2 are; the first bytes they see are those of its preface. */
export function provideHttp2(begin: Begin): void {
  http2 = begin
}

export function beginHttp1(start: ConnectionStart): HttpConnection {
  return new Http1Connection(start)
}

export function beginHttp2(start: ConnectionStart): HttpConnection {
  return http2(start)
}
