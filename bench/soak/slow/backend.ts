// The backend of the slow part: sends and takes bodies as fast as the proxy lets it, and notes when it is asked and when
// the proxy has let go of it. One request a connection; `/down/ID/BYTES` is a download, `/up/ID` an upload.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { drained, PatternCheck, patternAt } from '../pattern.ts'

/** What became of a request here; times are milliseconds of `performance.now`. */
export interface Visit {
  /** The request's head has come. */
  asked: number
  /** The proxy has closed its side: the whole response is with it, or it has given up. 0: not yet. */
  released: number
  /** Of an upload: its body was complete, and what it was meant to be. */
  right: boolean
}

export class SlowBackend {
  readonly visits = new Map<number, Visit>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  /** Most connections at a time since `reset`. */
  peak = 0

  constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
  }

  async start(): Promise<number> {
    this.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  reset(): void {
    this.visits.clear()
    this.peak = 0
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    this.peak = Math.max(this.peak, this.#sockets.size)
    let head = ''
    let visit: Visit | null = null
    let upload: { left: number; check: PatternCheck } | null = null
    const answerUpload = (): void => {
      if (upload === null || visit === null || upload.left > 0) return
      visit.right = upload.left === 0 && upload.check.right
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    }
    const take = (bytes: Buffer): void => {
      if (upload === null) return
      upload.check.add(bytes)
      upload.left -= bytes.length
      answerUpload()
    }
    socket.on('data', (bytes: Buffer) => {
      if (visit !== null) return take(bytes)
      head += bytes.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      const [, action, id, size] = /^\S+ \/(\w+)\/(\d+)(?:\/(\d+))? /.exec(head) ?? []
      visit = { asked: performance.now(), released: 0, right: action === 'down' }
      this.visits.set(Number(id), visit)
      if (action === 'down') return void send(socket, Number(size))
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      upload = { left: length, check: new PatternCheck() }
      take(Buffer.from(head.slice(end + 4), 'latin1'))
    })
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (visit !== null) visit.released = performance.now()
    })
  }
}

async function send(socket: Socket, length: number): Promise<void> {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`)
  for (let at = 0; at < length && !socket.destroyed; ) {
    const piece = patternAt(at, length - at)
    at += piece.length
    if (!socket.write(piece)) await drained(socket)
  }
  socket.end()
}
