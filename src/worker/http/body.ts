// The one contract for message bodies: request and response, buffered or not, every protocol. A producer pushes into
// a BodySink and stops when it is told to; whoever owns the sink calls the producer's `resume` when there is room.

import type { Fields } from './fields.ts'

/** Where body bytes go. Calls come in order: `write`s and `flush`es, then one `end` or `abort`, or a last `write`. */
export interface BodySink {
  /**
   * Takes `bytes[start, end)`, which are valid only during the call. `last`: the body ends here, as with `end(null)`.
   * false: send no more until the producer's `resume`; what was given is taken all the same.
   */
  write(bytes: Buffer, start: number, end: number, last: boolean): boolean
  /** What was written so far, and the head before it, must not wait for more. */
  flush(): void
  /** The body is complete; `trailers` is null without any. */
  end(trailers: Fields | null): void
  /** The body will not be completed: the producer failed. */
  abort(): void
}

/** Who produces a body. */
export interface BodySource {
  /** There is room again, after a `write` that returned false. */
  resume(): void
}

/** The body of a request, as whoever receives it sees it. */
export interface RequestContent extends BodySource {
  /** Its sink is gone: what comes is kept until the rest of the body is received by another. */
  hold(): void
}

/** Who produces the content of a response. */
export interface ContentSource extends BodySource {
  /** It goes on without the client, whose connection is gone: `proxy_ignore_client_abort`. */
  readonly outlivesClient?: boolean
  /** The client went away before the request has ended: stop, and end it. */
  clientGone(): void
  /** The request has ended, by whatever way: nothing more is to be done for it. */
  stop(): void
}

/** A filter that may hold content back for a while, as one that compresses does; between the source and the client. */
export interface HoldingFilter extends BodySource {
  /** What it gives its content to. */
  out: BodySink
  /** The filter before it, nearer to the source; null: there is none. */
  previous: HoldingFilter | null
  /** true: content that it was given is still on its way, and it finalises the request with OK itself behind that. */
  finishes(): boolean
  /** The request has ended. */
  stop(): void
}
