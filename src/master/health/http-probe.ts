// `health_check` over HTTP: one GET with undici, whose answer `match` judges. The time it may take and the room it may
// take up are bounded whatever the peer does.

import { connect, type Socket } from 'node:net'
import type { Client } from 'undici'
import type { HealthCheck } from '../../worker/upstream/health/health-check.ts'
import type { PeerAddress } from '../../worker/upstream/peers.ts'
import type { TlsClient } from '../../worker/upstream/tls/client.ts'
import { connectSecurely } from '../../worker/upstream/tls/handshake.ts'
import { Exchange } from './exchange.ts'
import { type Prober, placeOf, type Verdict } from './probe.ts'

/** Longest head of an answer: nginx's default proxy_buffer_size. */
const HEAD_LIMIT = 4096
/** Fields that are the connection's, which is undici's. */
const CONNECTION_FIELDS = new Set(['connection', 'expect', 'keep-alive', 'transfer-encoding', 'upgrade'])

type ClientClass = typeof Client
type Connected = (...args: [Error, null] | [null, Socket]) => void

export class HttpProber implements Prober {
  readonly #check: HealthCheck
  readonly #peer: PeerAddress
  readonly #Client: ClientClass
  #client: Client | null = null
  /** When the client's connection came about, milliseconds of `performance.now`. */
  #connected = 0
  /** The present exchange has a connection of its own. */
  #fresh = true
  #exchange: Exchange | null = null

  constructor(check: HealthCheck, peer: PeerAddress, Client: ClientClass) {
    this.#check = check
    this.#peer = peer
    this.#Client = Client
  }

  start(done: (verdict: Verdict) => void): void {
    this.#ask(done, true)
  }

  /** `again`: a kept connection that turns out closed is no fault of the peer, which is asked once more. */
  #ask(done: (verdict: Verdict) => void, again: boolean): void {
    const { requests, keepaliveTime, uri } = this.#check
    if (performance.now() - this.#connected > keepaliveTime) this.#close()
    this.#client ??= this.#open()
    this.#fresh = false
    const r = requests.make()
    const exchange = new Exchange(this.#check, this.#peer, r, (verdict, reusable) => {
      this.#exchange = null
      if (!reusable) this.#close()
      if (again && !this.#fresh && exchange.unanswered) this.#ask(done, false)
      else done(verdict)
    })
    this.#exchange = exchange
    try {
      const headers = withoutConnection(requests.fields(r))
      this.#client.dispatch({ method: 'GET', path: uri, headers, reset: keepaliveTime === 0 }, exchange)
    } catch (error) {
      // A field that no request can have.
      exchange.onResponseError(null, error as Error)
    }
  }

  #open(): Client {
    const keep = Math.max(1, this.#check.keepaliveTime)
    // Where it connects to and which Host it sends is said elsewhere.
    return new this.#Client('http://localhost', {
      allowH2: false,
      maxHeaderSize: HEAD_LIMIT,
      // Exchange has its own.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keep,
      keepAliveMaxTimeout: keep,
      keepAliveTimeoutThreshold: 0,
      connect: (_options, done) => this.#connect(done),
    })
  }

  #connect(done: Connected): void {
    this.#fresh = true
    this.#connected = performance.now()
    const { tls, requests } = this.#check
    if (tls !== null) return this.#connectSecurely(tls(requests.make()), done)
    const socket = connect(placeOf(this.#check, this.#peer))
    this.#exchange?.connecting(() => socket.destroy())
    let failure = new Error('closed')
    const closed = () => done(failure, null)
    socket.on('error', (error) => {
      failure = error
    })
    socket.once('close', closed)
    socket.once('connect', () => {
      socket.removeListener('close', closed)
      done(null, socket)
    })
  }

  /** `client`: null where there is none, as the log of the requests says. */
  #connectSecurely(client: TlsClient | null, done: Connected): void {
    if (client === null) {
      return done(new Error('proxy_ssl_name or proxy_ssl_certificate gives nothing usable'), null)
    }
    const exchange = this.#exchange
    let secured = false
    const failed = (error: Error) => {
      abandon()
      if (!secured) done(error, null)
    }
    const abandon = connectSecurely(placeOf(this.#check, this.#peer), this.#peer.name, client, {
      connected: () => exchange?.handshaking(),
      secured: (socket) => {
        secured = true
        done(null, socket)
      },
      failed,
    })
    exchange?.connecting(() => failed(new Error('closed')))
  }

  stop(): void {
    this.#exchange?.drop()
    this.#exchange = null
    this.#close()
  }

  #close(): void {
    this.#client?.destroy().catch(() => {})
    this.#client = null
  }
}

/** undici takes names and values in turn. */
function withoutConnection(fields: readonly string[]): string[] {
  return fields.filter((_text, index) => !CONNECTION_FIELDS.has(fields[index & ~1]!.toLowerCase()))
}
