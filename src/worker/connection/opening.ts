// A client connection until it is known what it speaks: the PROXY protocol header in front of everything, then, on a
// plain connection, the preface of HTTP/2 where `http2 on` allows that beside HTTP/1. TLS is for securing.ts. Connections
// to addresses with none of these are HTTP/1 at once.

import { atTickEnd } from '../tick.ts'
import { Timer } from '../timer.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import { Client } from './client.ts'
import type { ConnectionHost, ConnectionStart, HttpConnection } from './host.ts'
import { ListenedAt } from './listened-at.ts'
import { beginHttp1, beginHttp2 } from './protocols.ts'
import { PrefaceReading } from './proxy-protocol.ts'
import { Securing } from './securing.ts'

/** RFC 9113 section 3.4. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const TIMED_OUT = 'client timed out (110: Connection timed out)'
const READING_PROXY = 'reading PROXY protocol'
const WAITING = 'waiting for request'

/** Takes over `transport` (paused), which came by the listening socket `key`; `id` is the number of the connection. */
export function openConnection(transport: Transport, host: ConnectionHost, key: string, id: number): void {
  const at = new ListenedAt(host, key, transport)
  const client = new Client(transport, at, id)
  const { servers } = at
  if (servers.straight) beginHttp1({ transport, client, at, host, early: null })
  else if (servers.protocols.ssl && !servers.protocols.proxyProtocol) {
    new Securing({ transport, client, at, host, early: null })
  } else new Opening(transport, client, at, host)
}

/** What the bytes that come next may be. */
type Phase = 'proxy' | 'preface' | 'over'

class Opening implements TransportOwner, HttpConnection {
  readonly #transport: Transport
  readonly #client: Client
  readonly #at: ListenedAt
  readonly #host: ConnectionHost
  readonly #timer = new Timer(() => this.#timedOut())
  readonly #proxy: PrefaceReading | null
  #phase: Phase
  /** What has come of the preface of HTTP/2, if it is one. */
  #early: Buffer | null = null

  constructor(transport: Transport, client: Client, at: ListenedAt, host: ConnectionHost) {
    this.#transport = transport
    this.#client = client
    this.#at = at
    this.#host = host
    this.#proxy = at.servers.protocols.proxyProtocol ? new PrefaceReading() : null
    this.#phase = this.#proxy === null ? 'preface' : 'proxy'
    transport.owner = this
    host.opened(this)
    host.stats.addWaiting(1)
    this.#timer.start(at.settings.clientHeaderTimeout)
    transport.resume()
  }

  get idleSince(): number {
    return this.#phase === 'over' ? 0 : this.#client.opened
  }

  retire(): void {
    if (this.#phase !== 'over') this.#close()
  }

  shutDown(): void {
    this.retire()
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const from = this.#phase === 'proxy' ? this.#readProxy(bytes, start, end) : start
    if (from < end && this.#phase === 'preface') this.#readPreface(bytes, from, end)
  }

  /** The position behind the header, or `end`. */
  #readProxy(bytes: Buffer, start: number, end: number): number {
    const read = this.#proxy!.read(bytes, start, end)
    if (read === null) return end
    if ('broken' in read) {
      if (read.broken !== '') this.#client.log('error', read.broken, READING_PROXY)
      this.#close()
      return end
    }
    this.#client.proxyProtocol = read.proxy
    this.#phase = 'preface'
    if (read.end === end && !this.#mayBeHttp2) this.#begin(this.#next, null)
    return read.end
  }

  #readPreface(bytes: Buffer, start: number, end: number): void {
    const came = Buffer.from(bytes.subarray(start, end))
    const early = this.#early === null ? came : Buffer.concat([this.#early, came])
    this.#early = early
    if (!this.#mayBeHttp2) return this.#begin(this.#next, early)
    const length = Math.min(early.length, HTTP2_PREFACE.length)
    if (early.toString('latin1', 0, length) !== HTTP2_PREFACE.slice(0, length))
      return this.#begin(beginHttp1, early)
    if (length === HTTP2_PREFACE.length) this.#begin(beginHttp2, early)
  }

  /** It is told from HTTP/1 by its first bytes. */
  get #mayBeHttp2(): boolean {
    const { protocols, http2 } = this.#at.servers
    return http2 && !protocols.ssl
  }

  /** What follows where it cannot be HTTP/2. */
  get #next(): (start: ConnectionStart) => HttpConnection {
    return this.#at.servers.protocols.ssl ? (start) => new Securing(start) : beginHttp1
  }

  #begin(begin: (start: ConnectionStart) => HttpConnection, early: Buffer | null): void {
    this.#leave()
    this.#timer.dispose()
    this.#transport.pause()
    this.#host.handedOver(this)
    begin({ transport: this.#transport, client: this.#client, at: this.#at, host: this.#host, early })
  }

  onEnd(): void {
    this.#logEnd()
    this.#close()
  }

  onDrain(): void {}

  onClose(): void {
    if (this.#phase !== 'over') this.#leave()
    this.#timer.dispose()
    this.#host.closed(this)
  }

  #logEnd(): void {
    if (this.#phase === 'preface') this.#client.log('info', 'client closed connection', WAITING)
    if (this.#phase !== 'proxy') return
    const cutShort = this.#proxy!.cutShort
    if (cutShort !== '') this.#client.log('error', cutShort, READING_PROXY)
    else this.#client.log('info', 'client closed connection', READING_PROXY)
  }

  #timedOut(): void {
    if (this.#phase === 'over') return
    this.#client.log('info', TIMED_OUT, this.#phase === 'proxy' ? READING_PROXY : WAITING)
    this.#close()
  }

  #close(): void {
    this.#leave()
    this.#timer.stop()
    atTickEnd(() => this.#transport.close())
  }

  #leave(): void {
    this.#phase = 'over'
    this.#host.stats.addWaiting(-1)
  }
}
