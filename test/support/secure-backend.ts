// A backend that speaks TLS, and notes what each request came by: which name was asked for, which certificate was shown,
// whether the session is one from before.

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { requestLength } from './framing.ts'

/** One request, and the connection it came by. */
export interface SecureRequest {
  text: string
  /** Which connection brought it, counted from 0. */
  connection: number
  /** SNI; '' for none. */
  serverName: string
  protocol: string
  cipher: string
  reused: boolean
  /** Common name in the certificate of the client; '' without one. */
  client: string
  alpn: string
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

export class SecureBackend {
  readonly #server: Server
  readonly #sockets = new Set<TLSSocket>()
  readonly requests: SecureRequest[] = []
  /** Connections whose handshake is over. */
  connections = 0
  /** Handshakes that failed. */
  failures: NodeJS.ErrnoException[] = []
  /** Answers each request; default: a 200 with the body `ok`. */
  answer: (socket: TLSSocket, request: SecureRequest) => void = (socket) => socket.write(OK, 'latin1')

  private constructor(server: Server) {
    this.#server = server
    server.on('secureConnection', (socket) => this.#accept(socket))
    server.on('tlsClientError', (error) => this.failures.push(error))
  }

  /** Listens on a free port of 127.0.0.1, or on a unix socket. */
  static async start(options: TlsOptions, path?: string): Promise<SecureBackend> {
    const server = createServer({ ALPNProtocols: ['http/1.1'], ...options })
    const backend = new SecureBackend(server)
    await new Promise<void>((done) => {
      if (path === undefined) server.listen(0, '127.0.0.1', done)
      else server.listen(path, done)
    })
    return backend
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Forgets what came so far, and closes every connection. */
  reset(): void {
    this.requests.length = 0
    this.failures.length = 0
    this.connections = 0
    this.dropConnections()
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.dropConnections()
    await new Promise((done) => this.#server.close(done))
  }

  #accept(socket: TLSSocket): void {
    const connection = this.connections++
    this.#sockets.add(socket)
    let pending = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes])
      const length = requestLength(pending)
      if (length === null) return
      const request = this.#describe(socket, pending.toString('latin1', 0, length), connection)
      pending = pending.subarray(length)
      this.requests.push(request)
      this.answer(socket, request)
    })
  }

  #describe(socket: TLSSocket, text: string, connection: number): SecureRequest {
    const { servername } = socket as TLSSocket & { servername: string | false | null }
    const { CN: client = '' } = (socket.getPeerCertificate().subject ?? {}) as { CN?: string }
    return {
      text,
      connection,
      serverName: servername || '',
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      reused: socket.isSessionReused(),
      client,
      alpn: socket.alpnProtocol || '',
    }
  }
}
