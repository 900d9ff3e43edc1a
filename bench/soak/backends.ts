// The backends of the soak, in its own process: two that always work, and one that closes its listener and resets all
// its connections every few seconds, to come back a moment later.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { drained, PatternCheck, patternAt } from './pattern.ts'

const UP = 4000
const DOWN = 1000

/** A backend; `path` says what it does: see `answer`. */
export class Backend {
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  #timer: NodeJS.Timeout | null = null
  port = 0

  async start(): Promise<void> {
    const server = createServer({ keepAliveTimeout: 60_000 }, answer)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    })
    server.on('upgrade', tunnel)
    server.listen({ port: this.port, host: '127.0.0.1' })
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Dies and comes back for ever. */
  beFlaky(): void {
    this.#timer = setTimeout(() => {
      this.#die()
      this.#timer = setTimeout(() => {
        // Another process may have taken the port meanwhile: then the backend stays down for one more round.
        this.start().then(
          () => this.beFlaky(),
          () => this.beFlaky(),
        )
      }, DOWN)
    }, UP)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#die()
  }

  #die(): void {
    this.#server?.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
}

/**
 * `/bytes/N` N bytes with a length; `/chunked/N` without one; `/echo` the request's body; `/count` how much of it came
 * and whether it was the pattern; `/cut/N` half of N bytes, then a reset; `/hang` nothing; `/redirect` a 302; anything
 * else 404.
 */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, action, size = '0'] = request.url!.split(/[/?]/)
  const length = Number(size)
  request.on('error', () => {})
  response.on('error', () => {})
  if (action === 'echo') return void echo(request, response)
  if (action === 'count') return count(request, response)
  request.resume()
  if (action === 'hang') return
  if (action === 'redirect') {
    response.writeHead(302, { location: `http://${request.headers.host}/bytes/1`, 'content-length': 0 }).end()
  } else if (action === 'bytes' || action === 'cut') {
    response.writeHead(200, { 'content-length': length })
    if (action === 'bytes') void send(response, length)
    else void send(response, length >> 1, () => void response.socket?.resetAndDestroy())
  } else if (action === 'chunked') {
    response.writeHead(200)
    void send(response, length)
  } else {
    response.writeHead(404, { 'content-length': 0 }).end()
  }
}

async function send(
  response: ServerResponse,
  length: number,
  last = () => void response.end(),
): Promise<void> {
  for (let at = 0; at < length && !response.destroyed; ) {
    const piece = patternAt(at, length - at)
    at += piece.length
    if (!response.write(piece)) await drained(response)
  }
  last()
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const length = request.headers['content-length']
  response.writeHead(200, length === undefined ? {} : { 'content-length': length })
  request.pipe(response)
}

function count(request: IncomingMessage, response: ServerResponse): void {
  const check = new PatternCheck()
  request.on('data', (chunk: Buffer) => check.add(chunk))
  request.on('end', () => response.end(`${check.length} ${check.right ? 'right' : 'wrong'}`))
}

/** Accepts every upgrade and sends back what comes. */
function tunnel(_request: IncomingMessage, socket: Socket): void {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n')
  socket.pipe(socket)
}
