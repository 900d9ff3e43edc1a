// A backend in a thread of its own that closes its connections when it hurts most. Requests are told apart by an id in
// their path, /MODE/ID; the first request of a connection is always answered.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * When a connection ends: as the second request on it arrives, by FIN or RST; with that request unread; after it has
 * been read whole; or shortly after an answer, so that it crosses the next request on its way.
 */
export const MODES = ['fin', 'reset', 'unread', 'read', 'idle-fin', 'idle-reset'] as const
export type Mode = (typeof MODES)[number]

const PROGRAM = `
const { parentPort } = require('node:worker_threads')
const seen = new Map()
const ANSWER = 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok'
const close = (socket, reset) => (reset ? socket.resetAndDestroy() : socket.destroy())
const server = require('node:net').createServer({ noDelay: true }, (socket) => {
  let requests = 0
  let text = ''
  socket.on('error', () => {})
  socket.on('readable', () => {
    if (requests > 0 && socket.mode === 'unread') return close(socket, false)
    if (requests > 0 && (socket.mode === 'fin' || socket.mode === 'reset')) {
      // The first bytes are enough.
      if (socket.read(1) !== null) close(socket, socket.mode === 'reset')
      return
    }
    const bytes = socket.read()
    if (bytes === null) return
    text += bytes.toString('latin1')
    const end = text.indexOf('\\r\\n\\r\\n')
    if (end < 0) return
    const length = Number(/\\r\\ncontent-length: (\\d+)/i.exec(text)?.[1] ?? 0)
    if (text.length < end + 4 + length) return
    const [mode, number] = text.split(' ', 2)[1].slice(1).split('/')
    socket.mode = mode
    seen.set(number, (seen.get(number) ?? 0) + 1)
    text = ''
    if (requests > 0 && mode === 'read') return close(socket, false)
    requests++
    socket.write(ANSWER)
    if (mode.startsWith('idle')) setImmediate(() => setImmediate(() => close(socket, mode === 'idle-reset')))
  })
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
parentPort.on('message', () => {
  parentPort.postMessage([...seen])
  seen.clear()
})`

export class ClosingBackend {
  readonly address: string
  readonly #worker: Worker

  private constructor(port: number, worker: Worker) {
    this.address = `127.0.0.1:${port}`
    this.#worker = worker
  }

  static async start(): Promise<ClosingBackend> {
    const worker = new Worker(PROGRAM, { eval: true })
    return new ClosingBackend(await nextMessage<number>(worker), worker)
  }

  /** How often each request was read whole since the last call, by id. */
  async seen(): Promise<Map<string, number>> {
    this.#worker.postMessage(null)
    return new Map(await nextMessage<[string, number][]>(this.#worker))
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

async function nextMessage<T>(worker: Worker): Promise<T> {
  const [message] = (await once(worker, 'message')) as [T]
  return message
}
