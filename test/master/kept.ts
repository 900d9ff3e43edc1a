// A client connection that is kept open: one request after the other, and what becomes of it.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export class KeptConnection {
  readonly socket: Socket
  closed = false
  /** Resolves once the connection has ended, in whatever way. */
  readonly ended: Promise<void>
  #received = ''
  #arrived: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1')
      this.#arrived()
    })
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.closed = true
        this.#arrived()
        resolve()
      })
    })
  }

  /** `to`: a port on 127.0.0.1, or the path of a unix socket. */
  static async open(to: number | string): Promise<KeptConnection> {
    const socket = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to)
    await once(socket, 'connect')
    return new KeptConnection(socket)
  }

  send(text: string): void {
    this.socket.write(text)
  }

  /** The body of the answer to a GET; rejects when the connection ends first. Bodies need a Content-Length. */
  async get(path = '/'): Promise<string> {
    this.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    return this.answer()
  }

  /** The body of the next answer. */
  async answer(): Promise<string> {
    for (;;) {
      const match = /^HTTP\/1\.1 \d{3} [\s\S]*?\r\nContent-Length: (\d+)\r\n[\s\S]*?\r\n\r\n/.exec(
        this.#received,
      )
      if (match !== null) {
        const end = match[0].length + Number(match[1])
        if (this.#received.length >= end) {
          const body = this.#received.slice(match[0].length, end)
          this.#received = this.#received.slice(end)
          return body
        }
      }
      if (!this.closed) {
        await new Promise<void>((resolve) => {
          this.#arrived = resolve
        })
        continue
      }
      throw new Error(`connection ended, received: ${JSON.stringify(this.#received)}`)
    }
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Several at once. */
export function openKept(to: number | string, count: number): Promise<KeptConnection[]> {
  return Promise.all(Array.from({ length: count }, () => KeptConnection.open(to)))
}

/** Which worker a connection is served by, from its `$connection`: each worker counts in steps of this. */
const STRIDE = 1024

export function workerOf(connectionNumber: string): number {
  return Number(connectionNumber) % STRIDE
}
