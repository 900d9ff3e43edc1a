// A connection with TLS on it, from the first packet to the end of the handshake, for requests and for health checks:
// the backend's certificate is checked before anything is sent to it.

import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { connect as secure, type TLSSocket } from 'node:tls'
import { errnoText } from '../../../shared/errno.ts'
import type { Level } from '../../../shared/error-log.ts'
import { isExpected, opensslText } from '../../tls/openssl-error.ts'
import type { Failure } from '../next.ts'
import type { TlsClient } from './client.ts'
import type { SessionCache } from './sessions.ts'
import { refusalOf } from './verify.ts'

/** Told how it goes: the first two in this order, `failed` at most once and instead of what has not come by then. */
export interface HandshakeEvents {
  /** The connection is there; the handshake begins. */
  connected(): void
  /**
   * The backend is who it should be: called as the handshake ends, when nothing has been read yet. The socket on the
   * connection `beneath` it has no listeners any more but what keeps its sessions.
   */
  secured(socket: TLSSocket, beneath: Socket): void
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

/** Connects to where `where` says, which the sessions kept know as `peer`. Gives what closes it until it is secured. */
export function connectSecurely(
  where: NetConnectOpts,
  peer: string,
  client: TlsClient,
  events: HandshakeEvents,
): () => void {
  const beneath = connect(where)
  let socket: TLSSocket | null = null
  const failed = (error: NodeJS.ErrnoException) => events.failed(error)
  beneath.once('error', failed)
  beneath.once('connect', () => {
    beneath.off('error', failed)
    events.connected()
    // The owner may have had enough by now.
    if (!beneath.destroyed) socket = shakeHands(beneath, peer, client, events)
  })
  return () => (socket ?? beneath).destroy()
}

function shakeHands(beneath: Socket, peer: string, client: TlsClient, events: HandshakeEvents): TLSSocket {
  const session = client.sessions?.get(peer) ?? null
  const socket = secure({
    socket: beneath,
    // Node takes a session for no other host than the one it was made with.
    host: peer,
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
  const failed = (error: NodeJS.ErrnoException) => {
    client.sessions?.forget(peer)
    events.failed(new HandshakeError(handshakeFailure(error)))
  }
  socket.once('error', failed)
  if (events.secret !== undefined) socket.on('keylog', (line) => events.secret?.(line.toString('latin1')))
  if (client.sessions !== null) keepSessions(socket, peer, client.sessions)
  socket.once('secureConnect', () => {
    socket.off('error', failed)
    const refusal = refusalOf(socket, client)
    if (refusal === null) return events.secured(socket, beneath)
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
function keepSessions(socket: TLSSocket, peer: string, sessions: SessionCache): void {
  socket.on('session', (session) => {
    if (!socket.destroyed) sessions.keep(peer, session)
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
