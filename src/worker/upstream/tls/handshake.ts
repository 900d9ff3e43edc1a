// A connection with TLS on it, from the first packet to the end of the handshake, for requests and for health checks:
// the backend's certificate is checked before anything is sent to it.

import type { NetConnectOpts } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { errnoText } from '../../../shared/errno.ts'
import type { Level } from '../../../shared/error-log.ts'
import { isExpected, opensslText } from '../../tls/openssl-error.ts'
import type { Failure } from '../next.ts'
import type { TlsClient } from './client.ts'
import { refusalOf } from './verify.ts'

/** Told how it goes: the first two in this order, `failed` at most once and instead of what has not come by then. */
export interface HandshakeEvents {
  /** The connection is there; the handshake begins. */
  connected(): void
  /** The backend is who it should be. The socket has no listeners any more but what keeps its sessions. */
  secured(socket: TLSSocket): void
  /** A HandshakeError, or the system's error of a connection that did not come about. */
  failed(error: NodeJS.ErrnoException): void
  /** A line (NSS key log format, with its end) of `proxy_ssl_key_log`. */
  secret?(line: string): void
}

/** TLS did not come about on a connection that did. */
export class HandshakeError extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** Connects to where `where` says, which the sessions kept know as `peer`. */
export function connectSecurely(
  where: NetConnectOpts,
  peer: string,
  client: TlsClient,
  events: HandshakeEvents,
): TLSSocket {
  const session = client.sessions?.get(peer) ?? null
  const socket = connect({
    ...where,
    secureContext: client.context,
    // Who it is, is looked at below, in nginx's order and words.
    rejectUnauthorized: false,
    checkServerIdentity: nobodyElse,
    // nginx leaves it to OpenSSL which keys are too small.
    minDHSize: 1,
    ...(client.serverName === '' ? {} : { servername: client.serverName }),
    ...(session === null ? {} : { session }),
    ...(client.alpn.length === 0 ? {} : { ALPNProtocols: [...client.alpn] }),
  })
  let connected = false
  const failed = (error: NodeJS.ErrnoException) => {
    if (connected) client.sessions?.forget(peer)
    events.failed(connected ? new HandshakeError(handshakeFailure(error)) : error)
  }
  socket.once('connect', () => {
    connected = true
    events.connected()
  })
  socket.once('error', failed)
  if (events.secret !== undefined) socket.on('keylog', (line) => events.secret?.(line.toString('latin1')))
  if (client.sessions !== null) keepSessions(socket, peer, client)
  socket.once('secureConnect', () => {
    socket.off('error', failed)
    const refusal = refusalOf(socket, client)
    if (refusal === null) return events.secured(socket)
    client.sessions?.forget(peer)
    // Nobody listens any more, and nothing that comes now is of interest.
    socket.on('error', () => {})
    events.failed(new HandshakeError({ kind: 'error', reason: 'tls_verify', message: refusal }))
  })
  return socket
}

function nobodyElse(): undefined {
  return undefined
}

/** Node gives a session once 'secureConnect' is over, for which a refused backend is not there any more. */
function keepSessions(socket: TLSSocket, peer: string, { sessions }: TlsClient): void {
  socket.on('session', (session) => {
    if (!socket.destroyed) sessions!.keep(peer, session)
  })
}

/** In nginx's words, at its levels. */
function handshakeFailure(error: NodeJS.ErrnoException): Failure {
  const text = opensslText(error)
  if (text !== null) {
    const level: Level = isExpected(text) ? 'error' : 'crit'
    return { kind: 'error', reason: 'tls_handshake', message: `SSL_do_handshake() failed (${text})`, level }
  }
  const why = error.errno === undefined ? '' : ` (${errnoText(error)})`
  return { kind: 'error', reason: 'tls_handshake', message: `peer closed connection in SSL handshake${why}` }
}
