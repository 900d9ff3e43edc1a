// What a connection to a backend speaks: the protocol on the wire, between the attempts at peers (upstream.ts) and the
// bytes of a connection. One adapter each for HTTP/1 (http1-wire.ts) and HTTP/2 (http2/http2-wire.ts), of which a
// connection has its own from its beginning to its end.

import type { Fields } from '../http/fields.ts'
import type { BodyEvents } from '../http1/body-decoder.ts'
import type { Failure } from './next.ts'

/** How requests for a backend are put. */
export type WireProtocol = 'HTTP/1' | 'HTTP/2'

/** The head of a response, whatever it came in. */
export interface PeerHead {
  readonly fields: Fields
  readonly status: number
  /** Status code and reason phrase, as received; '' where the protocol has none. */
  readonly statusLine: string
  /** -1: it does not say. */
  readonly contentLength: number
  /** The content comes in chunks. */
  readonly chunked: boolean
}

/** Told of what a backend sends, in order; the exchange may be over after each call. */
export interface WireEvents extends BodyEvents {
  /** Bytes that the head of a response may have. */
  readonly headLimit: number
  /** The same of a trailer section; undefined where nobody wants one, and the wire decides. */
  readonly trailerLimit: number | undefined
  /** An interim head: the one that counts is to come. false: the exchange is over. */
  interimHead(head: PeerHead): boolean
  /** Whether a 101 has been asked for. */
  mayUpgrade(): boolean
  /** The backend switches protocols; `bytes[start, end)` came behind its head. */
  switches(head: PeerHead, bytes: Buffer, start: number, end: number): void
  /**
   * The head that counts; whether content follows is known (`done`). `followed`: there are bytes behind the head. false: no
   * content is wanted.
   */
  finalHead(head: PeerHead, followed: boolean): boolean
  /** What came is no response, or not all of one. */
  failed(failure: Failure): void
}

/** One request and its response at a time. */
export interface Wire {
  /** Some of the head of a response has come. */
  readonly begun: boolean
  /** Bytes of the response up to the end of its head, interim ones included. */
  readonly headLength: number
  /** The response is complete. */
  readonly done: boolean
  /** Trailers may come behind the content. */
  readonly mayHaveTrailers: boolean
  /** The end of the connection is the end of the content. */
  readonly untilClose: boolean
  /** Once a response is complete: the connection may be used again. */
  readonly reusable: boolean
  /** The backend does not take more content for now: `PeerUser.onPeerDrain` tells when it does. */
  readonly blocked: boolean
  /** The head of a request does not wait for the first of its content: both sides may talk at the same time. */
  readonly eager: boolean
  /** Content that was given is not on its way yet. */
  readonly pending: boolean

  /** A new exchange. `headOnly`: the response to the request has no content; `chunked`: that of the request, as it comes. */
  begin(events: WireEvents, headOnly: boolean, chunked: boolean): void
  /**
   * Sends some of the request: its head, as the protocol's `createRequest` made it, or '' where that has been sent, and
   * `bytes[start, end)` of its content, `last` being the end of that. Returns how many bytes are on their way for it.
   */
  send(head: string, bytes: Buffer | null, start: number, end: number, last: boolean): number
  /** The exchange is over: nothing more is told of it. */
  release(): void
  /** The connection has taken everything. Whether there is room for more content. */
  drained(): boolean
  /** Reads what came. Returns whether some of it is behind the end of the response. */
  read(bytes: Buffer, start: number, end: number): boolean
  /** What came while there was no exchange. false: the connection is of no use any more. */
  readIdle(bytes: Buffer, start: number, end: number): boolean
  /** Words for the log about what came behind a response. */
  readonly surplus: string
}
