// A backend that keeps the exact bytes of every request it receives and answers with the bytes it is told to.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { requestLength } from './framing.ts'

/** What a backend does about a request. A bare string or Buffer is `{ bytes }`. */
export interface Reply {
  /** Sent as they are (latin1); several are sent as separate writes, `gap` apart. */
  bytes?: string | Buffer | (string | Buffer)[]
  /** Milliseconds after each part (also before `after`), so that the peer reads them apart. Default 1. */
  gap?: number
  /** Afterwards: keep the connection (default), end it, or reset it. */
  after?: 'keep' | 'end' | 'reset'
  /** 'head': answer as soon as the head of the request is there, whatever its body. Default: the whole request. */
  when?: 'request' | 'head' | 'connect'
}

export type Answer = string | Buffer | Reply

/** One request as it arrived. */
export interface Received {
  bytes: Buffer
  /** Which connection brought it, counted from 0 since `reset()`. */
  connection: number
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

export class RawBackend {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Every complete request since `reset()`, in order of arrival. */
  readonly requests: Received[] = []
  /** Bytes of connections that ended before their request was complete. */
  readonly partial: Buffer[] = []
  /** Connections accepted since `reset()`. */
  connections = 0
  /** Answers every request, unless a function chooses by its bytes and number. */
  answer: Answer | ((request: Buffer, index: number) => Answer) = OK

  private constructor(server: Server) {
    this.#server = server
  }

  /** Listens on a free port of 127.0.0.1, or on `address` (a port of 127.0.0.1, or the path of a unix socket). */
  static async start(address: number | string = 0): Promise<RawBackend> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const backend = new RawBackend(server)
    server.on('connection', (socket) => backend.#accept(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      if (typeof address === 'string') server.listen(address, resolve)
      else server.listen(address, '127.0.0.1', resolve)
    })
    return backend
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** `127.0.0.1:port`, as it is written in a configuration. */
  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** How many connections are open now. */
  get open(): number {
    return this.#sockets.size
  }

  /** Forgets what was received, drops open connections and answers with `answer` from now on. */
  reset(answer: RawBackend['answer'] = OK): void {
    this.requests.length = 0
    this.partial.length = 0
    this.connections = 0
    this.answer = answer
    this.dropConnections()
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  async stop(): Promise<void> {
    this.dropConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(socket: Socket): void {
    const connection = this.connections++
    this.#sockets.add(socket)
    let pending: Buffer = Buffer.alloc(0)
    let answered = false
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (pending.length > 0) this.partial.push(pending)
    })
    socket.on('end', () => socket.end())
    if (this.#reply(Buffer.alloc(0)).when === 'connect') {
      answered = true
      void send(socket, this.#reply(pending))
    }
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      if (!answered && this.#reply(pending).when === 'head' && pending.includes('\r\n\r\n')) {
        answered = true
        void send(socket, this.#reply(pending))
      }
      for (;;) {
        const length = requestLength(pending)
        if (length === null) return
        const bytes = pending.subarray(0, length)
        pending = pending.subarray(length)
        const reply = this.#reply(bytes)
        this.requests.push({ bytes: Buffer.from(bytes), connection })
        if (!answered) void send(socket, reply)
        answered = false
      }
    })
  }

  #reply(request: Buffer): Reply {
    const answer =
      typeof this.answer === 'function' ? this.answer(request, this.requests.length) : this.answer
    return typeof answer === 'string' || Buffer.isBuffer(answer) ? { bytes: answer } : answer
  }
}

async function send(socket: Socket, reply: Reply): Promise<void> {
  const parts = Array.isArray(reply.bytes) ? reply.bytes : [reply.bytes ?? '']
  for (const part of parts) {
    if (part.length > 0) await write(socket, part, reply.gap ?? 1)
  }
  if (reply.after === 'end') socket.end()
  else if (reply.after === 'reset') socket.resetAndDestroy()
}

function write(socket: Socket, part: string | Buffer, gap: number): Promise<void> {
  const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
  return new Promise((resolve) => socket.write(bytes, () => setTimeout(resolve, gap)))
}
