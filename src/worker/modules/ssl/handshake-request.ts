// What variables in the names of certificates are asked of: there is no request yet, but a connection, and what the
// client has said in its ClientHello.

import { Fields } from '../../http/fields.ts'
import type { ServerPlan } from '../../http/plan.ts'
import { type ClientConnection, type ClientStream, Request } from '../../http/request.ts'
import { now } from '../../tick.ts'
import type { ClientHello } from '../../tls/client-hello.ts'
import type { TlsSession } from '../../tls/session.ts'

const NO_LINE = {
  line: '',
  method: '',
  isHead: false,
  target: '',
  protocol: '',
  minor: 0,
  contentLength: -1,
  hasBody: false,
  asksUpgrade: false,
}

/** A request that only variables look at; `hello` is null where it was not understood. */
export function handshakeRequest(
  server: ServerPlan,
  client: ClientConnection,
  hello: ClientHello | null,
): Request {
  const tls = beginning(server, hello)
  const connection: ClientConnection = {
    id: client.id,
    requests: 0,
    remoteAddress: client.remoteAddress,
    remotePort: client.remotePort,
    localAddress: client.localAddress,
    localPort: client.localPort,
    opened: client.opened,
    pipelined: false,
    tls,
    proxyProtocol: client.proxyProtocol,
    delaySegments: () => {},
  }
  return new Request(streamOf(connection), NO_LINE, new Fields(), server, now())
}

/** What is known of TLS before it is agreed on. */
function beginning(server: ServerPlan, hello: ClientHello | null): TlsSession {
  return {
    protocol: '',
    cipher: '',
    serverName: hello?.serverName ?? '',
    alpn: '',
    reused: false,
    sessionId: Buffer.alloc(0),
    group: 0,
    signature: '',
    offer: hello ?? { ciphers: [], groups: [], signatures: [] },
    clientCertificate: null,
    verifyResult: 0,
    serverHost: '',
    server,
    forget: () => {},
  }
}

function nothing(): never {
  throw new Error('a handshake carries no request')
}

function streamOf(connection: ClientConnection): ClientStream {
  return {
    connection,
    out: { write: () => true, flush: () => {}, end: () => {}, abort: () => {} },
    sendHead: () => {},
    sendEarlyHints: () => {},
    receiveBody: nothing,
    leaveUnasked: () => {},
    discardBody: () => true,
    openTunnel: nothing,
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
