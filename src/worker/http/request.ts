// One request on its way through the phases, whatever protocol it came by. State is grouped by owner: what the client
// sent, where it was routed, the response, the upstream, and what modules keep for themselves.

import type { ConfModule } from '../../shared/conf/build.ts'
import type { Level } from '../../shared/error-log.ts'
import type { BufferedBody } from '../body/buffered-body.ts'
import type { ProxyProtocol } from '../connection/proxy-protocol.ts'
import type { TlsSession } from '../tls/session.ts'
import type { Transport } from '../transport/transport.ts'
import type { UpstreamStates } from '../upstream/states.ts'
import type { BodySink, ContentSource, HoldingFilter, RequestContent } from './body.ts'
import type { Fields } from './fields.ts'
import type { Handler } from './module.ts'
import type { LocationPlan, ServerPlan } from './plan.ts'
import type { Captures } from './regex/regex.ts'
import { Response } from './response.ts'
import type { VariableValues } from './variables.ts'

/** The connection a request came on, as requests and variables see it. */
export interface ClientConnection {
  /** `$connection`: number of the connection, unique in the process. */
  readonly id: number
  /** Requests so far on this connection, this one included. */
  readonly requests: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Milliseconds since the epoch. */
  readonly opened: number
  /** The request came behind bytes of the one before it, without waiting for the answer. */
  readonly pipelined: boolean
  /** What TLS has agreed on; null for a plain connection. */
  readonly tls: TlsSession | null
  /** What the PROXY protocol header in front of the connection said; null without one, or where it names nobody. */
  readonly proxyProtocol: ProxyProtocol | null
  /** `tcp_nodelay off`: small segments may wait for others, until a kept connection asks for the opposite. */
  delaySegments(): void
}

/** An address of a client that is not the connection's own. */
export interface ClientAddress {
  readonly address: string
  /** 0: not known. */
  readonly port: number
}

/** The protocol's end of one request: HTTP/1 connection, HTTP/2 stream. */
export interface ClientStream {
  readonly connection: ClientConnection
  /** Where response content goes; the last sink of the filter chain. */
  readonly out: BodySink
  /** Takes the head of `r.response`; it leaves with the first content, on flush or at the end. */
  sendHead(r: Request): void
  /** Sends a 103 (Early Hints) response of these field lines in front of the head, if the client knows interim ones. */
  sendEarlyHints(lines: string): void
  /** Starts passing the request body to `sink`. The returned source resumes it. */
  receiveBody(r: Request, sink: BodySink): RequestContent
  /** The client is not told to send its body, should it wait for that: it gets an error instead. */
  leaveUnasked(): void
  /**
   * What is left of the request body is read and thrown away. false: what is there of it is broken, for which the caller
   * answers 400 unless it has another error to tell of.
   */
  discardBody(r: Request): boolean
  /**
   * Gives the connection's transport away for a tunnel, with what the client sent ahead. The head has been sent; the
   * transport is paused. `closeTunnel` takes it back.
   */
  openTunnel(r: Request): { transport: Transport; early: Buffer | null }
  /** The tunnel has ended after this many bytes to the client. */
  closeTunnel(r: Request, bytes: number): void
  /** The request has ended and is logged: go on with the connection. */
  finish(r: Request): void
  /** Closes the connection without an answer or in the middle of one, so that the client notices. */
  terminate(r: Request): void
  /** Bytes of the response sent so far, head included. */
  readonly bytesSent: number
  readonly bodyBytesSent: number
  /** Content bytes of a request body that has been read whole, 0 of one that was thrown away; -1 before. */
  readonly bodyLength: number
  /** Some of the request body has been given to a sink or thrown away: what another would receive is not the whole. */
  readonly bodyTaken: boolean
  /** The rest of the request body is thrown away, or it will never be whole. */
  readonly bodyDiscarded: boolean
  /** What the client has not been sent waits for the end of this turn: it is no sign of a slow client. */
  readonly settling: boolean
  /** Bytes that have come and that nobody has taken yet, of a body or what follows it. */
  readonly bodyWaiting: number
  /** Bytes of content that the client has said it takes at once; Infinity where the kernel knows that alone. */
  readonly room: number
}

/** What the request's own words were. */
export interface RequestLine {
  /** As received: `GET /a HTTP/1.1`. */
  readonly line: string
  readonly method: string
  /** The response has no content. */
  readonly isHead: boolean
  /** Path and query as received. */
  readonly target: string
  /** `HTTP/1.1`. */
  readonly protocol: string
  /** HTTP/1.1 or later. */
  readonly minor: number
  /** -1: unknown length (chunked) or no body; see hasBody. */
  readonly contentLength: number
  readonly hasBody: boolean
  /** HTTP/1.1 with `upgrade` in Connection: another protocol may follow (RFC 9110 section 7.8). */
  readonly asksUpgrade: boolean
}

/** Changes of URI a request may go through by rewriting and internal redirects. */
const MAX_URI_CHANGES = 10

export class Request {
  readonly stream: ClientStream
  readonly client: RequestLine
  readonly fields: Fields
  /** Milliseconds since the epoch at the first byte of the request. */
  readonly started: number
  /** Bytes of request line, head and body received. */
  length = 0

  server: ServerPlan
  location: LocationPlan
  /** Normalised host: lower case, no port; '' when the client sent none. */
  host = ''
  /** Current URI, decoded, and query. */
  uri = ''
  args = ''
  /** The URI held %XX or has been changed: escape it where it goes into a request line. */
  quoted = false
  /** `client.target` still says what `uri` does. */
  targetValid = true
  /** The method it is handled by: the client's, or GET once an `error_page` has taken its place. */
  method: string
  /** It came to where it is by a redirect of ours: locations that are `internal` are open to it. */
  internal = false
  /** The last internal redirect named no query. */
  redirectedWithoutArgs = false
  /** The URI still begins with the prefix of its location, for `proxy_pass` to replace. */
  locationValid = true
  /** `try_files` found a URI in an `alias` that replaces all of it: the file's path is that alias and the URI. */
  uriBehindAlias = false
  /** `rewrite` has changed the URI: another location is to be looked for. */
  uriChanged = false
  /** How many more times the URI may be changed. */
  uriChanges = MAX_URI_CHANGES + 1
  /** An `error_page` is being served: what fails now has no other one. */
  errorPage = false
  /** The status `error_page` has the response sent with; 0: its own. */
  errorStatus = 0
  /** Makes the content, in place of the content phase. */
  contentHandler: Handler | null = null
  /** Captures of the last regular expression that matched; named ones of all. */
  captures: Captures | null = null
  named: Record<string, string | undefined> | null = null
  /** Variables that the configuration declares, as far as they have been evaluated. */
  values: VariableValues | null = null

  /** The request that this one is a subrequest of; null for one of a client. */
  parent: Request | null = null

  readonly response = new Response()
  headSent = false
  /** Head of the filter chain for content. */
  out: BodySink
  /** Who is at work on the response. */
  source: ContentSource | null = null
  /** The filter that holds back content, the one nearest to the client of several. */
  holding: HoldingFilter | null = null
  /** Bytes a second that the response is limited to, 0: not limited; -1: that has not been decided. */
  limitRate = -1
  /** Connection is kept after this request, as far as both sides are concerned. */
  keepalive = false
  ended = false
  /** The response has been given whole, as far as it is ours to say. */
  complete = false
  /** `$request_id`; '' until it is asked for. */
  id = ''

  /** The body, as far as it has been read before it is passed on; null: it has not, or there is none. */
  body: BufferedBody | null = null

  /** Attempts of the proxy modules, for `$upstream_*` and the log. */
  upstream: UpstreamStates | null = null
  /** What it is doing, for the error log: `reading client request headers`. */
  doing = ''
  /** The client's address as realip found it behind trusted proxies; null: that of the connection. */
  realAddress: ClientAddress | null = null

  constructor(
    stream: ClientStream,
    client: RequestLine,
    fields: Fields,
    server: ServerPlan,
    started: number,
  ) {
    this.stream = stream
    this.client = client
    this.method = client.method
    this.fields = fields
    this.server = server
    this.location = server.plan
    this.out = stream.out
    this.started = started
  }

  /** The client's address as text: the connection's unless realip found another; `unix:` for a unix socket. */
  get remoteAddress(): string {
    return this.realAddress?.address ?? (this.stream.connection.remoteAddress || 'unix:')
  }

  /** The port that belongs to `remoteAddress`; 0: there is none, or it is not known. */
  get remotePort(): number {
    return this.realAddress === null ? this.stream.connection.remotePort : this.realAddress.port
  }

  /** The client's request that this one serves; itself unless it is a subrequest. */
  get main(): Request {
    return this.parent === null ? this : this.parent.main
  }

  /** The merged configuration of `module` where the request is now. */
  conf<C>(module: ConfModule<C>): C {
    return this.location.confs[module.index] as C
  }

  /** Writes a line with the request's context to the error log of where the client's request is now. */
  log(level: Level, message: string): void {
    const log = this.main.location.errorLog
    if (log.enabled(level)) log.log(level, message + this.#context(), this.stream.connection.id)
  }

  #context(): string {
    const doing = this.doing === '' ? '' : ` while ${this.doing}`
    const server = this.server.firstName
    const upstream = this.upstream?.source?.url() ?? ''
    const host = this.fields.get('host')
    const referrer = this.fields.get('referer')
    return (
      `${doing}, client: ${this.remoteAddress}, server: ${server}` +
      `${this.client.line === '' ? '' : `, request: "${this.client.line}"`}` +
      `${this.parent === null ? '' : `, subrequest: "${this.uri}"`}` +
      `${upstream === '' ? '' : `, upstream: "${upstream}"`}` +
      `${host === null ? '' : `, host: "${host}"`}` +
      `${referrer === null ? '' : `, referrer: "${referrer}"`}`
    )
  }
}
