// A backend that counts the requests it has at a time, and answers them when it is told to.

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class HoldingBackend {
  /** Requests that wait for their answer. */
  current = 0
  /** The most there ever were at a time. */
  most = 0
  /** All requests that came. */
  total = 0
  /** false: every request is answered in the turn of the event loop after it has come. */
  holds = true
  readonly #server: Server
  readonly #held = new Set<ServerResponse>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<HoldingBackend> {
    const server = createServer()
    const backend = new HoldingBackend(server)
    server.on('request', (_request, response) => backend.#take(response))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return backend
  }

  /** `127.0.0.1:port` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Answers all that wait. */
  release(): void {
    for (const response of this.#held) this.#answer(response)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  #take(response: ServerResponse): void {
    this.#held.add(response)
    this.total++
    this.most = Math.max(this.most, ++this.current)
    // Whoever asked has gone away.
    response.on('close', () => this.#forget(response))
    if (!this.holds) setImmediate(() => this.#answer(response))
  }

  #answer(response: ServerResponse): void {
    if (this.#forget(response)) response.end('ok')
  }

  #forget(response: ServerResponse): boolean {
    if (!this.#held.delete(response)) return false
    this.current--
    return true
  }
}
