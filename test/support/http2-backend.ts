// A backend of HTTP/2 that answers each path with the bytes it is told to, right or wrong. Shares nothing with the
// sources.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { END_HEADERS, END_STREAM, PREFACE, settings, settingsAck, TYPES } from './http2-bytes.ts'
import { type Field, HpackReader } from './http2-hpack.ts'

/** What is sent for a request. A Buffer alone is `{ bytes }`. */
export interface Script {
  bytes?: Buffer
  /** Afterwards: keep the connection (default), end it, or reset it. */
  after?: 'keep' | 'end' | 'reset'
  /** Not even SETTINGS come before. */
  bare?: true
  /** Wait for the end of the request, not its head only. */
  whole?: true
}

/** Makes the answer for a stream of a connection. */
export type MakeScript = (stream: number, connection: number) => Script | Buffer

/** A request, as far as it has come. */
export interface SeenRequest {
  readonly connection: number
  readonly stream: number
  readonly fields: Field[]
  /** Content so far. */
  readonly body: string
  readonly parts: string[]
  ended: boolean
}

class Seen implements SeenRequest {
  readonly connection: number
  readonly stream: number
  readonly fields: Field[]
  readonly parts: string[] = []
  ended = false

  constructor(connection: number, stream: number, fields: Field[]) {
    this.connection = connection
    this.stream = stream
    this.fields = fields
  }

  get body(): string {
    return this.parts.join('')
  }
}

/** One frame as it came. */
export interface SeenFrame {
  readonly connection: number
  readonly type: string
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export class Http2Backend {
  /** By path, up to a query. */
  readonly scripts: Record<string, MakeScript>
  readonly requests: SeenRequest[] = []
  readonly frames: SeenFrame[] = []
  connections = 0
  /** Connections that are over. */
  closed = 0
  readonly sockets: Socket[] = []
  /** Sent with SETTINGS on each connection. */
  settings: (readonly [id: number, value: number])[] = []
  readonly #server: Server

  private constructor(server: Server, scripts: Record<string, MakeScript>) {
    this.#server = server
    this.scripts = scripts
  }

  static async start(scripts: Record<string, MakeScript> = {}): Promise<Http2Backend> {
    const server = createServer({ noDelay: true })
    const backend = new Http2Backend(server, scripts)
    server.on('connection', (socket) => backend.#accept(socket))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return backend
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy()
    this.#server.close()
  }

  #accept(socket: Socket): void {
    const connection = this.connections++
    this.sockets.push(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.closed++)
    const hpack = new HpackReader()
    const streams = new Map<number, SeenRequest>()
    let bytes = Buffer.alloc(0)
    let started = false
    socket.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part])
      if (!started) {
        if (bytes.length < PREFACE.length) return
        if (!bytes.subarray(0, PREFACE.length).equals(PREFACE)) return void socket.destroy()
        bytes = bytes.subarray(PREFACE.length)
        started = true
      }
      while (bytes.length >= 9) {
        const length = bytes.readUIntBE(0, 3)
        if (bytes.length < 9 + length) return
        const frame = {
          connection,
          type: TYPES[bytes[3]!] ?? String(bytes[3]),
          flags: bytes[4]!,
          stream: bytes.readUInt32BE(5),
          payload: Buffer.from(bytes.subarray(9, 9 + length)),
        }
        bytes = bytes.subarray(9 + length)
        this.frames.push(frame)
        this.#take(frame, socket, hpack, streams)
      }
    })
  }

  #take(frame: SeenFrame, socket: Socket, hpack: HpackReader, streams: Map<number, SeenRequest>): void {
    const { type, flags, stream, payload, connection } = frame
    if (type === 'HEADERS') {
      if ((flags & END_HEADERS) === 0) throw new Error('a head in several frames is not read here')
      const request = new Seen(connection, stream, hpack.decode(payload))
      this.requests.push(request)
      streams.set(stream, request)
      this.#answer(request, socket, stream === 1, false)
    }
    const request = streams.get(stream)
    if (request === undefined) return
    if (type === 'DATA') request.parts.push(payload.toString('latin1'))
    if ((type === 'DATA' || type === 'HEADERS') && flags & END_STREAM) {
      request.ended = true
      this.#answer(request, socket, stream === 1, true)
    }
  }

  #answer(request: SeenRequest, socket: Socket, first: boolean, whole: boolean): void {
    const path = request.fields.find(([name]) => name === ':path')![1].replace(/\?.*/, '')
    const make = this.scripts[path]
    if (make === undefined) throw new Error(`no script for ${path}`)
    const made = make(request.stream, request.connection)
    const script: Script = Buffer.isBuffer(made) ? { bytes: made } : made
    if ((script.whole === true) !== whole) return
    if (first && script.bare !== true)
      socket.write(Buffer.concat([settings(...this.settings), settingsAck()]))
    if (script.bytes !== undefined) socket.write(script.bytes)
    if (script.after === 'end') socket.end()
    if (script.after === 'reset') socket.resetAndDestroy()
  }
}
