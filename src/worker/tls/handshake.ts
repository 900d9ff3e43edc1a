// A TLS handshake with a client, on a connection of which the first bytes have been read already.

import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import { errnoText } from '../../shared/errno.ts'
import type { Level } from '../../shared/error-log.ts'
import type { HandshakeEvents } from './handshake-events.ts'
import { isExpected, opensslText } from './openssl-error.ts'

/** Told how a handshake goes. */
export interface HandshakeOwner {
  /** It is over: called inside of OpenSSL, where nothing may be sent yet. Nothing is called after it. */
  secured(socket: TLSSocket, beneath: Socket): void
  /** It has failed, and the connection will close: what the log is told. */
  failed(level: Level, message: string): void
  /** The connection is closed, and the handshake was not over. */
  closed(): void
}

/** What a handshake is made with. */
export interface HandshakeOptions {
  readonly context: SecureContext
  /** Protocols as ALPN writes them (RFC 7301 section 3.1). */
  readonly alpn: Buffer
  /** Bytes of a record at most. */
  readonly bufferSize: number
  /** A certificate of the client is asked for. */
  readonly requestCert: boolean
  /** null: nothing is to be done meanwhile. */
  readonly events: HandshakeEvents | null
}

/** What nginx agrees to, with the most wanted first; old ones for the sake of those who ask for nothing else. */
const OVER_HTTP1 = ['http/1.1', 'http/1.0', 'http/0.9']
export const ALPN_HTTP1 = alpn(OVER_HTTP1)
export const ALPN_HTTP2 = alpn(['h2', ...OVER_HTTP1])

function alpn(names: readonly string[]): Buffer {
  return Buffer.from(names.map((name) => String.fromCharCode(name.length) + name).join(''), 'latin1')
}

const LARGEST_RECORD = 16384
const SMALLEST_RECORD = 512

/** Begins at once; its owner is told of its end. */
export class Handshake {
  readonly #socket: TLSSocket
  readonly #owner: HandshakeOwner
  #state: 'open' | 'failed' | 'over' = 'open'

  /** On `beneath` (paused), whose first bytes were `early`. */
  constructor(beneath: Socket, early: Buffer, options: HandshakeOptions, owner: HandshakeOwner) {
    this.#owner = owner
    beneath.unshift(early)
    const socket = new TLSSocket(beneath, {
      isServer: true,
      secureContext: options.context,
      ALPNProtocols: options.alpn,
      requestCert: options.requestCert,
      rejectUnauthorized: false,
      ...(options.events === null ? {} : { server: options.events }),
    })
    this.#socket = socket
    options.events?.belongsTo(socket)
    const { bufferSize } = options
    if (bufferSize < LARGEST_RECORD) socket.setMaxSendFragment(Math.max(bufferSize, SMALLEST_RECORD))
    socket.on('error', this.#error)
    socket.once('end', this.#ended)
    socket.once('close', this.#closed)
    socket.once('secure', () => this.#secured(beneath))
  }

  /** Ends it, and the connection. */
  destroy(): void {
    if (this.#state === 'over') return
    this.#state = 'failed'
    this.#socket.destroy()
  }

  #secured(beneath: Socket): void {
    if (this.#state !== 'open') return
    this.#state = 'over'
    const socket = this.#socket
    socket.off('error', this.#error)
    socket.off('end', this.#ended)
    socket.off('close', this.#closed)
    this.#owner.secured(socket, beneath)
  }

  readonly #ended = (): void => {
    this.#fail('info', 'peer closed connection in SSL handshake')
    this.#socket.destroy()
  }

  readonly #closed = (): void => {
    this.#fail('info', 'peer closed connection in SSL handshake')
    this.#owner.closed()
  }

  readonly #error = (error: NodeJS.ErrnoException): void => {
    const text = opensslText(error)
    if (text === null)
      return this.#fail('info', `peer closed connection in SSL handshake (${errnoText(error)})`)
    this.#fail(isExpected(text) ? 'info' : 'crit', `SSL_do_handshake() failed (${text})`)
  }

  #fail(level: Level, message: string): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#owner.failed(level, message)
  }
}
