// A client of HTTP/2 that sends any bytes, frames written by hand among them (http2-bytes.ts), and waits for what comes
// back frame by frame: by prior knowledge on plain TCP, or over TLS with ALPN. Shares nothing with the sources.

import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import {
  CODES,
  END_HEADERS,
  END_STREAM,
  INITIAL_WINDOW_SIZE,
  MAX_FRAME_SIZE,
  PADDED,
  PREFACE,
  PRIORITY,
  ping,
  settings,
  settingsAck,
  TYPES,
  windowUpdate,
} from './http2-bytes.ts'
import { type Field, HpackReader } from './http2-hpack.ts'

const LIMIT = 10_000
/** Large enough for everything, and far from what windows may be. */
const OPEN = 2 ** 30

/** One frame as it came. */
export interface RawFrame {
  type: string
  flags: number
  stream: number
  payload: Buffer
}

/** What has come on a stream so far. */
export interface RawResponse {
  status: number
  /** Without `:status`. */
  fields: Field[]
  body: string
  /** Bytes of DATA. */
  length: number
  trailers: Field[] | null
  /** Statuses and fields of interim responses. */
  interim: Field[][]
  ended: boolean
  /** The code of a RST_STREAM. */
  reset: string | null
}

export interface RawOptions {
  /** What is sent first; default the preface and a SETTINGS frame of `settings`. */
  first?: Buffer | null
  settings?: (readonly [id: number, value: number])[]
  /** false: SETTINGS are not acknowledged. */
  acknowledge?: boolean
  /** The windows of this side, for the connection and each stream; default: larger than all bodies. */
  windows?: 'open' | 'as they are'
  /** false: DATA is counted and not kept. */
  keep?: boolean
  tls?: ConnectionOptions
}

export class Http2Raw {
  readonly socket: Socket
  /** All frames received, without the payload of DATA when it is not kept. */
  readonly frames: RawFrame[] = []
  readonly responses = new Map<number, RawResponse>()
  /** What is wrong about what the server sends; '' while nothing is. */
  violation = ''
  closed = false
  ended = false
  /** The connection was reset. */
  wasReset = false
  /** Bytes of DATA on all streams. */
  received = 0
  readonly hpack = new HpackReader()
  readonly #options: RawOptions
  /** RFC 9113 section 4.2: what this side takes. */
  readonly #largest: number
  readonly #waiting = new Set<() => void>()
  #pending: Buffer = Buffer.alloc(0)
  #block: { stream: number; flags: number; parts: Buffer[] } | null = null
  #pings = 0

  private constructor(socket: Socket, options: RawOptions) {
    this.socket = socket
    this.#options = options
    this.#largest = options.settings?.find(([id]) => id === MAX_FRAME_SIZE)?.[1] ?? 16_384
    socket.on('data', (bytes: Buffer) => {
      this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
      this.#readFrames()
      this.#changed()
    })
    socket.on('end', () => {
      this.ended = true
      this.#changed()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') this.wasReset = true
    })
    socket.on('close', () => {
      this.closed = true
      this.#changed()
    })
  }

  /** Connects to a port of 127.0.0.1, and sends the preface. */
  static async connect(port: number, options: RawOptions = {}): Promise<Http2Raw> {
    const to = { port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }
    const socket =
      options.tls === undefined
        ? connect(to)
        : connectTls({ ALPNProtocols: ['h2'], rejectUnauthorized: false, ...to, ...options.tls })
    const event = options.tls === undefined ? 'connect' : 'secureConnect'
    await new Promise<void>((done, fail) => socket.once(event, done).once('error', fail))
    const client = new Http2Raw(socket, options)
    if (options.first === null) return client
    const { windows = 'open' } = options
    const own = windows === 'open' ? [[INITIAL_WINDOW_SIZE, OPEN] as const] : []
    const first = options.first ?? Buffer.concat([PREFACE, settings(...own, ...(options.settings ?? []))])
    client.send(first, windows === 'open' && options.first === undefined ? windowUpdate(0, OPEN) : '')
    return client
  }

  /** Sends bytes (latin1 text) in one write. */
  send(...parts: (Buffer | string)[]): void {
    const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(Buffer.concat(bytes))
  }

  /** Sends as `send`, and resolves when the system has taken the bytes, or the connection is gone. */
  async sendAll(bytes: Buffer): Promise<void> {
    if (this.socket.destroyed) return
    await new Promise<void>((done) => {
      this.socket.once('close', done)
      this.socket.write(bytes, () => {
        this.socket.off('close', done)
        done()
      })
    })
  }

  /** Sends each part so that a server in this process reads it by itself. */
  async sendApart(parts: Iterable<Buffer>): Promise<void> {
    for (const part of parts) {
      await this.sendAll(part)
      // Behind the next look at sockets, wherever in a turn of the event loop this is.
      for (let turns = 0; turns < 2; turns++) await new Promise((done) => setImmediate(done))
    }
  }

  destroy(reset = false): void {
    if (reset) this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  /** Resolves once `check` gives something; rejects when the connection is gone before, or nothing comes. */
  async when<T>(what: string, check: () => T | null | undefined | false): Promise<T> {
    return new Promise<T>((done, fail) => {
      const timer = setTimeout(() => finish(null, `no ${what}`), LIMIT)
      const finish = (value: T | null, problem = ''): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        if (problem === '') done(value as T)
        else fail(new Error(`${problem}; so far: ${this.shown()}`))
      }
      const look = (): void => {
        const value = check()
        if (value !== null && value !== undefined && value !== false) finish(value)
        else if (this.violation !== '') finish(null, `the server sent ${this.violation}`)
        else if (this.closed) finish(null, `closed before ${what}`)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** The first frame of a type (on a stream, if one is given) that has come or comes. */
  frame(type: string, stream?: number): Promise<RawFrame> {
    return this.when(`${type} ${stream ?? ''}`, () => this.find(type, stream))
  }

  find(type: string, stream?: number): RawFrame | undefined {
    return this.frames.find((one) => one.type === type && (stream === undefined || one.stream === stream))
  }

  /** How many frames of a type have come. */
  count(type: string): number {
    return this.frames.filter((one) => one.type === type).length
  }

  /** The last GOAWAY, once one with an error has come: its code, last stream and debug data. */
  async goaway(): Promise<{ code: string; last: number; debug: string }> {
    return this.when('GOAWAY', () => this.lastGoaway())
  }

  lastGoaway(): { code: string; last: number; debug: string } | null {
    const last = this.frames.findLast((one) => one.type === 'GOAWAY')
    if (last === undefined) return null
    const { payload } = last
    const debug = payload.subarray(8).toString('latin1')
    return { code: codeName(payload.readUInt32BE(4)), last: payload.readUInt32BE(0), debug }
  }

  /** The response on a stream, once it is complete. */
  response(stream: number): Promise<RawResponse> {
    return this.when(`response on ${stream}`, () => {
      const response = this.responses.get(stream)
      return response?.ended === true ? response : null
    })
  }

  /** The response on a stream, once its head is there. */
  head(stream: number): Promise<RawResponse> {
    return this.when(`head on ${stream}`, () => {
      const response = this.responses.get(stream)
      return response !== undefined && response.status > 0 ? response : null
    })
  }

  /**
   * How the server took what was sent, in one line: `GOAWAY <code>`, `RST_STREAM <code>` on the stream, the status of
   * the complete response on it, or `closed`.
   */
  outcome(stream: number): Promise<string> {
    return this.when(`outcome of ${stream}`, () => {
      const response = this.responses.get(stream)
      if (response?.ended) return String(response.status)
      if (typeof response?.reset === 'string') return `RST_STREAM ${response.reset}`
      const goaway = this.lastGoaway()
      if (goaway !== null && goaway.code !== 'NO_ERROR') return `GOAWAY ${goaway.code}`
      return this.closed || this.ended ? 'closed' : null
    })
  }

  /** Resolves when all that was sent before has been read: a PING comes back. */
  async pong(): Promise<void> {
    const text = `sync${String(++this.#pings).padStart(4, '0')}`
    this.send(ping(text))
    await this.when(`PING ${text}`, () =>
      this.frames.some((one) => one.type === 'PING' && one.payload.toString('latin1') === text),
    )
  }

  /** Resolves when the server has closed the connection; the client's side ends with it. */
  async untilClosed(): Promise<void> {
    await this.when('the end', () => this.ended || this.closed)
    this.socket.end()
    await this.when('the close', () => this.closed)
  }

  /** The frames received, in words. */
  shown(): string {
    const shown = this.frames.slice(-40).map((one) => {
      const { type, flags, stream, payload } = one
      const code = type === 'RST_STREAM' ? codeName(payload.readUInt32BE(0)) : ''
      const goaway = type === 'GOAWAY' ? codeName(payload.readUInt32BE(4)) : ''
      return `${type} ${stream} flags=${flags} length=${payload.length} ${code}${goaway}`.trim()
    })
    return `[${shown.join(', ')}]${this.closed ? ' closed' : ''}`
  }

  #readFrames(): void {
    let at = 0
    for (const bytes = this.#pending; bytes.length - at >= 9; ) {
      const length = bytes.readUIntBE(at, 3)
      if (bytes.length - at < 9 + length) break
      const type = TYPES[bytes[at + 3]!] ?? `type ${bytes[at + 3]}`
      const payload = Buffer.from(bytes.subarray(at + 9, at + 9 + length))
      const stream = bytes.readUInt32BE(at + 5)
      this.#take({ type, flags: bytes[at + 4]!, stream, payload })
      at += 9 + length
    }
    this.#pending = this.#pending.subarray(at)
  }

  #take(one: RawFrame): void {
    const { type, flags, stream, payload } = one
    const keep = this.#options.keep !== false || type !== 'DATA'
    if (payload.length > this.#largest) this.#violated(`a ${type} frame of ${payload.length} bytes`)
    this.frames.push(keep ? one : { ...one, payload: Buffer.alloc(0) })
    if (this.frames.length === 1 && (type !== 'SETTINGS' || flags !== 0)) this.#violated(`${type} first`)
    if (this.#block !== null && (type !== 'CONTINUATION' || this.#block.stream !== stream)) {
      this.#violated(`${type} inside a block`)
    }
    if (type === 'SETTINGS' && flags === 0 && this.#options.acknowledge !== false) this.send(settingsAck())
    if (type === 'DATA') this.#takeData(one)
    else if (type === 'RST_STREAM') this.#stream(stream).reset ??= codeName(payload.readUInt32BE(0))
    else if (type === 'HEADERS') {
      const trimmed = unpadded(one)
      const fragment = (flags & PRIORITY) !== 0 ? trimmed.subarray(5) : trimmed
      this.#block = { stream, flags, parts: [fragment] }
      if ((flags & END_HEADERS) !== 0) this.#takeBlock()
    } else if (type === 'CONTINUATION') {
      if (this.#block === null) return this.#violated('CONTINUATION without HEADERS')
      this.#block.parts.push(payload)
      if ((flags & END_HEADERS) !== 0) this.#takeBlock()
    }
  }

  #takeData(one: RawFrame): void {
    const response = this.#stream(one.stream)
    if (response.status === 0) this.#violated(`DATA before a head on ${one.stream}`)
    if (response.ended || response.reset !== null) this.#violated(`DATA behind the end of ${one.stream}`)
    const bytes = unpadded(one)
    response.length += bytes.length
    this.received += one.payload.length
    if (this.#options.keep !== false) response.body += bytes.toString('latin1')
    if ((one.flags & END_STREAM) !== 0) response.ended = true
  }

  #takeBlock(): void {
    const { stream, flags, parts } = this.#block!
    this.#block = null
    const response = this.#stream(stream)
    if (response.ended || response.reset !== null) this.#violated(`HEADERS behind the end of ${stream}`)
    try {
      this.#takeFields(response, this.hpack.decode(Buffer.concat(parts)), (flags & END_STREAM) !== 0)
    } catch (error) {
      this.#violated(`a block with ${(error as Error).message}`)
    }
  }

  /** RFC 9113 sections 8.1 and 8.2: what a response may be. */
  #takeFields(response: RawResponse, fields: Field[], last: boolean): void {
    const wrong = fields.find(
      ([name, value]) => /[^!-9;-@[-~]/.test(name.replace(/^:/, '')) || /[\r\n\0]|^[ \t]|[ \t]$/.test(value),
    )
    if (wrong !== undefined) this.#violated(`a field ${JSON.stringify(wrong)}`)
    if (fields.some(([name]) => CONNECTION_FIELDS.has(name))) this.#violated('a connection-specific field')
    if (response.status > 0) {
      if (!last || fields.some(([name]) => name.startsWith(':'))) this.#violated('trailers that are none')
      response.trailers = fields
    } else if (fields[0]?.[0] !== ':status' || fields.slice(1).some(([name]) => name.startsWith(':'))) {
      this.#violated(`a head of ${JSON.stringify(fields.slice(0, 3))}`)
    } else if (/^1/.test(fields[0][1])) {
      if (last) this.#violated('an interim response as the last')
      response.interim.push(fields)
    } else {
      response.status = Number(fields[0][1])
      response.fields = fields.slice(1)
    }
    if (last) response.ended = true
  }

  #stream(stream: number): RawResponse {
    let response = this.responses.get(stream)
    if (response === undefined) {
      response = {
        ...{ status: 0, fields: [], body: '', length: 0, trailers: null, interim: [] },
        ...{ ended: false, reset: null },
      }
      this.responses.set(stream, response)
    }
    return response
  }

  #violated(what: string): void {
    if (this.violation === '') this.violation = what
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look()
  }
}

const CONNECTION_FIELDS = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'],
])

function unpadded({ flags, payload }: RawFrame): Buffer {
  return (flags & PADDED) === 0 ? payload : payload.subarray(1, payload.length - payload[0]!)
}

function codeName(code: number): string {
  return CODES[code] ?? `code ${code}`
}
