// What a module that passes requests on (proxy, later others) tells the upstream: how requests for a backend are made,
// and what is to be done with its responses.

import type { ComplexSize } from '../http/complex-size.ts'
import type { Fields } from '../http/fields.ts'
import type { Request } from '../http/request.ts'
import type { BufferingSettings } from './buffering/conf.ts'
import type { LocalBind } from './local-address.ts'
import type { NextSettings } from './next.ts'
import type { Kept, UpstreamName } from './states.ts'
import type { TlsClient } from './tls/client.ts'
import type { PeerHead, WireProtocol } from './wire.ts'

/** Settings of a location, times in milliseconds. */
export interface UpstreamSettings {
  connectTimeout: number
  sendTimeout: number
  readTimeout: number
  socketKeepalive: boolean
  /** null: the system chooses the address connections come from. */
  bind: LocalBind | null
  next: NextSettings
  /** Bytes that the head of a response may have. */
  bufferSize: number
  buffering: BufferingSettings
  /** How fast responses that are buffered are read, bytes a second; 0: as they come. */
  limitRate: ComplexSize
  /** Statuses of 300 and above are answered by `error_page` where that has them. */
  interceptErrors: boolean
  /** A client that goes away does not end the request at the backend. */
  ignoreClientAbort: boolean
}

export interface UpstreamProtocol extends UpstreamName {
  /** What connections for its requests speak. */
  readonly wire: WireProtocol
  /** Content of the request goes to the backend, as it comes. */
  readonly passesBody: boolean
  /** Trailers of its responses are for the client. */
  readonly passesTrailers: boolean
  /** Backends are spoken to by TLS. */
  readonly secure: boolean
  /** How, where `secure`; null: it cannot be, which is logged. */
  tls(r: Request): TlsClient | null
  /** What variables will want to know of the response. */
  readonly kept: Kept
  /** Method of the request for the backend; null: it cannot be made, and the log says why. */
  method(r: Request): string | null
  /** Content of the request that is not the client's, asked for first; null: there is none. */
  ownContent(r: Request): string | null
  /** The head of the request for the backend, as its wire wants it; `content` is its own. */
  createRequest(r: Request, method: string, content: string | null): string
  /** The backend has been asked for another protocol, and may switch to it with a 101. */
  mayTunnel(r: Request): boolean
  /** Request content goes to the backend in chunks. */
  chunkedRequest(r: Request): boolean
  /** Fills `r.response` from the backend's head. Not null: the URI or the location that makes the response instead. */
  processHead(r: Request, head: PeerHead): string | null
  /** The lines of a 103 (Early Hints) response that are for the client. */
  hintLines(head: PeerHead): string
  /** Those of a trailer section that are for the client, where `passesTrailers`. */
  trailerLines(trailers: Fields): string
  /** The URL at `address`, a peer's name, as the error log shows it. */
  url(r: Request, address: string): string
}
