// What variables in the names of certificates are asked of: there is no request yet, but a connection, and what the
// client has said in its ClientHello.

import { Fields } from '../../http/fields.ts'
import { noStream } from '../../http/no-stream.ts'
import type { ServerPlan } from '../../http/plan.ts'
import { type ClientConnection, Request } from '../../http/request.ts'
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
  return new Request(noStream(connection, 'a handshake'), NO_LINE, new Fields(), server, now())
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
