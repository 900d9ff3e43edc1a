// One end of a real connection under the test's control, byte by byte: a client of the engine, or the backend behind
// it. Everything is waited for by what arrives, not by time.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const LIMIT = 10_000

export class Peer {
  readonly socket: Socket
  /** Everything received, latin1. */
  received = ''
  /** Bytes received. */
  count = 0
  /** The other side has ended. */
  ended = false
  closed = false
  /** The connection was reset. */
  reset = false
  readonly #waiting = new Set<() => void>()
  readonly #keep: boolean

  /** `keep`: false counts bytes without keeping them, for large bodies. */
  constructor(socket: Socket, keep = true) {
    this.socket = socket
    this.#keep = keep
    socket.on('data', (bytes: Buffer) => {
      this.count += bytes.length
      if (this.#keep) this.received += bytes.toString('latin1')
      this.#changed()
    })
    socket.on('end', () => {
      this.ended = true
      this.#changed()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.reset = true
    })
    socket.on('close', () => {
      this.closed = true
      this.#changed()
    })
  }

  /** Connects to a port of 127.0.0.1. */
  static async connect(port: number, options: { keep?: boolean; paused?: boolean } = {}): Promise<Peer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const peer = new Peer(socket, options.keep ?? true)
    if (options.paused) socket.pause()
    await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail))
    return peer
  }

  /** Sends latin1 text or bytes; resolves when the system has taken them. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((done) => {
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => done())
    })
  }

  /** Ends our side. */
  end(): void {
    this.socket.end()
  }

  /** Closes both sides; `reset` with RST. */
  destroy(reset = false): void {
    if (reset) this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  /** Resolves once `check` holds; rejects when the connection is gone before, or nothing comes. */
  async when(what: string, check: () => boolean): Promise<void> {
    await new Promise<void>((done, fail) => {
      const timer = setTimeout(() => finish(new Error(`no ${what}; so far: ${this.#shown()}`)), LIMIT)
      const finish = (error: Error | null): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        if (error === null) done()
        else fail(error)
      }
      const look = (): void => {
        if (check()) finish(null)
        else if (this.closed) finish(new Error(`closed before ${what}; so far: ${this.#shown()}`))
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Waits for `text` in what was received and takes everything up to its end out of it. */
  async take(text: string): Promise<string> {
    await this.when(JSON.stringify(text), () => this.received.includes(text))
    const end = this.received.indexOf(text) + text.length
    const taken = this.received.slice(0, end)
    this.received = this.received.slice(end)
    return taken
  }

  /** Takes one request or response head. */
  head(): Promise<string> {
    return this.take('\r\n\r\n')
  }

  /** Takes `count` characters. */
  async chars(count: number): Promise<string> {
    await this.when(`${count} bytes`, () => this.received.length >= count)
    const taken = this.received.slice(0, count)
    this.received = this.received.slice(count)
    return taken
  }

  /** Waits for the end of the other side; returns what is left. */
  async untilEnd(): Promise<string> {
    await this.when('the end', () => this.ended || this.closed)
    return this.received
  }

  async untilClosed(): Promise<void> {
    await this.when('the close', () => this.closed)
  }

  #shown(): string {
    return `${this.count} bytes, ${JSON.stringify(this.received.slice(0, 500))}`
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look()
  }
}

/** A listening socket whose connections the test takes one by one. */
export class PeerServer {
  readonly #server: Server
  readonly #peers: Peer[] = []
  readonly #fresh: Peer[] = []
  readonly #wanted: ((peer: Peer) => void)[] = []
  /** Given to every Peer made from now on. */
  keep = true
  /** Connections are not read until the test resumes their socket. */
  paused = false

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(port = 0): Promise<PeerServer> {
    const server = createServer({ noDelay: true, allowHalfOpen: true })
    const peers = new PeerServer(server)
    server.on('connection', (socket) => {
      const peer = new Peer(socket, peers.keep)
      if (peers.paused) socket.pause()
      peers.#peers.push(peer)
      const wanted = peers.#wanted.shift()
      if (wanted === undefined) peers.#fresh.push(peer)
      else wanted(peer)
    })
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
    return peers
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#peers.length
  }

  /** Connections open now. */
  get open(): number {
    return this.#peers.filter((peer) => !peer.closed).length
  }

  /** The next connection that no earlier call got. */
  next(): Promise<Peer> {
    const peer = this.#fresh.shift()
    return peer !== undefined ? Promise.resolve(peer) : new Promise((done) => this.#wanted.push(done))
  }

  /** A connection that no call got yet, or null. */
  poll(): Peer | null {
    return this.#fresh.shift() ?? null
  }

  /** What all connections have received, together. */
  get received(): string {
    return this.#peers.map((peer) => peer.received).join('')
  }

  /** Closes all connections and forgets them. */
  drop(): void {
    for (const peer of this.#peers.splice(0)) peer.destroy()
    this.#fresh.length = 0
    this.#wanted.length = 0
  }

  async stop(): Promise<void> {
    this.drop()
    await new Promise((done) => this.#server.close(done))
  }
}
