// The stream of a request that no client waits for: variables are read of it, and that is all.

import type { BodySink } from './body.ts'
import type { ClientConnection, ClientStream } from './request.ts'

const NOWHERE: BodySink = { write: () => true, flush: () => {}, end: () => {}, abort: () => {} }

/** A stream on `connection` where nothing comes in, and nothing goes out. `what` it belongs to, for who errs. */
export function noStream(connection: ClientConnection, what: string): ClientStream {
  const refuse = (): never => {
    throw new Error(`${what} has no client to talk to`)
  }
  return {
    connection,
    out: NOWHERE,
    sendHead: () => {},
    sendEarlyHints: () => {},
    receiveBody: refuse,
    leaveUnasked: () => {},
    discardBody: () => true,
    openTunnel: refuse,
    closeTunnel: () => {},
    finish: () => {},
    terminate: () => {},
    bytesSent: 0,
    bodyBytesSent: 0,
    bodyLength: -1,
    bodyTaken: false,
    bodyDiscarded: false,
    settling: false,
    bodyWaiting: 0,
    room: Number.POSITIVE_INFINITY,
  }
}
