// A client that speaks bytes: what is sent is exactly what the test says, what came back is returned whole.

import { connect, type Socket } from 'node:net'
import { requestLength, requestMethod, responseLength } from './framing.ts'

export interface RawOptions {
  /** Default 127.0.0.1. A path connects to a unix socket. */
  host?: string
  /** How many final responses to wait for, or 'close': until the server ends the connection. Default 1. */
  until?: number | 'close'
  /** Methods of the requests, where they cannot be read from what is sent. */
  methods?: string[]
  /** End our side once everything is sent. */
  halfClose?: boolean
  /** Milliseconds; default 10 000. */
  limit?: number
}

/** What came back. */
export interface RawAnswer {
  bytes: Buffer
  /** The server ended the connection (only known where `until` is 'close', or when it came early). */
  closed: boolean
  /** ... with a reset. */
  reset: boolean
}

/**
 * Sends `parts` one after the other (each after the one before has left) on a new connection; resolves when the
 * responses are complete or the connection ends, and rejects when neither comes.
 */
export function rawRequest(
  port: number,
  parts: string | Buffer | readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<RawAnswer> {
  const buffers = (Array.isArray(parts) ? parts : [parts]).map(toBuffer)
  const until = options.until ?? 1
  const methods = options.methods ?? methodsOf(Buffer.concat(buffers))
  return new Promise((resolve, reject) => {
    const socket = open(port, options.host ?? '127.0.0.1')
    let received: Buffer = Buffer.alloc(0)
    let reset = false
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no complete answer, so far: ${JSON.stringify(received.toString('latin1'))}`))
    }, options.limit ?? 10_000)
    const finish = (closed: boolean): void => {
      clearTimeout(timer)
      resolve({ bytes: received, closed, reset })
      socket.destroy()
    }
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (until !== 'close' && hasResponses(received, methods, until)) finish(false)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') reset = true
      else reject(error)
    })
    socket.on('close', () => finish(true))
    socket.on('connect', () => void sendAll(socket, buffers, options.halfClose ?? false))
  })
}

/** The methods of the requests in `bytes`, as far as they are whole. */
function methodsOf(bytes: Buffer): string[] {
  const methods: string[] = []
  let rest = bytes
  while (rest.length > 0) {
    methods.push(requestMethod(rest))
    const length = requestLength(rest)
    if (length === null) break
    rest = rest.subarray(length)
  }
  return methods
}

/** Whether `bytes` hold `count` final responses to requests with these methods. */
export function hasResponses(bytes: Buffer, methods: readonly string[], count: number): boolean {
  let rest = bytes
  for (let index = 0; index < count; index++) {
    const length = responseLength(rest, methods[index] ?? 'GET')
    if (length === null) return false
    rest = rest.subarray(length)
  }
  return true
}

function open(port: number, host: string): Socket {
  return host.startsWith('/')
    ? connect({ path: host, noDelay: true })
    : connect({ port, host, noDelay: true })
}

function toBuffer(part: string | Buffer): Buffer {
  return typeof part === 'string' ? Buffer.from(part, 'latin1') : part
}

async function sendAll(socket: Socket, parts: readonly Buffer[], end: boolean): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed || !socket.writable) return
    // The pause lets the server on loopback read the parts apart.
    await new Promise<void>((resolve) => socket.write(part, () => setTimeout(resolve, 2)))
  }
  if (end && !socket.destroyed) socket.end()
}
