// A backend as cheap as Node allows, for machines without nginx: every answer is one prepared buffer, a request is
// recognised by its path alone, and its body is skipped. Run as a process of its own: responder.ts PORT.

import { createServer, type Socket } from 'node:net'
import { contentOf } from './content.ts'
import { MANY_PATH } from './many.ts'
import { BACKEND_ADDRESSES, BACKEND_BYTES, type BackendPath } from './scenario.ts'

const answers = Object.entries(BACKEND_BYTES).map(
  ([path, bytes]) =>
    [
      path.startsWith(MANY_PATH) ? MANY_PATH : `${path} `,
      Buffer.from(
        `HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: ${path === '/json' ? 'application/json' : 'text/plain'}\r\nContent-Length: ${bytes}\r\n\r\n${contentOf(path as BackendPath)}`,
        'latin1',
      ),
    ] as const,
)
const missing = Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'latin1')

/** Answers the requests of one connection; a proxy sends the next one only after an answer. */
class Exchange {
  readonly #socket: Socket
  #head = ''
  /** Bytes of the request body still to come. */
  #body = 0
  #answer = missing

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  #read(chunk: Buffer): void {
    if (this.#body > 0) {
      this.#skip(chunk.length)
      return
    }
    this.#head += chunk.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#head
    this.#head = ''
    const target = head.indexOf('/')
    this.#answer = answers.find(([path]) => head.startsWith(path, target))?.[1] ?? missing
    if (head.charCodeAt(0) === 0x47 /* GET */) {
      this.#socket.write(this.#answer)
      return
    }
    this.#body = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
    this.#skip(head.length - end - 4)
  }

  #skip(bytes: number): void {
    this.#body -= bytes
    if (this.#body <= 0) this.#socket.write(this.#answer)
  }
}

for (const host of BACKEND_ADDRESSES) {
  createServer((socket) => {
    new Exchange(socket)
  }).listen({ port: Number(process.argv[2]), host, backlog: 4096 })
}
